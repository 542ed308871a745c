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

# A whole paragraph that says no more than this was never text. Compared folded, without dots at the end.
_PLACEHOLDERS = frozenset(
    {
        "loading", "please wait", "chargement", "chargement en cours", "patientez", "جار التحميل", "جاري التحميل",
        "advertisement", "publicité", "publicite", "إعلان", "undefined", "[object object]",
    }
)  # fmt: skip
# A last paragraph like this is a headline of a list that stood beside the article.
_LAST_LINES = frozenset(
    {
        "you may also like", "read more", "read also", "related articles", "share this article", "see also",
        "à lire aussi", "a lire aussi", "lire aussi", "lire la suite", "voir aussi", "articles liés",
        "partager cet article",
        "اقرأ أيضا", "اقرأ المزيد", "مواضيع ذات صلة", "شارك المقال",
    }
)  # fmt: skip
_SIGNS = ("loading", "lorem ipsum", "chargement", "التحميل", "please wait", "patientez", "advertisement", "publicit",
          "إعلان", "undefined", "[object")  # fmt: skip


def oddities(headline: str, body_html: str) -> list[Notice]:
    """Warnings about placeholder text, leftovers of a list at the end, and a headline repeated as the first line."""
    notices: list[Notice] = []
    lowered = body_html.casefold()
    if "lorem ipsum" in lowered:
        notices.append(Notice(_POINTER, "placeholder-text", "The body holds “Lorem ipsum”: is this the final text?"))
    if any(sign in lowered for sign in _SIGNS):
        found = [line for line in _lines(body_html) if _folded(line) in _PLACEHOLDERS]
        for line in dict.fromkeys(found[:5]):
            detail = f"The body holds a line that says only “{line[:60]}”: was it left by a web page?"
            notices.append(Notice(_POINTER, "placeholder-text", detail))
    lines = _lines(body_html[-_TAIL:])
    if lines and _folded(lines[-1]) in _LAST_LINES:
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
