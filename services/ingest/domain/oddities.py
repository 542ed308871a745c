"""What an editor would want to know before readers see it: signs of a text that was taken from a web page badly.

Nothing is changed for it; each comes back as a warning.
"""

from __future__ import annotations

import html
import re
import unicodedata

from services.ingest.domain.bodies import Notice

_POINTER = "/body/text"
_MARKUP = re.compile(r"<[^>]*>")
_BLOCK_END = re.compile(r"</(?:p|h[1-6]|li|blockquote|pre|figcaption|td|th|dd|dt|caption)>|<br ?/?>")
_TAIL, _HEAD = 600, 1500
_ENDS = " .…:!?؟،-–—«»‹›<>→←▸►▶•*|[]()\"'\u00a0\u202f\u200e\u200f\t"

# A whole paragraph that says no more than this was never text. Compared folded: without capitals, accents and
# marks, and without signs at its ends.
_PLACEHOLDERS = frozenset(
    {
        "loading", "please wait", "chargement", "chargement en cours", "patientez", "veuillez patienter",
        "جار التحميل", "جاري التحميل", "يرجي الانتظار", "advertisement", "publicite", "اعلان",
        "undefined", "object object",
    }
)  # fmt: skip
# A last paragraph like this is a headline of a list that stood beside the article.
_LAST_LINES = frozenset(
    {
        "you may also like", "you might also like", "read more", "read also", "also read", "related articles",
        "related stories", "related content", "more on this story", "recommended for you", "recommended", "see also",
        "share this article", "share this",
        "vous aimerez aussi", "vous aimerez peut-etre aussi", "vous aimerez egalement", "vous pourriez aussi aimer",
        "vous pourriez egalement aimer", "cela peut vous interesser", "ceci peut vous interesser", "a lire aussi",
        "a lire egalement", "lire aussi", "lire egalement", "lire la suite", "a voir aussi", "voir aussi",
        "sur le meme sujet", "dans la meme rubrique", "articles lies", "articles similaires", "partager cet article",
        "partager",
        "اقرا ايضا", "اقرا المزيد", "اقرا كذلك", "قد يعجبك ايضا", "قد يعجبك", "قد يهمك ايضا", "شاهد ايضا", "انظر ايضا",
        "مواضيع ذات صلة", "مقالات ذات صلة", "اخبار ذات صلة", "مواضيع متعلقة", "شارك المقال", "شارك هذا المقال",
    }
)  # fmt: skip
_SIGNS = ("loading", "lorem ipsum", "chargement", "التحميل", "please wait", "patientez", "advertisement", "publicit",
          "علان", "undefined", "[object", "patienter", "الانتظار")  # fmt: skip


def oddities(headline: str, body_html: str) -> list[Notice]:
    """Warnings about placeholder text, leftovers of a list at the end, and a headline repeated as the first line."""
    notices: list[Notice] = []
    lowered = body_html.casefold()
    if "lorem ipsum" in lowered:
        notices.append(Notice(_POINTER, "placeholder-text", "The body holds “Lorem ipsum”: is this the final text?"))
    if any(sign in lowered for sign in _SIGNS):
        found = [line for line in _lines(body_html) if _bare(line) in _PLACEHOLDERS]
        for line in dict.fromkeys(found[:5]):
            detail = f"The body holds a line that says only “{line[:60]}”: was it left by a web page?"
            notices.append(Notice(_POINTER, "placeholder-text", detail))
    lines = _lines(body_html[-_TAIL:])
    if lines and _bare(lines[-1]) in _LAST_LINES:
        detail = f"The body ends with “{lines[-1][:60]}”: was it left by a web page?"
        notices.append(Notice(_POINTER, "leftover-at-the-end", detail))
    first = next(iter(_lines(body_html[:_HEAD])), "")
    if first and _folded(first) == _folded(headline):
        notices.append(Notice(_POINTER, "headline-repeated", "The body's first line is the headline again."))
    return notices


def _lines(source: str) -> list[str]:
    text = html.unescape(_MARKUP.sub("", _BLOCK_END.sub("\n", source)))
    return [line for line in (" ".join(one.split()) for one in text.split("\n")) if line]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().strip(" .…:!?\u00a0\u202f\t")


def _bare(text: str) -> str:
    """A short line as the lists above have it; of Arabic, with one form of alif and of ya."""
    plain = unicodedata.normalize("NFKD", text[:100].casefold()).replace("’", "'").replace("ى", "ي").replace("ـ", "")
    return "".join(c for c in plain if not unicodedata.combining(c)).strip(_ENDS)
