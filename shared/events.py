"""The facts that services tell each other: one frozen dataclass an event.

An event is a fact, named in the past tense, that carries all a listener needs; its wire form is in `event_schemas.py`,
who hears it in `routing.py`. Times are aware UTC. A new optional field keeps a version; anything else is a new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Byline:
    """Who made an article: a name as readers see it, and an absolute URL or None."""

    name: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A substantive error put right: the note that readers see (plain text) and when."""

    note: str
    corrected_at: datetime


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as an article shows it: which one, and what this article says about it.

    media_id: ingest's; digest: SHA-256 of the original, in hex, its name in the media store. media_type: of the
    original, "image/jpeg". width, height: of the original, in pixels, after its EXIF rotation. alt: what it shows, for
    those who do not see it; "" for one that only decorates. focus_x, focus_y: what a crop must keep, 0 to 1 from the
    left and from the top.
    """

    media_id: UUID
    digest: str
    media_type: str
    width: int
    height: int
    alt: str
    caption: str = ""
    credit: str = ""
    focus_x: float = 0.5
    focus_y: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Retraction:
    """That an article is withdrawn though its page stays: the note that readers see (plain text) and when."""

    note: str
    retracted_at: datetime


@dataclass(frozen=True, kw_only=True)
class PublicArticle:
    """The whole public state of an article at one change.

    change: grows with every accepted change of text or state; a listener drops what is not newer than what it holds.
    revision: numbers texts only. status: live, killed, retracted or expired. path: the page's, "/section/slug".
    body_html: sanitised HTML without h1. first_published_at never moves; updated_at moves on a substantive change only.
    notify: False for imports and the demo; such an article is announced to nobody. images: the first one leads.
    translations: the id that articles share which are the same text in several languages. canonical_url: where the
    text stands first, if not here. old_paths: former addresses, which redirect to path. retraction: of a retracted one.
    live_since: when it went live with this change or an earlier one, whatever date it bears; None where nobody knows.
    """

    id: UUID
    change: int
    revision: int
    status: str
    language: str
    section: str
    slug: str
    path: str
    headline: str
    standfirst: str
    body_html: str
    first_published_at: datetime
    updated_at: datetime
    tags: tuple[str, ...] = ()
    bylines: tuple[Byline, ...] = ()
    corrections: tuple[Correction, ...] = ()
    urgency: int = 4
    notify: bool = True
    images: tuple[Picture, ...] = ()
    translations: UUID | None = None
    source: str = ""
    canonical_url: str | None = None
    evergreen: bool = False
    old_paths: tuple[str, ...] = ()
    retraction: Retraction | None = None
    live_since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """What all events share. `type` ends in its version: "article.killed.v1"."""

    type: ClassVar[str]

    @property
    def subject(self) -> str:
        """What the event is about, for people who watch: an id and a few words, never a body."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ArticleEvent(Event):
    """An article's public state has changed. replayed: said again to fill or mend a listener; never notifies."""

    article: PublicArticle
    replayed: bool = False

    @property
    def subject(self) -> str:
        a = self.article
        return f"{a.id} change {a.change} {a.headline[:40]}"


@dataclass(frozen=True, kw_only=True)
class ArticlePublished(ArticleEvent):
    """An article is live, for the first time or refiled. Said by ingest; heard by publish and recommend."""

    type: ClassVar[str] = "article.published.v1"


@dataclass(frozen=True, kw_only=True)
class ArticleCorrected(ArticleEvent):
    """A live article has a revision that puts a substantive error right; its note is the last of the corrections."""

    type: ClassVar[str] = "article.corrected.v1"


@dataclass(frozen=True, kw_only=True)
class ArticleKilled(ArticleEvent):
    """Never use this article: its page is gone (410) and nothing brings it back. Urgent everywhere."""

    type: ClassVar[str] = "article.killed.v1"


@dataclass(frozen=True, kw_only=True)
class ArticleRetracted(ArticleEvent):
    """A live article is withdrawn: its page stays and says so, and nothing offers it any more. Urgent everywhere."""

    type: ClassVar[str] = "article.retracted.v1"


@dataclass(frozen=True, kw_only=True)
class ArticleExpired(ArticleEvent):
    """A live article's time is over, as was said when it was published; it may be told again with a later one."""

    type: ClassVar[str] = "article.expired.v1"


@dataclass(frozen=True, kw_only=True)
class ArticlePreviewed(Event):
    """A secret link shows an article before readers see it, or (article: None) shows it no more. Heard by publish.

    digest: SHA-256 of the link's last part, in hex. number: grows; a listener drops what is not newer than it holds.
    article: as it will be; its status may be draft or scheduled as well. expires_at: from then on the link is over.
    killed_article, killed_change: of a link that ended because its article was killed, which publish tells of.
    """

    type: ClassVar[str] = "article.previewed.v1"
    id: UUID
    digest: str
    expires_at: datetime
    number: int = 1
    article: PublicArticle | None = None
    killed_article: UUID | None = None
    killed_change: int | None = None

    @property
    def subject(self) -> str:
        return f"{self.id} of {self.article.id}" if self.article else f"{self.id} revoked"


@dataclass(frozen=True, kw_only=True)
class KeyChanged(Event):
    """An API key was made, changed or revoked; each service checks keys by what it holds. Said by ingest.

    digest: SHA-256 of the key, in hex. change: grows; a listener drops what is not newer than what it holds. role: one
    of shared/roles.py. expires_at, revoked_at: from then on it opens nothing; None for never.
    """

    type: ClassVar[str] = "key.changed.v1"
    id: UUID
    change: int
    name: str
    role: str
    digest: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def subject(self) -> str:
        return f"{self.id} {self.role} {self.name[:40]}"


@dataclass(frozen=True, kw_only=True)
class KeyUsed(Event):
    """An API key was used with a service other than ingest, for the first time in a while. Heard by ingest."""

    type: ClassVar[str] = "key.used.v1"
    id: UUID
    used_at: datetime

    @property
    def subject(self) -> str:
        return str(self.id)


@dataclass(frozen=True, kw_only=True)
class RelatedSetEntry:
    """One place of a related set. score: 0 to about 1.2. reason: "text" (near in text) or "latest in section"."""

    article_id: UUID
    score: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class RelatedSet:
    """What to read after one article, best first. set_number grows with every set made and never repeats."""

    article_id: UUID
    set_number: int
    entries: tuple[RelatedSetEntry, ...]


@dataclass(frozen=True, kw_only=True)
class RelatedChanged(Event):
    """Related sets have changed: a new article's own and the older ones that it entered or left.

    Said by recommend; heard by publish, which builds exactly these articles' pages again.
    """

    type: ClassVar[str] = "related.changed.v1"
    sets: tuple[RelatedSet, ...]

    @property
    def subject(self) -> str:
        first = self.sets[0].article_id if self.sets else "nothing"
        count = len(self.sets)
        return f"{count} {'set' if count == 1 else 'sets'}, of {first} first"


@dataclass(frozen=True, kw_only=True)
class ProgressFact:
    """One step of an article's journey.

    step: a stable code ("related_set_made", "page_written", "seen_live", "announced", "delivered", "delivery_failed",
    "announcement_waits", "gone"). at: when it happened. detail: small JSON values that fill the sentence people read.
    """

    article_id: UUID
    change: int
    step: str
    at: datetime
    detail: dict[str, str | int | float | bool | None]


@dataclass(frozen=True, kw_only=True)
class ArticleProgress(Event):
    """Steps of articles' journeys, for their timelines. Said by publish and recommend; heard by ingest."""

    type: ClassVar[str] = "article.progress.v1"
    facts: tuple[ProgressFact, ...]

    @property
    def subject(self) -> str:
        steps = sorted({fact.step for fact in self.facts})
        count = len(self.facts)
        return f"{count} {'fact' if count == 1 else 'facts'}: {', '.join(steps)}"
