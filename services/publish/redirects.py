"""Addresses that have been given up and lead elsewhere: former addresses of articles, and those made by hand.

They answer 301 from files, as pages do: one file for the embedded server, and a map for the web server in front. A page
or a tombstone at the same address wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from services.publish.build import Builder
from services.publish.kinds import EXPORT_REDIRECTS
from services.publish.models import Redirect
from services.publish.store import Known
from shared import clock, jobs
from shared.db import per_dialect
from shared.errors import Fault, Unprocessable
from shared.events import PublicArticle
from shared.jobs import Claim

MAP_FILE = "redirects.map"
# The map holds every redirect, so it is written seldom; until then the application answers.
EXPORT_AFTER = timedelta(seconds=5)
MOST_IN_MAP = 500_000

_redirects: Table = Redirect.__table__  # type: ignore[assignment]


def follow(
    session: Session,
    builder: Builder,
    before: Mapping[UUID, Known],
    articles: Sequence[PublicArticle],
    *,
    now: datetime,
) -> None:
    """Have the former addresses of these articles lead to their present ones; what was made by hand stays.

    Those of a killed article are gone as the article is, until it is restored.
    """
    rows = []
    killed: list[UUID] = []
    for article in articles:
        known = before.get(article.id)
        paths = former_addresses(article, known)
        if article.status == "killed" and paths:
            killed.append(article.id)
            _bury(builder, article, paths)
        else:
            rows += [{"path": path, "target": article.path, "article_id": article.id, "made_at": now} for path in paths]
    if not rows and not killed:
        return
    if killed:
        session.execute(delete(_redirects).where(_redirects.c.article_id.in_(killed)))
    if rows:
        session.connection().execute(_follow(session), rows)
    builder.purge(session, [path for article in articles for path in article.old_paths])
    for row in rows:
        path = str(row["path"])
        builder.site.redirect(path, str(row["target"]))
        if builder.site.read(path) is None:
            builder.site.remove(path)  # a tombstone from the time when its article was killed
    if killed:
        jobs.add(session, EXPORT_REDIRECTS, "all", lane="urgent", run_at=now)
    else:
        jobs.add(session, EXPORT_REDIRECTS, "all", lane="normal", run_at=now + EXPORT_AFTER)


def former_addresses(article: PublicArticle, known: Known | None) -> list[str]:
    """The addresses that an article had before, as servers see them: those said of it, and the one held of it."""
    former = {unquote(path).rstrip("/") for path in article.old_paths}
    if known is not None:
        former.add(known.teaser.path)
    return [path for path in sorted(former - {article.path}) if _is_path(path)]


def _bury(builder: Builder, article: PublicArticle, paths: Sequence[str]) -> None:
    tombstone = builder.withdrawn_page(article.language, article.status)
    for path in paths:
        builder.site.redirect(path, None)
        if builder.site.read(path) is None:  # else another article stands there now
            builder.site.bury(path, tombstone)


@per_dialect
def _follow(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_redirects)
    return statement.on_conflict_do_update(
        index_elements=["path"],
        set_={"target": statement.excluded.target, "article_id": statement.excluded.article_id},
        where=_redirects.c.article_id.is_not(None),
    )


@per_dialect
def _put(insert: Callable[[Table], Any]) -> Any:
    statement = insert(_redirects)
    return statement.on_conflict_do_update(
        index_elements=["path"],
        set_={name: statement.excluded[name] for name in ("target", "article_id", "made_at")},
    )


def put(session: Session, path: str, target: str, *, builder: Builder, now: datetime) -> dict[str, Any]:
    """Have an address lead elsewhere, by hand; what is held of it. target: a path of this site or an absolute URL.

    Raises Unprocessable for what is no address, for one that is in use, and for one that would lead to itself.
    """
    path = unquote(path).rstrip("/") or "/"
    faults = []
    if "?" in path or "#" in path:
        text = "The path should have no ? and no #: what follows them is not looked at. Name the path before them."
        faults.append(Fault("/path", "path", text))
    elif not _is_path(path) or path == "/" or path.startswith(("/v1/", "/assets/", "/media/")):
        faults.append(Fault("/path", "path", "The path should be one of this site, like /2019/un-article."))
    elif builder.site.read(path) is not None:
        faults.append(Fault("/path", "taken", f"A page stands at {path}: it would never lead elsewhere."))
    if not _is_target(target):
        faults.append(Fault("/target", "url", "The target should be a path of this site or an http(s) address."))
    elif not faults:
        seen = {path}
        at: str | None = _own_path(target, builder.newsroom.base_url)
        while at is not None:
            if at in seen:
                faults.append(Fault("/target", "loop", f"{target} leads back to {path}."))
                break
            seen.add(at)
            at = session.scalar(select(_redirects.c.target).where(_redirects.c.path == at))
            at = _own_path(at, builder.newsroom.base_url) if at is not None else None
    if faults:
        raise Unprocessable(errors=faults)
    row = {"path": path, "target": target, "article_id": None, "made_at": now}
    session.connection().execute(_put(session), row)
    builder.site.redirect(path, target)
    builder.purge(session, [path])
    jobs.add(session, EXPORT_REDIRECTS, "all", lane="normal", run_at=now + EXPORT_AFTER)
    return row


def take_back(session: Session, path: str, *, builder: Builder, now: datetime) -> bool:
    """Give up a redirect; False when there is none."""
    path = unquote(path).rstrip("/")
    found = session.execute(delete(_redirects).where(_redirects.c.path == path).returning(_redirects.c.path)).first()
    if found is not None:
        builder.site.redirect(path, None)
        builder.purge(session, [path])
        jobs.add(session, EXPORT_REDIRECTS, "all", lane="normal", run_at=now + EXPORT_AFTER)
    return found is not None


def listed(session: Session, after: str, most: int) -> list[dict[str, Any]]:
    """The next redirects in the order of their paths, after this one ("" begins)."""
    statement = select(_redirects).where(_redirects.c.path > after).order_by(_redirects.c.path).limit(most)
    return [dict(row._mapping) for row in session.execute(statement)]


def export(claim: Claim, *, builder: Builder) -> None:
    """Write the map that the web server reads, and mend the files that the application reads."""
    with claim.finish() as session:
        lines: list[str] = []
        after = ""
        while len(lines) < MOST_IN_MAP and (rows := listed(session, after, 1000)):
            after = rows[-1]["path"]
            for row in rows:
                if builder.site.redirected(row["path"]) != row["target"]:
                    builder.site.redirect(row["path"], row["target"])
                lines.append(f'"{_escaped(row["path"])}" "{_escaped(location_of(row["target"]))}";\n')
        builder.site.write_map(MAP_FILE, "".join(lines).encode())


def astray(session: Session, builder: Builder) -> list[str]:
    """The redirects that the site's files do not know, or lead elsewhere."""
    found: list[str] = []
    after = ""
    while rows := listed(session, after, 1000):
        after = rows[-1]["path"]
        found += [row["path"] for row in rows if builder.site.redirected(row["path"]) != row["target"]]
    return found


def ask_for_export(session: Session) -> None:
    """Have the map written again."""
    jobs.add(session, EXPORT_REDIRECTS, "all", lane="bulk", run_at=clock.now())


def location_of(target: str) -> str:
    """A target as a Location header has it: only signs that an address may hold."""
    return quote(target, safe="/:?#[]@!&'()*+,;=%-._~")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _is_path(path: str) -> bool:
    plain = path.isprintable() and not any(sign in path for sign in ' "\\{};$')
    return plain and path.startswith("/") and not path.startswith("//") and ".." not in path and len(path) <= 600


def _is_target(target: str) -> bool:
    if target.startswith("/"):
        return _is_path(target.partition("#")[0].partition("?")[0]) and target.isprintable() and " " not in target
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    plain = target.isprintable() and " " not in target and '"' not in target
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain and len(target) <= 2000


def _own_path(target: str, base_url: str) -> str | None:
    own = target.removeprefix(base_url)
    return (own.partition("#")[0].partition("?")[0].rstrip("/") or "/") if own.startswith("/") else None
