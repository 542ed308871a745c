"""Words that two articles may well share and that tell an editor nothing of what they are about, by language.

They are not shown as what two articles have in common; likeness itself counts them as any others. Beside the words of
`index.silent_words`: numbers, days and months, measures of time, and the most general nouns, verbs and adjectives.
"""

from __future__ import annotations

from functools import cache

from services.recommend.index.silent_words import SILENT_WORDS
from services.recommend.search.words import fold

_FLAT_WORDS = {
    "fr": """
        un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante
        cinquante soixante cent cents mille million millions milliard milliards premier premiere premiers premieres
        second seconde deuxieme troisieme quatrieme dernier derniere derniers dernieres prochain prochaine prochains
        dizaine dizaines douzaine centaine centaines millier milliers moitie tiers quart double
        lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars avril mai juin juillet aout septembre
        octobre novembre decembre aujourd'hui demain hier veille lendemain matin matinee midi soir soiree nuit journee
        jour jours semaine semaines mois an ans annee annees heure heures minute minutes seconde secondes siecle fois
        moment moments instant temps date debut fin suite cours epoque periode saison duree ensuite autrefois bientot
        desormais aussitot tard tot longtemps maintenant parfois souvent rarement toujours jamais
        rien personne chose choses cas fait faits facon maniere sorte type partie part reste ensemble nombre nombreux
        nombreuse nombreuses plusieurs certain certaine certains certaines seul seule seuls seules meme autres divers
        grand grande grands grandes petit petite petits petites bon bonne bons bonnes mauvais nouveau nouvel nouvelle
        nouveaux nouvelles vieux vieille ancien ancienne anciens long longue longs court courte haut haute bas basse
        gros grosse beau belle vrai vraie pres loin autour aupres dehors dedans dessus dessous cote cotes ici ailleurs
        partout face lieu lieux place point points mise mettre met mis dit dire disent explique expliquer assure
        affirme ajoute raconte annonce annoncer precise rappelle selon estime souligne prevu prevue prevoit
        fait faire font faut falloir veut vouloir veulent peut pouvoir peuvent doit devoir doivent sait savoir voit voir
        vient venir viennent va aller vont prend prendre prennent donne donner donnent reste rester restent
        trouve trouver trouvent passe passer passent laisse laisser tient tenir met revient revenir devient devenir
        commence commencer commencent finit finir continue continuer arrive arriver attend attendre
        aime aimer cherche chercher demande demander permet permettre porte porter montre montrer
        simple simplement seulement surtout presque environ moins plus assez beaucoup davantage trop tant autant
        vraiment notamment egalement enfin plutot peu tous toute toutes quelques aucune aucun chacun chacune
        gens homme hommes femme femmes mot mots idee idees question questions raison exemple suivant suivante
        article articles lire photo photos journal
    """,
    "en": """
        one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen twenty thirty
        forty fifty sixty hundred hundreds thousand thousands million millions billion billions first second third
        fourth fifth last next half quarter double dozen dozens
        monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
        september october november december today tomorrow yesterday morning afternoon evening night noon day days week
        weeks month months year years hour hours minute minutes second seconds century time times moment date start end
        beginning season period ago soon later early earlier late recently often always never sometimes already
        nothing nobody thing things case way ways kind sort type part parts rest number numbers several certain
        big small great large little long short high low old new good bad best better true whole full own
        around near far outside inside above below side sides here there elsewhere everywhere place places point points
        go goes going went gone come comes coming came take takes taken took give gives given gave get gets getting
        keep keeps kept put puts set sets let lets leave leaves left stay stays find finds found pass passes
        say says said tell tells told explain explains explained add adds added announce announced according
        want wants wanted need needs needed know knows known see sees seen look looks looking think thinks thought
        become becomes begin begins began continue continues ask asks asked show shows shown use used uses using
        work works working call called calls turn turns bring brings brought hold holds held
        people man men woman women word words idea ideas question questions reason example
        simply almost about around enough rather quite perhaps maybe together yet well back away
        article articles read photo photos newspaper
    """,
    "es": """
        uno dos tres cuatro cinco seis siete ocho nueve diez once doce quince veinte treinta cuarenta cincuenta cien
        ciento cientos mil miles millon millones primer primero primera segundo segunda tercer tercero ultimo ultima
        proximo proxima mitad medio media doble lunes martes miercoles jueves viernes sabado domingo enero febrero
        marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre hoy ayer manana tarde noche dia dias
        semana semanas mes meses ano anos hora horas minuto minutos siglo vez veces momento tiempo fecha inicio fin
        final temporada cosa cosas caso casos forma manera tipo parte partes resto numero varios varias cierto cierta
        grande grandes gran pequeno pequena bueno buena malo nuevo nueva nuevos nuevas viejo antiguo largo alto bajo
        mejor peor cerca lejos lado lugar lugares punto puntos aqui alli dice decir dijo explica explico anade anadio
        anuncio hace hacer puede poder debe deber quiere querer sabe saber ve ver viene venir va ir da dar queda quedar
        sigue seguir llega llegar lleva llevar pasa pasar deja dejar tiene tener encuentra gente persona personas
        hombre hombres mujer mujeres palabra idea razon ejemplo ademas casi solo siempre nunca tambien
    """,
    "de": """
        eins zwei drei vier fuenf sechs sieben acht neun zehn elf zwoelf zwanzig dreissig vierzig fuenfzig hundert
        tausend million millionen milliarde milliarden erste ersten erster erstes zweite zweiten dritte letzte letzten
        naechste naechsten halb haelfte montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar maerz
        april mai juni juli august september oktober november dezember heute morgen gestern abend nacht mittag tag tage
        tagen woche wochen monat monate monaten jahr jahre jahren stunde stunden minute minuten uhr zeit zeiten mal
        moment beginn anfang ende saison ding dinge fall faelle art weise teil teile rest zahl mehrere viele wenige
        gross grosse grossen klein kleine kleinen gut gute guten schlecht neu neue neuen alt alte alten lang lange kurz
        hoch hohe niedrig nah weit seite ort stelle punkt punkte hier sagt sagen gesagt erklaert erklaerte teilt
        teilte macht machen gemacht geht gehen kommt kommen nimmt nehmen gibt geben gegeben bleibt bleiben findet finden
        steht stehen weiss wissen sieht sehen leute menschen mann frau wort idee frage grund beispiel immer nie fast
        etwa rund bereits weitere weiteren
    """,
    "ar": """
        واحد واحدة اثنان اثنين ثلاثة ثلاث اربعة اربع خمسة خمس ستة ست سبعة سبع ثمانية ثماني تسعة تسع عشرة عشر عشرون عشرين
        مئة مائة الف الاف مليون ملايين مليار مليارات الاول الاولى الثاني الثانية الثالث الثالثة الاخير الاخيرة القادم
        القادمة المقبل المقبلة الماضي الماضية نصف ربع
        الاثنين الثلاثاء الاربعاء الخميس الجمعة السبت الاحد يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر
        اكتوبر نوفمبر ديسمبر كانون شباط اذار نيسان ايار حزيران تموز اب ايلول تشرين اليوم امس غدا صباح صباحا مساء ليلة
        ليل نهار يوم ايام اسبوع اسابيع شهر اشهر سنة سنوات عام اعوام ساعة ساعات دقيقة دقائق قرن مرة مرات وقت الوقت
        بداية نهاية فترة موسم شيء اشياء امر حال حالة طريقة نوع جزء باقي عدد كثير كثيرة قليل جديد جديدة كبير كبيرة صغير
        صغيرة قديم قديمة طويل قصير جيد افضل اكثر اقل قرب بعيد جانب مكان نقطة يقول تقول قالوا اضاف اكد اوضح اعلن يريد
        يمكن يجب يعرف يرى ياتي يذهب يصبح يبدا يبقى الناس شخص رجل امراة كلمة فكرة سؤال سبب مثال جدا تقريبا دائما ابدا
    """,
}


@cache
def flat_words(language: str) -> frozenset[str]:
    """Folded words of a language (its primary subtag) that say nothing of what an article is about."""
    listed = f"{SILENT_WORDS.get(language, '')} {_FLAT_WORDS.get(language, '')}"
    return frozenset(fold(word) for word in listed.split())


def is_flat(language: str, written: str) -> bool:
    """Whether a word, or each of several, says nothing of what an article is about. language: a primary subtag."""
    flat = flat_words(language)
    words = [fold(word) for word in written.split()]
    return all(word in flat or not any(map(str.isalpha, word)) or len(word) < 2 for word in words)
