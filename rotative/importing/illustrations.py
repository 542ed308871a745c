"""The pictures inside a WordPress text: taken out of it, with what is said of each, to be fetched.

An article shows pictures beside its text, each with its caption; its body holds none. What only held a picture goes
with it, so that nothing empty is left.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

from rotative.importing.items import PictureElsewhere

# ingest takes no more of one article; the first may be the one that leads.
PICTURES_MOST = 29
_DEEPEST = 4
# None of these reads the same sign twice, however much is opened and not closed.
_CAPTION = re.compile(r"\[caption\b[^\[\]]*\]((?:(?!\[caption\b).)*?)\[/caption\]", re.DOTALL | re.IGNORECASE)
_FIGURE = re.compile(r"<figure\b[^<>]*>((?:(?!<figure\b).)*?)</figure>", re.DOTALL | re.IGNORECASE)
# A text in quotation marks may hold signs that would end a tag.
_IMAGE = re.compile(r"<img\b(?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}')*+>", re.IGNORECASE)
_FIGCAPTION = re.compile(r"<figcaption\b[^<>]*>((?:(?!<figcaption\b).)*?)</figcaption>", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(src|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_EMPTY = re.compile(r"<(a|p|div|span|li|ul|figure)\b[^<>]*>(?:\s|&nbsp;|<br ?/?>)*</\1>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
# What a figure may hold besides a picture and its caption.
_CONTENT = re.compile(r"<(?:table|blockquote|pre|iframe|video|audio)\b", re.IGNORECASE)


def plain(text: str) -> str:
    """A text of WordPress's, which may hold HTML, as one line of plain text."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def without_pictures(text: str, base: str) -> tuple[str, list[PictureElsewhere]]:
    """A post's content without its pictures, and these in their order. base: the post's address."""
    found: list[tuple[int, PictureElsewhere]] = []

    def take(inner: str, caption: str) -> None:
        for image in _IMAGE.findall(inner):
            picture = _picture(image, caption, base)
            if picture is not None:
                found.append((text_before.find(image), picture))
                caption = ""

    def captioned(match: re.Match[str]) -> str:
        if not _IMAGE.search(match[1]):
            return match[1]
        take(match[1], plain(match[1]))
        return ""

    def figure(match: re.Match[str]) -> str:
        inner = match[1]
        if _CONTENT.search(inner):
            return match[0]
        captions = " ".join(_FIGCAPTION.findall(inner))
        if _IMAGE.search(inner):
            take(inner, plain(captions))
            return ""
        return match[0] if plain(_FIGCAPTION.sub("", inner)) else ""

    def bare(match: re.Match[str]) -> str:
        take(match[0], "")
        return ""

    if "<img" not in text.lower():
        return text, []
    text_before = text
    text = _CAPTION.sub(captioned, text)
    # Galleries are figures of figures.
    for _ in range(_DEEPEST):
        before, text = text, _FIGURE.sub(figure, text)
        if text == before:
            break
    text = _IMAGE.sub(bare, text)
    for _ in range(_DEEPEST):
        before, text = text, _EMPTY.sub("", text)
        if text == before:
            break
    found.sort(key=lambda one: one[0])
    return text, [picture for _, picture in found[:PICTURES_MOST]]


def _picture(image: str, caption: str, base: str) -> PictureElsewhere | None:
    values = {name.lower(): html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(image)}
    try:
        url = urljoin(base, values.get("src", "").strip())
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname or len(url) > 2000:
            return None
    except ValueError:
        return None
    return PictureElsewhere(url, plain(values.get("alt", ""))[:500], caption[:1000])
