"""The documentation as tests read it: pages, their code blocks, their headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "services").rglob("*.md")],
    key=lambda page: page.as_posix(),
)

_BLOCK = re.compile(r"^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block of a page. before: the line of text before it."""

    language: str
    text: str
    before: str


def blocks(page: Path, language: str = "") -> list[Block]:
    """The code blocks of a page, in order; of this language, if one is given."""
    text = page.read_text("utf-8")
    found = [
        Block(match["language"], match["text"], text[: match.start()].rstrip().rpartition("\n")[2].strip())
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if not language or block.language == language]


def prose(page: Path) -> str:
    """A page's text without its code blocks."""
    return _BLOCK.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table_rows(page: Path, head: str) -> list[list[str]]:
    """The cells of the rows of the table whose first head is this word."""
    lines = page.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {head} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows
