"""Words that say nothing of what an article is about, by language; elisions and cut-off forms are among them."""

SILENT_WORDS = {
    "fr": """
        a afin ai aie aient ainsi ait alors apres après as au aucun aucune aujourd auquel aura aurait auraient
        aussi autre autres aux avaient avait avant avec avoir avons ayant bien but c car ce ceci cela celle
        celles celui cependant ces cet cette ceux chaque chez ci comme comment contre d dans de deja déjà dejà
        depuis des deux devant doit doivent donc dont du durant elle elles en encore enfin entre es est et
        etaient étaient etait était etant étant ete été etre être eu eux fait faire font fois hier hors hui il
        ils j jamais je jusqu jusque l la là laquelle le lequel les lesquels leur leurs lors lorsqu lorsque lui
        m ma mais me meme même mêmes mes moi moins mon n ne ni nos notre nous on ont or ou où par parce parmi
        pas pendant peu peut peuvent plus plutôt plusieurs pour pourquoi pourrait puis puisqu puisque qu quand
        que quel quelle quelles quelque quelques quelqu quels qui quoi s sa sans se selon sera serait seront ses
        si soit son sont sous souvent sur ta tandis tant te tel telle tels tes toi ton toujours tous tout toute
        toutefois toutes tres très trop tu un une va vers voir voici voilà vont vos votre vous y ça
    """,
    "en": """
        a about above after again against all also although am among an and any are aren as at be because been
        before being below between both but by can cannot could couldn did didn do does doesn doing don down
        during each even ever few for from further get got had hadn has hasn have haven having he her here hers
        herself him himself his how however i if in into is isn it its itself just last let like made make many
        may me might more most much must my myself new no nor not now of off on once one only or other our ours
        out over own re s said same say says shall she should shouldn since so some still such t than that the
        their theirs them themselves then there these they this those though through to too two under until up
        upon us very was wasn we were weren what when where which while who whom whose why will with within
        without won would wouldn yet you your yours
    """,
    "es": """
        a al algo algunas algunos ante antes así aun aún aunque bajo bien cada casi como cómo con contra cual
        cuales cuando cuándo cuanto de del desde donde dónde dos durante e el él ella ellas ellos en entonces
        entre era eran eras es esa esas ese eso esos esta está estaba estado están estar estas este esto estos
        fue fueron ha haber había habían hace hacer hacia han has hasta hay he la las le les lo los más me menos
        mi mientras mis mismo misma muy nada ni no nos nosotros nuestra nuestro o os otra otras otro otros para
        pero poco por porque pues puede pueden que qué quien quién quienes se sea según ser si sí sido sin sino
        sobre solo sólo son su sus también tan tanto te tiene tienen toda todas todavía todo todos tras tu tus
        un una unas uno unos usted va ya y yo
    """,
    "de": """
        ab aber alle allem allen aller alles als also am an andere anderen anderer anderes auch auf aus bei beim
        bereits bin bis bist da dabei dafür damit dann darauf darüber das dass daß davon dazu dem den denn der
        deren des dessen die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen
        einer eines er erst es etwa für gegen hab habe haben hat hatte hatten hätte heute hier ihm ihn ihnen ihr
        ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jetzt kann kein keine keinen können
        könnte laut mehr mit muss müssen nach nicht nichts noch nun nur ob oder ohne sagte schon sehr sei seien
        sein seine seinem seinen seiner seit sich sie sind so soll sollen sollte sondern sowie über um und uns
        unter viel vom von vor war waren was wegen weil weiter wenn wer werde werden wie wieder will wir wird wo
        worden wurde wurden würde zu zum zur zwar zwei zwischen
    """,
    "ar": """
        في من على الى إلى عن مع هذا هذه ذلك تلك التي الذي الذين اللذين اللاتي ان أن إن كان كانت يكون تكون قد لقد
        لا لم لن ما ماذا هو هي هم هن نحن انا أنا انت أنت كما كل بعض غير بين بعد قبل عند عندما حين حيث حتى ثم او
        أو ام أم بل لكن لكنه ولكن اذا إذا لو منذ خلال حول دون ضد فوق تحت اي أي ايضا أيضا فقط به بها بهم له لها
        لهم فيه فيها منه منها عليه عليها اليه إليه اليها إليها وهو وهي وقد وفي ومن وكان وكانت وأن وان كذلك ذات
        نفس مثل سوى عبر هناك هنا مما فيما عنه عنها لدى وقال وقالت قال قالت يتم تم وتم
    """,
}
