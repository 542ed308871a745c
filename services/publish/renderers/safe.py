"""The last look at text before it becomes a page: an allow-list for bodies, and no signs that pages cannot carry.

Bodies arrive sanitised. They are sanitised again here, so that neither an old row nor a new bug puts a script before
readers.
"""

from __future__ import annotations

import re

import nh3

_INLINE = (
    "a abbr b bdi bdo br cite code data del dfn em i ins kbd mark q rp rt ruby s samp small span strong sub sup time u "
    "var wbr"
)
_BLOCKS = (
    "blockquote caption col colgroup dd details div dl dt figcaption figure h2 h3 h4 h5 h6 hr li ol p pre summary "
    "table tbody td tfoot th thead tr ul"
)
_BODIES = nh3.Cleaner(
    tags={*_INLINE.split(), *_BLOCKS.split()},
    clean_content_tags={"script", "style", "template", "noscript", "iframe", "object", "svg", "math"},
    attributes={
        "*": {"dir", "lang", "title"},
        "a": {"href", "hreflang", "rel"},
        "abbr": {"title"},
        "blockquote": {"cite"},
        "col": {"span"},
        "colgroup": {"span"},
        "data": {"value"},
        "del": {"cite", "datetime"},
        "ins": {"cite", "datetime"},
        "li": {"value"},
        "ol": {"reversed", "start", "type"},
        "q": {"cite"},
        "td": {"colspan", "rowspan"},
        "th": {"abbr", "colspan", "rowspan", "scope"},
        "time": {"datetime"},
    },
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
    strip_comments=True,
)

# Control characters, halves of surrogate pairs, noncharacters and bidi overrides: in no page, and illegal in XML.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ROOT_RELATIVE = re.compile(r' (href|src|cite)="/(?!/)')


def clean_text(text: str) -> str:
    """Plain text without characters that pages and XML cannot carry; line breaks become blanks."""
    if text.isascii() and text.isprintable():
        return text
    return " ".join(_UNWANTED.sub("", text).split("\n"))


def clean_html(html: str) -> str:
    """A body of allowed markup alone, without characters that pages and XML cannot carry."""
    return _BODIES.clean(_UNWANTED.sub("", html))


def absolute_links(html: str, base_url: str) -> str:
    """A cleaned body whose links from the site's root begin with base_url, for readers who meet it elsewhere."""
    return _ROOT_RELATIVE.sub(rf' \1="{base_url}/', html)
