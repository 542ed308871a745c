"""Former addresses: the one form in which each is kept, however it was written or is asked for.

That is a path, composed (NFC), without percent-encoding and without a slash at its end. Of addresses with a query only
those are known that number what they show, as WordPress makes them: /?p=123 for an article, /?page_id=5,
/?attachment_id=7, /?cat=3.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

# As a regular expression of other modules' patterns, without groups that count.
NUMBERED = r"/(?:index\.php)?\?(?:p|page_id|attachment_id|cat)=[1-9][0-9]{0,17}"
_WHOLE = re.compile(r"/(?:index\.php)?\?((?:p|page_id|attachment_id|cat)=[1-9][0-9]{0,17})")
# docker/nginx/nginx.conf has the same; what else a reader's address carries (utm_source=…) is passed over.
_ASKED = re.compile(r"(?:^|&)((?:p|page_id|attachment_id|cat)=[1-9][0-9]{0,17})(?:&|$)")


def kept(address: str) -> str:
    """An address as it is kept: "/2019/été" for "/2019/%C3%A9t%C3%A9/", "/?p=123" for "/index.php?p=123"."""
    if (found := _WHOLE.fullmatch(address)) is not None:
        return f"/?{found[1]}"
    return unicodedata.normalize("NFC", unquote(address)).rstrip("/") or "/"


def asked(path: str, query: str) -> str:
    """The numbered address that a request asks for, as it is kept; "" for any other request."""
    if path not in {"/", "/index.php"} or (found := _ASKED.search(query)) is None:
        return ""
    return f"/?{found[1]}"


def is_numbered(address: str) -> bool:
    """Whether an address, as it is kept, is a numbered one."""
    return _WHOLE.fullmatch(address) is not None
