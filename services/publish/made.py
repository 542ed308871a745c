"""What a build makes of a page, before it is put in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.events import PublicArticle


@dataclass(frozen=True)
class Made:
    """What a page is to be. content: None when there is to be no page; gone: the content is a tombstone.

    beside: files that stand beside it; None keeps the one that is
    there. used: the articles that it shows, or would if they were live; None where nobody needs to know.
    """

    content: bytes | None
    used: frozenset[UUID] | None = None
    article: PublicArticle | None = None
    gone: bool = False
    beside: Mapping[str, bytes | None] = field(default_factory=dict)
