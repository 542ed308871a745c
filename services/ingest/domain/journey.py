"""The steps of an article's journey in plain words, for its timeline, in French, English and Arabic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from string import Formatter
from typing import Any

Detail = Mapping[str, str | int | float | bool | None]

# Our own steps; those of other services are theirs to name.
ACCEPTED = "accepted"
PUBLISHED = "published"
EDITED = "edited"
REFILED = "refiled"
CORRECTED = "corrected"
KILLED = "killed"
SCHEDULED = "scheduled"
RESCHEDULED = "rescheduled"
CANCELLED = "cancelled"
RELEASED = "released"
MISSED = "missed"
EXPIRED = "expired"
RETRACTED = "retracted"
REASON_CHANGED = "reason_changed"
RESTORED = "restored"
SEEN_LIVE = "seen_live"
GONE = "gone"
# A delivery by a channel that some of its subscribers are still to get.
SO_FAR = "delivered_so_far"

EMBARGO = "embargo"
# Details that are moments, in RFC 3339.
TIMES = (EMBARGO, "next_try")

# What a step's sentence is made of: the words, then what follows for each detail that is there.
_ENGLISH: dict[str, tuple[str, ...]] = {
    ACCEPTED: ("The article was accepted", " from {by}"),
    PUBLISHED: ("It was published", " by {by}"),
    EDITED: ("It was changed", " by {by}"),
    REFILED: ("It was refiled", " by {by}"),
    CORRECTED: ("It was corrected", " by {by}", ": {note}"),
    KILLED: ("It was killed", " by {by}", ": {reason}"),
    SCHEDULED: ("It was scheduled", " by {by}", " for {embargo}"),
    RESCHEDULED: ("It was scheduled anew", " by {by}", " for {embargo}"),
    CANCELLED: ("Its publication was cancelled", " by {by}"),
    RELEASED: ("Its embargo was lifted", " ({embargo})"),
    MISSED: ("Its whole time went by while the system was down; it is a draft again",),
    EXPIRED: ("Its time was over",),
    RETRACTED: ("It was retracted", " by {by}", ": {reason}"),
    REASON_CHANGED: ("Another reason was given", " by {by}", ": {reason}"),
    RESTORED: ("Its revision {revision} was restored", " by {by}"),
    "related_set_made": (
        "Its related set was made",
        ": {entries} {entries:article|articles}",
        ", {changed} {changed:set|sets} of others changed",
    ),
    "page_written": ("Its page was written", " in {ms} ms"),
    SEEN_LIVE: ("Its page was seen live",),
    "announced": ("It was announced", " by {channel}", ": {deliveries} {deliveries:delivery|deliveries}"),
    "announcement_waits": ("Nobody is told of it yet: its page is not there", " ({where})"),
    "announcement_given_up": ("Nobody was told of it: its page did not come", " ({where})"),
    "delivered": ("It was delivered", " by {channel}", " to {count} {count:subscriber|subscribers}"),
    SO_FAR: ("It was delivered", " by {channel}", " to {count} of {of} {of:subscriber|subscribers}"),
    "delivery_failed": (
        "A delivery failed",
        " by {channel}",
        " to {count} {count:subscriber|subscribers}",
        " with status {status}",
        ": {why}",
        ", {times} attempts so far",
        "; next try: {next_try}",
    ),
    "gone": ("It is gone", " from {surface}"),
}
_FRENCH: dict[str, tuple[str, ...]] = {
    ACCEPTED: ("L’article a été accepté", " de {by}"),
    PUBLISHED: ("Il a été publié", " par {by}"),
    EDITED: ("Il a été modifié", " par {by}"),
    REFILED: ("Il a été retouché", " par {by}"),
    CORRECTED: ("Il a été corrigé", " par {by}", " : {note}"),
    KILLED: ("Il a été supprimé", " par {by}", " : {reason}"),
    SCHEDULED: ("Il a été programmé", " par {by}", " pour le {embargo}"),
    RESCHEDULED: ("Il a été reprogrammé", " par {by}", " pour le {embargo}"),
    CANCELLED: ("Sa publication a été annulée", " par {by}"),
    RELEASED: ("Son embargo a été levé", " ({embargo})"),
    MISSED: ("Son temps s’est écoulé pendant un arrêt du système ; il est de nouveau un brouillon",),
    EXPIRED: ("Son temps était écoulé",),
    RETRACTED: ("Il a été retiré", " par {by}", " : {reason}"),
    REASON_CHANGED: ("Une autre raison a été donnée", " par {by}", " : {reason}"),
    RESTORED: ("Sa révision {revision} a été rétablie", " par {by}"),
    "related_set_made": (
        "Ses articles liés ont été choisis",
        " : {entries} {entries:article|articles}",
        ", {changed} {changed:liste d’un autre article a changé|listes d’autres articles ont changé}",
    ),
    "page_written": ("Sa page a été écrite", " en {ms} ms"),
    SEEN_LIVE: ("Sa page a été vue en ligne",),
    "announced": ("Il a été annoncé", " par {channel}", " : {deliveries} {deliveries:envoi|envois}"),
    "announcement_waits": ("Il n’est pas encore annoncé : sa page n’est pas là", " ({where})"),
    "announcement_given_up": ("Il n’a été annoncé à personne : sa page n’est jamais apparue", " ({where})"),
    "delivered": ("Il a été envoyé", " par {channel}", " à {count} {count:abonné|abonnés}"),
    SO_FAR: ("Il a été envoyé", " par {channel}", " à {count} sur {of} {of:abonné|abonnés}"),
    "delivery_failed": (
        "Un envoi a échoué",
        " par {channel}",
        " à {count} {count:abonné|abonnés}",
        " avec le statut {status}",
        " : {why}",
        ", {times} essais jusqu’ici",
        " ; prochain essai : {next_try}",
    ),
    "gone": ("Il a disparu", " : {surface}"),
}
_ARABIC: dict[str, tuple[str, ...]] = {
    ACCEPTED: ("قُبل المقال", " من {by}"),
    PUBLISHED: ("نُشر المقال", " من قِبل {by}"),
    EDITED: ("عُدّل المقال", " من قِبل {by}"),
    REFILED: ("نُقّح المقال", " من قِبل {by}"),
    CORRECTED: ("صُحّح المقال", " من قِبل {by}", ": {note}"),
    KILLED: ("أُلغي المقال نهائيا", " من قِبل {by}", ": {reason}"),
    SCHEDULED: ("جُدول نشر المقال", " من قِبل {by}", " في {embargo}"),
    RESCHEDULED: ("أُعيدت جدولة المقال", " من قِبل {by}", " في {embargo}"),
    CANCELLED: ("أُلغي موعد نشره", " من قِبل {by}"),
    RELEASED: ("رُفع حظر النشر", " ({embargo})"),
    MISSED: ("مضى وقته كله والنظام متوقف، فعاد مسودة",),
    EXPIRED: ("انتهت مدته",),
    RETRACTED: ("سُحب المقال", " من قِبل {by}", ": {reason}"),
    REASON_CHANGED: ("ذُكر سبب آخر", " من قِبل {by}", ": {reason}"),
    RESTORED: ("استُعيدت مراجعته {revision}", " من قِبل {by}"),
    "related_set_made": ("اختيرت مقالاته ذات الصلة", ": {entries}", "، وتغيرت {changed} من قوائم المقالات الأخرى"),
    "page_written": ("كُتبت صفحته", " في {ms} ملّي ثانية"),
    SEEN_LIVE: ("شوهدت صفحته على الموقع",),
    "announced": ("أُعلن عنه", " عبر {channel}", "، عدد الإرسالات: {deliveries}"),
    "announcement_waits": ("لم يُعلن عنه بعد: صفحته غير موجودة", " ({where})"),
    "announcement_given_up": ("لم يُعلن عنه لأحد: لم تظهر صفحته", " ({where})"),
    "delivered": ("أُرسل", " عبر {channel}", "، عدد المشتركين: {count}"),
    SO_FAR: ("أُرسل", " عبر {channel}", "، إلى {count} من أصل {of} من المشتركين"),
    "delivery_failed": (
        "فشل إرسال",
        " عبر {channel}",
        "، عدد المشتركين: {count}",
        " بالحالة {status}",
        "، والسبب: {why}",
        "، عدد المحاولات حتى الآن: {times}",
        "؛ المحاولة التالية: {next_try}",
    ),
    "gone": ("اختفى", ": {surface}"),
}
# Where readers could meet an article, as services name it, in words.
_SURFACES: dict[str, dict[str, str]] = {
    "en": {
        "page": "its page",
        "copies": "the files beside its page",
        "addresses": "its former addresses",
        "lists": "the lists",
        "feeds": "the feeds",
        "sitemaps": "the sitemaps",
        "related-blocks": "other articles’ pages",
        "pictures": "the picture files, but for pictures that others show",
        "previews": "a preview link",
        "search": "the search",
        "related-sets": "the related sets",
    },
    "fr": {
        "page": "sa page",
        "copies": "les fichiers à côté de sa page",
        "addresses": "ses anciennes adresses",
        "lists": "les listes",
        "feeds": "les flux",
        "sitemaps": "les plans du site",
        "related-blocks": "les pages des autres articles",
        "pictures": "les fichiers d’images, sauf celles que d’autres montrent",
        "previews": "un lien d’aperçu",
        "search": "la recherche",
        "related-sets": "les articles liés",
    },
    "ar": {
        "page": "صفحته",
        "copies": "الملفات المجاورة لصفحته",
        "addresses": "عناوينه السابقة",
        "lists": "القوائم",
        "feeds": "الخلاصات",
        "sitemaps": "خرائط الموقع",
        "related-blocks": "صفحات المقالات الأخرى",
        "pictures": "ملفات الصور، عدا ما تعرضه مقالات أخرى",
        "previews": "رابط معاينة",
        "search": "البحث",
        "related-sets": "مجموعات المقالات ذات الصلة",
    },
}
# The channels, as publish names them, in words.
_CHANNELS: dict[str, dict[str, str]] = {
    "en": {
        "web_push": "browser alert",
        "email": "mail",
        "websub": "WebSub",
        "indexnow": "IndexNow",
        "apprise": "Apprise",
    },
    "fr": {
        "web_push": "alerte du navigateur",
        "email": "courriel",
        "websub": "WebSub",
        "indexnow": "IndexNow",
        "apprise": "Apprise",
    },
    "ar": {
        "webhook": "ويب هوك",
        "web_push": "تنبيهات المتصفح",
        "email": "البريد الإلكتروني",
        "websub": "WebSub",
        "indexnow": "IndexNow",
        "apprise": "Apprise",
    },
}
# Why no answer came, as publish names it, in words.
_REASONS: dict[str, dict[str, str]] = {
    "en": {
        "silent": "no answer in time",
        "unreachable": "no connection in time",
        "closed": "the connection was refused",
        "unknown-name": "the name of its host is not known",
        "insecure": "no secure connection could be made",
        "hung-up": "the connection broke off without an answer",
        "garbled": "the answer could not be read",
        "not-allowed": "its address may not be reached from here",
        "unusable": "its address or its keys cannot be used",
        "not-set-up": "this channel is not set up",
        "list-missing": "a list or feed that shows it was not built",
    },
    "fr": {
        "silent": "pas de réponse à temps",
        "unreachable": "pas de connexion à temps",
        "closed": "connexion refusée",
        "unknown-name": "le nom du serveur est inconnu",
        "insecure": "aucune connexion sûre n’a pu être établie",
        "hung-up": "la connexion a été coupée sans réponse",
        "garbled": "la réponse était illisible",
        "not-allowed": "cette adresse ne peut pas être jointe d’ici",
        "unusable": "cette adresse ou ses clés sont inutilisables",
        "not-set-up": "ce canal n’est pas configuré",
        "list-missing": "une liste ou un flux qui le montre n’a pas été construit",
    },
    "ar": {
        "silent": "لم يصل رد في الوقت المحدد",
        "unreachable": "لم يتم الاتصال في الوقت المحدد",
        "closed": "رُفض الاتصال",
        "unknown-name": "اسم الخادم غير معروف",
        "insecure": "تعذّر إنشاء اتصال آمن",
        "hung-up": "انقطع الاتصال دون رد",
        "garbled": "تعذّرت قراءة الرد",
        "not-allowed": "لا يُسمح بالوصول إلى هذا العنوان من هنا",
        "unusable": "لا يمكن استعمال هذا العنوان أو مفاتيحه",
        "not-set-up": "هذه القناة غير مهيأة",
        "list-missing": "لم تُبنَ قائمة أو خلاصة تعرضه",
    },
}
# What the report of a kill says in one sentence: never public, complete, not yet complete.
_REPORTS = {
    "en": (
        "It was never public: there was nothing to take away.",
        "It is gone from everywhere that readers could meet it.",
        "It is not gone from everywhere yet; this report is complete as soon as it is.",
    ),
    "fr": (
        "Il n’a jamais été public : il n’y avait rien à retirer.",
        "Il a disparu de partout où des lecteurs pouvaient le rencontrer.",
        "Il n’a pas encore disparu de partout ; ce rapport sera complet dès que ce sera fait.",
    ),
    "ar": (
        "لم يُنشر قط، فلم يكن هناك ما يُزال.",
        "اختفى من كل موضع كان يمكن للقراء أن يجدوه فيه.",
        "لم يختفِ من كل موضع بعد، وسيكتمل هذا التقرير حالما يتم ذلك.",
    ),
}
SENTENCES = {"en": _ENGLISH, "fr": _FRENCH, "ar": _ARABIC}


class _Counting(Formatter):
    """Formats {count:one|many} as the noun that fits the number: in French, none and one are alike."""

    def __init__(self, language: str) -> None:
        self._one = {"0", "1"} if language == "fr" else {"1"}

    def format_field(self, value: Any, format_spec: str) -> str:
        if "|" not in format_spec:
            return str(super().format_field(value, format_spec))
        one, _, many = format_spec.partition("|")
        return one if str(value) in self._one else many


_FORMATTERS = {language: _Counting(language) for language in ("en", "fr", "ar")}


def surface_name(surface: str, language: str = "en") -> str:
    """A surface in words; one that is not known as it is named."""
    return _SURFACES[language].get(surface, surface)


def report_sentence(*, nothing: bool, complete: bool, language: str = "en") -> str:
    """What the report of a kill says in one sentence. nothing: there was nothing to be taken away."""
    never, done, waiting = _REPORTS[language]
    if nothing:
        return never
    return done if complete else waiting


def sentence(step: str, detail: Detail, language: str = "en") -> str:
    """The step as a sentence; an unknown step by its name. What the detail does not have is left out."""
    if step == "delivered" and detail.get("of"):
        step = SO_FAR
    first, *parts = SENTENCES[language].get(step, (step.replace("_", " ").capitalize(),))
    if detail.get("surface"):
        detail = {**detail, "surface": surface_name(str(detail["surface"]), language)}
    if detail.get("channel"):
        channel = str(detail["channel"])
        detail = {**detail, "channel": _CHANNELS[language].get(channel, channel)}
    if detail.get("why"):
        detail = {**detail, "why": _REASONS[language].get(str(detail["why"]), detail["why"])}
    counting = _FORMATTERS[language]
    words = [counting.vformat(first, (), detail) if "{" in first and "revision" in detail else first]
    for part in parts:
        names = [name for _, name, _, _ in Formatter().parse(part) if name]
        if all(detail.get(name) is not None for name in names):
            words.append(counting.vformat(part, (), detail))
    text = "".join(words)
    return text if text.endswith((".", "!", "?", "…", "؟")) else f"{text}."


def mark(step: str, change: int, detail: Detail) -> str:
    """16 hex digits that are the same for the same fact."""
    fact = json.dumps([step, change, dict(detail)], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(fact.encode(), digest_size=8).hexdigest()
