"""What a build makes of pages, before they are put in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.events import PublicArticle


@dataclass(frozen=True)
class Numbers:
    """The numbers that a list's newest articles get: positions by article; the list's size and name afterwards."""

    positions: Mapping[UUID, int]
    size: int
    name: str


@dataclass(frozen=True)
class Made:
    """What a page is to be. content: None when there is to be no page; gone: the content is a tombstone.

    beside: files that stand beside it; None keeps the one that is there. used: the articles that it shows, or would if
    they were live; None where nobody needs to know. numbers, fact: what is to be held with it, of its list and under
    its path. wanted: the paths of what is to be built because of it. fault: where in the theme and how the page failed;
    without a content the one that is there stays.
    """

    content: bytes | None
    used: frozenset[UUID] | None = None
    article: PublicArticle | None = None
    gone: bool = False
    beside: Mapping[str, bytes | None] = field(default_factory=dict)
    numbers: Numbers | None = None
    fact: str | None = None
    wanted: frozenset[str] = frozenset()
    fault: str = ""


@dataclass(frozen=True)
class Draft:
    """Pages as they should be by what was read in one transaction.

    states: how the articles were held that they show, by id, and those that stand at their paths, by path. check: the
    paths whose files are compared themselves when they are put in place. withdrawn: the last withdrawal of an article.
    """

    made: Mapping[str, Made]
    states: Mapping[UUID | str, frozenset[tuple[UUID, int, str, bool]]]
    check: frozenset[str]
    withdrawn: str | None

    def shown(self, path: str) -> frozenset[UUID]:
        """The articles that the page at this path shows, besides the one that it is of."""
        return self.made[path].used or frozenset()

    def to_lock(self) -> set[UUID]:
        """What must stay while the pages are put in place: their articles, what they show, groups of translations."""
        own = {state[0] for states in self.states.values() for state in states}
        articles = (page.article for page in self.made.values())
        groups = {one.translations for one in articles if one is not None and one.translations is not None}
        return own.union(groups, *(self.shown(path) for path in self.made))
