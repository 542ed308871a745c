"""Articles as agencies send them: ninjs, known again by their uri."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.actions.articles import accept_article, change_article
from services.ingest.actions.common import Held, Wanted, read_article
from services.ingest.actions.moves import kill_article
from services.ingest.domain import times
from services.ingest.domain.bodies import Notice
from services.ingest.domain.states import Move, Status
from services.ingest.domain.texts import BadText
from shared.errors import Fault, NotFound, Unprocessable
from shared.newsroom import Newsroom
from shared.ninjs import CANCELED, NotNinjs, article_of_ninjs, origin_of
from shared.roles import Actor

_OLDER = Notice("/versionCreated", "older-version", "A newer version is there already; nothing was changed.")
# What a new version of an agency's article may change; its address and its first date stay.
_CHANGED = ("headline", "standfirst", "body", "tags", "bylines", "source", "urgency")


class OriginNotFound(NotFound):
    """No article has this id elsewhere."""

    code = "origin-not-found"


def of_ninjs(sent: Any, newsroom: Newsroom) -> tuple[dict[str, Any] | None, str]:
    """The article that ninjs tells of, as the API takes it, and its origin; None for one that is canceled.

    Sections are known by their keys and by their names in any language. Raises Unprocessable.
    """
    sections = {name.lower(): one.key for one in newsroom.sections for name in (one.key, *one.names.values())}
    uri = sent.get("uri") if isinstance(sent, Mapping) and sent.get("pubStatus") == CANCELED else None
    if isinstance(uri, str) and uri.strip():
        return None, origin_of(uri)
    try:
        article = article_of_ninjs(sent, sections)
    except NotNinjs as wrong:
        raise Unprocessable(errors=[Fault("", "no-ninjs", str(wrong))]) from None
    return article, str(article["origin"])


def version_of(sent: Mapping[str, Any]) -> datetime | None:
    """When the agency made this version; None when it does not say so, or not as a time."""
    for name in ("versionCreated", "versioncreated"):
        if isinstance(sent.get(name), str):
            try:
                return times.instant(sent[name])
            except BadText:
                return None
    return None


def take_ninjs(
    session: Session,
    fields: dict[str, Any] | None,
    *,
    origin: str,
    version_at: datetime | None,
    newsroom: Newsroom,
    by: Actor,
    now: datetime,
) -> Held:
    """Post an agency's article, refile it when it is there already, or kill it when fields is None.

    fields: as the article's schema loaded them. version_at: when the agency made this version; one that is older than
    what is held, which was sent again or came late, changes nothing. Raises what posting, refiling and killing raise;
    OriginNotFound.
    """
    known = store.article_of_origin(session, origin)
    if fields is None:
        if known is None:
            raise OriginNotFound("No article has come with this uri: post it first, or name it by its id.")
        held = read_article(session, known)
        if held.article.status == Status.KILLED:
            return held  # with the reason that the newsroom had
        return kill_article(session, known, reason="canceled by its sender", by=by, now=now)
    if known is None:
        publish = fields.pop("status") == Status.LIVE
        held = accept_article(session, Wanted(**fields), publish=publish, newsroom=newsroom, by=by, now=now)
        if version_at is not None:
            store.set_version_of_origin(session, origin, version_at)
        return held
    held_version = store.version_of_origin(session, origin)
    if version_at is not None:
        if held_version is not None and version_at < held_version:
            return replace(read_article(session, known), warnings=[_OLDER], existing=True)
        store.set_version_of_origin(session, origin, version_at)
    patch = {name: fields[name] for name in _CHANGED if name in fields}
    held = change_article(
        session,
        known,
        patch,
        move=Move.REFILE,
        note_to_readers=None,
        if_match="*",
        newsroom=newsroom,
        by=by,
        now=now,
    )
    return replace(held, existing=True)
