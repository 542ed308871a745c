"""Former addresses of articles, here or on another system, in the one form that redirects know."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote_to_bytes

from services.ingest.domain.texts import PATH_MAX, BadText
from shared.newsroom import RESERVED_SEGMENTS

# Besides letters, digits and -._~, as segments of paths have them (RFC 3986 section 3.3).
_PLAIN = "!&'()*+,=:@"
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What redirects cannot hold, percent-encoded or not: a web server reads these signs in its own map of them.
_IMPOSSIBLE = re.compile(rb'[\x00-\x20"$;\\{}\x7f]')
_NO_PATH = "Not a valid path: it begins with one /, and has no ?, no # and no empty part."
_NO_SIGN = "Not a valid path: no redirect can hold spaces, control characters or one of {signs}."


def old_path(text: str) -> str:
    """The path of an address as URIs write it: accents and other scripts in UTF-8 and percent-encoded.

    text: as people or URIs write it; one written both ways gives one path. Raises BadText for what is no path, and for
    an address of the system's own. Source: RFC 3987 section 3.1, RFC 3986 section 6.2.2.
    """
    path = unicodedata.normalize("NFC", text)
    parts = path.removeprefix("/").removesuffix("/").split("/")
    if not path.startswith("/") or "?" in path or "#" in path or "" in parts or _BROKEN_ESCAPE.search(path):
        raise BadText("wrong-type", _NO_PATH)
    plain = [unquote_to_bytes(part) for part in parts]
    if any(_IMPOSSIBLE.search(part) for part in plain):
        raise BadText("wrong-type", _NO_SIGN.format(signs='" $ ; \\ { }'))
    if plain[0].decode("utf-8", "replace") in RESERVED_SEGMENTS or plain[0] in {b".", b".."}:
        raise BadText("reserved", f"/{plain[0].decode('utf-8', 'replace')} is an address of the system's own")
    if b"." in plain or b".." in plain:
        raise BadText("wrong-type", _NO_PATH)
    made = "/" + "/".join(quote(part, safe=_PLAIN) for part in plain) + ("/" if path.endswith("/") else "")
    if len(made) > PATH_MAX:
        raise BadText("too-long", f"has {len(made)} characters; should have at most {PATH_MAX}")
    return made
