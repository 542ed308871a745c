"""What the routes share: the newsroom and its schemas, replies, repeated requests, and their description."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import Schema
from sqlalchemy.orm import Session

from services.ingest import actions, store
from services.ingest.actions import Held
from services.ingest.actions.common import body_of
from services.ingest.domain.bodies import Notice
from services.ingest.models import Article, Revision
from services.ingest.schemas import articles as bodies
from shared import clock, http
from shared.errors import BadRequest, Fault, Unprocessable
from shared.newsroom import Newsroom
from shared.words import translated

MERGE_PATCH = "application/merge-patch+json"
NINJS = "application/ninjs+json"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A String of RFC 9651 section 3.3.3.
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass
class Desk:
    """What the routes need besides the database: the newsroom, and the schemas that know its languages and sections."""

    newsroom: Newsroom
    article_body: Schema = field(init=False)
    article_patch: Schema = field(init=False)
    article_put: Schema = field(init=False)
    article_query: Schema = field(init=False)

    def __post_init__(self) -> None:
        """Make the schemas once: making one costs more than using it."""
        self.article_body = bodies.ArticleBody(self.newsroom)
        self.article_patch = bodies.ArticlePatch(self.newsroom)
        self.article_put = bodies.ArticlePut(self.newsroom)
        self.article_query = bodies.ArticleQuery(self.newsroom)


@dataclass(frozen=True)
class Answer:
    """A response in the making. body: JSON values, or None for none; kept: what a repetition gets, if not the body."""

    status: int
    body: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Any] | None = None


# Replies


def summary(desk: Desk, article: Article) -> Any:
    """An article as lists show it."""
    return _shown(desk, article)


def _shown(desk: Desk, article: Article) -> dict[str, Any]:
    """replies.ArticleSummaryReply, written out: dumping by the schema was a tenth of what accepting an article cost."""
    embargo = article.embargo
    return {
        "id": str(article.id),
        "change": article.change,
        "revision": article.revision,
        "status": article.status,
        "headline": article.headline,
        "language": article.language,
        "section": article.section,
        "slug": article.slug,
        "path": article.path,
        "url": desk.newsroom.url(article.path),
        "urgency": article.urgency,
        "notify": article.notify,
        "accepted_at": article.accepted_at.isoformat(),
        "changed_at": article.changed_at.isoformat(),
        "changed_by": article.changed_by,
        "published_at": _iso(article.first_published_at or article.published_at),
        "updated_at": _iso(article.updated_at),
        "live_at": _iso(article.live_at),
        "embargo": _iso(embargo),
        "embargo_local": embargo and embargo.astimezone(desk.newsroom.time_zone).isoformat(),
        "expires": _iso(article.expires),
        "kill_reason": article.kill_reason,
        "timeline": f"/v1/articles/{article.id}/timeline",
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def warned(notices: Sequence[Notice]) -> list[dict[str, str]]:
    """Warnings in the reader's language."""
    if not notices:
        return []
    language = http.language()
    return [{"pointer": one.pointer, "code": one.code, "detail": translated(one.detail, language)} for one in notices]


def images_shown(images: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A revision's pictures as replies show them."""
    names = ("media_type", "width", "height", "alt", "caption", "credit")
    return [
        {
            "media": one["media_id"],
            **{name: one[name] for name in names},
            "focal_point": {"x": one["focus_x"], "y": one["focus_y"]},
        }
        for one in images
    ]


def texts_shown(revision: Revision) -> dict[str, Any]:
    """A revision's texts as replies show them."""
    body = body_of(revision)
    return {
        "standfirst": revision.standfirst,
        "body": {"format": body.format, "text": body.text, "html": body.html},
        "tags": revision.tags,
        "bylines": revision.bylines,
        "images": images_shown(revision.images),
        "source": revision.source,
    }


def article_answer(desk: Desk, held: Held, status: int, more_warnings: Sequence[Notice] = ()) -> Answer:
    """An article as it is now, with its ETag."""
    article = held.article
    retraction = None
    if article.retracted_at is not None:
        retraction = {"note": article.retraction_note, "retracted_at": article.retracted_at.isoformat()}
    shown = (
        _shown(desk, article)
        | texts_shown(held.revision)
        | {
            "canonical_url": article.canonical_url,
            "translations": None if article.translations is None else str(article.translations),
            "evergreen": article.evergreen,
            "custom": article.custom,
            "old_paths": article.old_paths,
            "retraction": retraction,
            "corrections": [{"note": one.note, "corrected_at": one.made_at.isoformat()} for one in held.corrections],
            "warnings": warned((*more_warnings, *held.warnings)),
        }
    )
    headers = {"ETag": http.etag(article.change)}
    if status == 201:
        headers["Location"] = f"/v1/articles/{article.id}"
    return Answer(status, shown, headers)


def response(answer: Answer) -> Response:
    """The answer as Flask sends it."""
    if answer.body is None:
        return Response(status=answer.status, headers=dict(answer.headers))
    text = json.dumps(answer.body, ensure_ascii=False)
    return Response(text, answer.status, dict(answer.headers), mimetype="application/json")


def link(relation: str, query: Mapping[str, Any]) -> str:
    """One link of a Link header (RFC 8288), to another page of what was asked for."""
    return f'<{request.path}?{urlencode(query)}>; rel="{relation}"'


# Bodies, keys and dry runs


def optional_body() -> Any:
    """The JSON body, or {} when there is none."""
    return http.json_body() if request.content_length or request.mimetype else {}


def optional_if_match() -> Sequence[int] | str:
    """The change numbers that If-Match allows; any when it was not sent."""
    return http.if_match() if "If-Match" in request.headers else http.ANY


def is_dry_run() -> bool:
    """Whether ?dry_run=true was asked for. Raises Unprocessable for anything but true and false."""
    return truth("dry_run")


def truth(name: str) -> bool:
    """A truth value of the query, false when it is not there. Raises Unprocessable for anything but true and false."""
    value = request.args.get(name, "false")
    if value not in {"true", "false"}:
        raise Unprocessable(errors=[Fault(f"/{name}", "wrong-type", "Not a valid boolean: true or false.")])
    return value == "true"


def forget(session: Session) -> None:
    """Undo what was done in a session, so that nothing is kept and nothing said."""
    session.rollback()
    for name in ("letters", "lanes"):
        session.info.pop(name, None)


def answer_now(work: Callable[[Session], Answer]) -> Response:
    """Do the work in one transaction; in a dry run, do it and keep nothing."""
    dry = is_dry_run()
    with http.node().unit_of_work() as session:
        answer = work(session)
        if dry:
            forget(session)
    return _dry(answer) if dry else response(answer)


def _dry(answer: Answer) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name not in {"Location", "ETag"}}
    status = 200 if answer.body is not None else answer.status
    return response(Answer(status, answer.body, {**headers, "Dry-Run": "true"}))


def answer_once(sent: Any, work: Callable[[Session], Answer]) -> Response:
    """Do the work in one transaction; with an Idempotency-Key that was answered before, give that answer again.

    The answer is kept in the work's own transaction: a request that is refused keeps none, and may be tried again.
    """
    key = idempotency_key()
    if key is None or is_dry_run():
        return answer_now(work)
    owner, path = http.key_owner(), request.path
    body_hash = hash_of(sent)
    with http.node().unit_of_work() as session:
        first = actions.first_answer(session, owner=owner, path=path, key=key, body_hash=body_hash, now=clock.now())
        if first is not None:
            headers = {**first.headers, "Idempotent-Replay": "true"}
            return Response(first.body, first.status, headers, mimetype="application/json")
        answer = work(session)
        made = response(answer)
        store.keep_answer(
            session,
            owner=owner,
            path=path,
            key=key,
            status=answer.status,
            headers=answer.headers,
            body=made.get_data(as_text=True) if answer.kept is None else json.dumps(answer.kept, ensure_ascii=False),
        )
    return made


def hash_of(sent: Any) -> str:
    """The same for the same JSON, however it is written."""
    return hashlib.sha256(json.dumps(sent, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def idempotency_key() -> str | None:
    """The Idempotency-Key, with or without the quotes that its draft asks for. Raises BadRequest for no good one."""
    value = request.headers.get("Idempotency-Key")
    if value is None:
        return None
    key = value.strip()
    if key.startswith('"') or key.endswith('"'):
        quoted = _QUOTED.fullmatch(key)
        if quoted is None:
            raise BadRequest("The quotation marks of Idempotency-Key do not fit: put the key in two, or in none.")
        key = _ESCAPED.sub(r"\1", quoted[1])
    if not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key should be 1 to 255 visible ASCII characters, a UUID for instance.")
    return key


# Description


def _header(name: str, description: str, *, required: bool = False, most: int | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"} if most is None else {"type": "string", "maxLength": most}
    return {"in": "header", "name": name, "required": required, "schema": schema, "description": description}


IF_MATCH = _header("If-Match", "The ETag that was last read, or *.", required=True)
IF_MATCH_OPTIONAL = _header("If-Match", "The ETag that was last read, or *; any when it is not sent.")
DRY_RUN = {
    "in": "query",
    "name": "dry_run",
    "schema": {"type": "boolean", "default": False},
    "description": "true: check everything, and keep and say nothing.",
}
_IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "Repeating a request with the same key and body gives the first answer again, with Idempotent-Replay: true; "
    "another body is 422. Refused requests are not kept; others for 24 hours.",
    most=257,
)


# Bodies as an editor or a script would send them, by schema.
EXAMPLES: dict[str, dict[str, Any]] = {
    "ArticleBody": {
        "headline": "La halle du port rouvre samedi",
        "standfirst": "Trente étals, et un toit neuf.",
        "body": {"format": "markdown", "text": "La halle **rouvre**."},
        "language": "fr",
        "section": "societe",
        "bylines": ["Ysaure Talmont"],
        "tags": ["halle", "commerce"],
        "status": "live",
    },
    "ArticlePatch": {"standfirst": "Quarante étals.", "change": "correction", "note": "Les étals sont quarante."},
    "ArticlePut": {
        "headline": "La halle du port rouvre samedi",
        "body": {"format": "text", "text": "La halle rouvre."},
        "section": "societe",
    },
    "PublishBody": {"embargo": "2027-03-28T09:00:00+02:00"},
    "RetractBody": {"reason": "La source s’est rétractée."},
    "KillBody": {"reason": "La source s’est rétractée."},
    "ReplayBody": {"since": "2026-11-23T09:00:00Z"},
    "KeyBody": {"name": "desk politique", "role": "editor"},
    "PreviewBody": {"expires_at": "2026-11-30T09:00:00Z"},
}


def documented_body(
    bp: Any, schema: Schema, *media_types: str, required: bool = True, ninjs: bool = False
) -> Callable[[Any], Any]:
    """Describe a JSON body that the route itself reads. ninjs: IPTC's format is taken as well."""
    content: dict[str, Any] = {name: {"schema": schema} for name in (*media_types, "application/json")}
    example = EXAMPLES.get(type(schema).__name__)
    if example is not None:
        for one in content.values():
            one["example"] = example
    if ninjs:
        described_as = "An article in ninjs 2 or 3 (IPTC), with a subject that is the key of a section."
        content[NINJS] = {"schema": {"type": "object", "required": ["uri"], "description": described_as}}
    described: Callable[[Any], Any] = bp.doc(requestBody={"required": required, "content": content})
    return described


def idempotent(bp: Any, *others: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Describe the Idempotency-Key, and other parameters with it."""
    described: Callable[[Any], Any] = bp.doc(parameters=[_IDEMPOTENCY_KEY, *others])
    return described
