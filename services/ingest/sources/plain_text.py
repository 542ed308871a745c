"""Plain text bodies: paragraphs at blank lines, single line ends kept as breaks."""

from __future__ import annotations

import html
import re

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")


def to_html(text: str) -> str:
    """The HTML of a plain text whose line ends are \\n; nothing in it is markup."""
    paragraphs = (html.escape(part.strip(), quote=False) for part in _BLANK_LINES.split(text))
    return "\n".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in paragraphs if part)
