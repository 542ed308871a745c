"""What of an article's body is kept: the allow-list of HTML, and an account of what was taken away."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

import nh3

from services.ingest.domain.nesting import check_nesting
from services.ingest.domain.texts import BODY_MAX, BadText, clean_block, turns_text
from services.ingest.sources import markdown, plain_text

FORMATS = ("html", "markdown", "text")

_names = str.split

# Headings are moved below the page's h1 afterwards; h5 and h6 become h4.
ALLOWED_TAGS = frozenset(
    _names("""
    p br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre figure figcaption
    table caption thead tbody tfoot tr th td
    a em strong b i u s del ins mark small sup sub code kbd abbr cite q dfn time bdi bdo span
    """)
)
ALLOWED_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"lang", "dir"},
    "a": {"href", "title", "hreflang"},
    "abbr": {"title"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "ol": {"start", "reversed"},
    "li": {"value"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "time": {"datetime"},
}
ALLOWED_SCHEMES = frozenset({"http", "https", "mailto"})
# Taken away with all that is in them.
REMOVED_WHOLE = frozenset(
    _names("""
    script style template iframe object embed applet noscript noembed noframes svg math textarea select option title
    xmp plaintext audio video canvas form
    """)
)
# A body of nothing but signs grows when they are escaped; this bounds the page, not what an editor may write.
HTML_MAX = 2_000_000

# Browsers take /\\ for //, and pass over tabs and line ends: what follows would be another site's name.
_HERE = re.compile(r"/(?![/\\])[^\x00-\x1f\\]*")
_CITED = re.compile(rf"https?://[^\x00-\x20]+|{_HERE.pattern}", re.IGNORECASE)
_LINK_REL = "noopener noreferrer"
_CLEANER = nh3.Cleaner(
    tags=set(ALLOWED_TAGS),
    clean_content_tags=set(REMOVED_WHOLE),
    attributes=ALLOWED_ATTRIBUTES,
    url_schemes=set(ALLOWED_SCHEMES),
    link_rel=_LINK_REL,
    strip_comments=True,
    # Within the site only: any other relative address would lead elsewhere on each page and in feeds.
    url_relative=lambda url: url if _HERE.fullmatch(url) else None,
    # Not looked at by the cleaner, which knows only addresses that browsers follow.
    attribute_filter=lambda _tag, name, value: value if name != "cite" or _CITED.fullmatch(value) else None,
)
_TAG = re.compile(r"<([a-zA-Z][^\s/>]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]*))?")
# Blocks that mean nothing here, as mail programs and page builders write a paragraph each; their ends would be lost.
_BLOCK = re.compile(
    r"<(/?)(?:div|section|article|header|footer|main|aside|nav|center|address|details|summary|fieldset|legend|hgroup)"
    r"(?=[\s/>])",
    re.IGNORECASE,
)
_BARE_PARAGRAPH = re.compile(r"<p(?: (?:lang|dir)=\"[^\"]*\")*>\s*</p>\s*")
_HEADING = re.compile(r"<(/?)h([1-6])(?=[ >])")
# A quick sign of something to read; an entity may be a space.
_WORD = re.compile(r"(?:\A|>)\s*[^<&\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_UNSEEN = re.compile(r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
_MARKUP = re.compile(r"<[^>]*>")
_WARNINGS_MAX = 20
K = TypeVar("K")
_POINTER = "/body/text"


@dataclass(frozen=True)
class Notice:
    """A warning: accepted, but not as it was sent. pointer: JSON Pointer; code: stable; detail: what was changed."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True)
class Body:
    """An accepted body. text: as the editor wrote it (sanitised when it is HTML); html: what readers get."""

    format: str
    text: str
    html: str
    notices: tuple[Notice, ...] = ()


_TURNED = Notice(_POINTER, "direction-override-removed", "Signs that turn text around were taken out.")


def make_body(format: str, text: str) -> Body:
    """The body of an article from its text in one of FORMATS, sanitised to the allow-list above.

    Raises BadText when it is too long, holds what is no text, is built to harm, or shows readers nothing.
    """
    if len(text) > BODY_MAX:
        raise BadText("too-long", f"Longer than {BODY_MAX} characters: it has {len(text)}.")
    notices = []
    if turns_text(text):
        notices.append(_TURNED)
    text = clean_block(text).strip()
    match format:
        case "text":
            kept = plain_text.to_html(text)
        case "markdown":
            kept = _sanitised(markdown.to_html(text), notices)
        case _:
            kept = text = _sanitised(text, notices)
    if not _WORD.search(kept) and not _UNSEEN.sub("", html.unescape(_MARKUP.sub("", kept))):
        raise BadText("empty", "Shorter than 1 character, as readers see it: write the article's text.")
    if len(kept) > HTML_MAX:
        raise BadText("too-long", f"Longer than {HTML_MAX} characters once it is HTML.")
    return Body(format, text, kept, tuple(notices))


def _sanitised(source: str, notices: list[Notice]) -> str:
    check_nesting(source)
    # Once more after parsing: a character reference may stand for what no text may hold.
    cleaned = _CLEANER.clean(source)
    if _BLOCK.search(source):
        # An allowed element may lie in one of them: paragraphs end where it begins, and leave empty ones behind.
        cleaned = _BARE_PARAGRAPH.sub("", _CLEANER.clean(_BLOCK.sub(r"<\1p", source))).strip()
    if turns_text(cleaned):
        notices.append(_TURNED)
    kept = clean_block(cleaned)
    # Clean HTML gains nothing but the rel of its links; it need not be counted.
    if kept.replace(f' rel="{_LINK_REL}"', "") != source:
        notices.extend(_taken_away(source, kept))
    return _headings_below_the_first(kept, notices).strip()


def _headings_below_the_first(source: str, notices: list[Notice]) -> str:
    levels = {level for _, level in _HEADING.findall(source)}
    if not levels & {"1", "5", "6"}:
        return source
    down = 1 if "1" in levels else 0
    notices.append(Notice(_POINTER, "headings-moved", "Headings were moved to the levels 2 to 4."))
    return _HEADING.sub(lambda found: f"<{found[1]}h{min(4, int(found[2]) + down)}", source)


def _taken_away(before: str, after: str) -> list[Notice]:
    """What is in one HTML text and no more in the other, by element and by attribute."""
    tags_before, attributes_before = _counts(before)
    tags_after, attributes_after = _counts(after)
    notices = [
        Notice(_POINTER, "element-removed", f"<{tag}> was taken out{_times(gone)}.")
        for tag, gone in _fewer(tags_before, tags_after)
    ]
    for (tag, attribute), gone in _fewer(attributes_before, attributes_after):
        if tags_after[tag] < tags_before[tag] and tag not in ALLOWED_TAGS:
            continue  # gone with its element
        if tag == "a" and attribute == "rel":
            continue  # replaced by our own
        if attribute in {"href", "cite"} and attribute in ALLOWED_ATTRIBUTES.get(tag, ()):
            detail = (
                f"The address of <{tag}> was taken out{_times(gone)}: it may begin with http:, https:, mailto: or /."
            )
            notices.append(Notice(_POINTER, "address-removed", detail))
        else:
            detail = f"{attribute} was taken out of <{tag}>{_times(gone)}."
            notices.append(Notice(_POINTER, "attribute-removed", detail))
    if "<!--" in before:
        notices.append(Notice(_POINTER, "comment-removed", "Comments were taken out."))
    if len(notices) > _WARNINGS_MAX:
        more = len(notices) - _WARNINGS_MAX
        notices[_WARNINGS_MAX:] = [Notice(_POINTER, "more-removed", f"{more} other kinds of markup were taken out.")]
    return notices


def _counts(source: str) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    tags: Counter[str] = Counter()
    attributes: Counter[tuple[str, str]] = Counter()
    for name, rest in _TAG.findall(source):
        tag = name.lower()[:40]
        tags[tag] += 1
        if rest and not rest.isspace():
            attributes.update((tag, attribute.lower()[:40]) for attribute in _ATTRIBUTE.findall(rest))
    return tags, attributes


def _fewer(before: Counter[K], after: Counter[K]) -> list[tuple[K, int]]:
    return [(key, count - after[key]) for key, count in before.items() if count > after[key]]


def _times(count: int) -> str:
    return "" if count == 1 else f" ({count} times)"
