"""Refuses HTML that is built to keep a parser busy: thousands of elements in one another.

Browsers' parsing rules copy open formatting elements into each following paragraph, so time and size grow with the
product of both: 20,000 unclosed tags cost over a minute and 350 MB (measured with nh3 0.3.8). No article needs that.
"""

from __future__ import annotations

import re

from services.ingest.domain.texts import BadText

ELEMENTS_MAX = 20_000
DEPTH_MAX = 100
FORMATTING_DEPTH_MAX = 16

_names = str.split

_OPENS = re.compile(r"<[a-zA-Z]")
_OPENS_FORMATTING = re.compile(
    r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?![a-z0-9-])", re.IGNORECASE
)
# A construct that a browser's tokeniser reads in one way only; whatever else begins with "<" is not trusted. The
# content of the elements named first is no markup.
_TOKEN = re.compile(
    r"""
    <(?P<raw>script|style|textarea|title|xmp|iframe|noembed|noframes)\b[^<>"']*>.*?(?:</(?P=raw)(?=[\s/>])|\Z)
    | <!--(?!-?>).*?(?:--!?>|\Z)
    | </(?P<close>[a-zA-Z][a-zA-Z0-9-]*)\s*>
    | <(?P<open>[a-zA-Z][a-zA-Z0-9:-]*)
      (?:[\s]+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)* \s* /?>
    | (?P<other><[a-zA-Z/!?])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_VOID = frozenset(_names("area base br col embed hr img input link meta param source track wbr"))
_FORMATTING = frozenset(_names("a b big code em font i nobr s small strike strong tt u"))
# Their end tags may be left out: the next of the same group ends them.
_GROUPS = {
    **dict.fromkeys(("li",), frozenset({"li"})),
    **dict.fromkeys(("dt", "dd"), frozenset({"dt", "dd"})),
    **dict.fromkeys(("td", "th"), frozenset({"td", "th"})),
    "tr": frozenset({"td", "th", "tr"}),
    **dict.fromkeys(("tbody", "thead", "tfoot"), frozenset({"td", "th", "tr", "tbody", "thead", "tfoot"})),
    "option": frozenset({"option"}),
    "p": frozenset({"p"}),
}
# An end tag does not reach out of these.
_SCOPES = frozenset(_names("applet caption html table td th marquee object template"))
# From here on a parser follows other rules than the ones above.
_FOREIGN = frozenset(_names("svg math select frameset template plaintext noscript"))


def check_nesting(html: str) -> None:
    """Raise BadText when a browser's parser may find more than the limits above in it; markup never counts as less."""
    count = len(_OPENS.findall(html))
    if count <= DEPTH_MAX and len(_OPENS_FORMATTING.findall(html)) <= FORMATTING_DEPTH_MAX:
        return  # as most articles do: too few elements to be nested too deep
    if count > ELEMENTS_MAX:
        raise BadText("too-many-elements", f"holds {count} HTML elements; should have at most {ELEMENTS_MAX}")
    open_elements: list[str] = []
    formatting = 0
    trusted = True
    for _, closed, opened, other in _TOKEN.findall(html):
        if closed:
            if trusted:
                formatting -= _close(open_elements, closed.lower())
        elif opened:
            name = opened.lower()
            trusted = trusted and name not in _FOREIGN
            if name in _VOID:
                continue
            if trusted:
                _end_siblings(open_elements, name)
            open_elements.append(name)
            formatting += name in _FORMATTING
            if formatting > FORMATTING_DEPTH_MAX or len(open_elements) > DEPTH_MAX:
                raise BadText(
                    "nested-too-deep",
                    f"has HTML elements nested more than {DEPTH_MAX} deep (or {FORMATTING_DEPTH_MAX} of bold, links "
                    "and the like), or left open; close them",
                )
        elif other:
            # Quotes that do not match, say: what looks like an end tag after it may be none.
            trusted = False


def _end_siblings(open_elements: list[str], name: str) -> None:
    siblings = _GROUPS.get(name, frozenset())
    while open_elements and open_elements[-1] in siblings:
        open_elements.pop()


def _close(open_elements: list[str], name: str) -> int:
    """Take the closed element and what its end ends too off the list; 1 when it was a formatting element."""
    for index in range(len(open_elements) - 1, -1, -1):
        if open_elements[index] == name:
            break
        if open_elements[index] in _SCOPES and name not in _SCOPES:
            return 0
    else:
        return 0
    if name in _FORMATTING:
        del open_elements[index]
        return 1
    # Formatting inside goes on after it until it is closed itself.
    open_elements[index:] = [other for other in open_elements[index + 1 :] if other in _FORMATTING]
    return 0
