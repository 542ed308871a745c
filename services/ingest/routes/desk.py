"""What the routes share: the newsroom and its schemas, replies, repeated requests, and their description."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, request
from marshmallow import Schema
from sqlalchemy.orm import Session

from services.ingest.actions import Held
from services.ingest.actions.common import body_of
from services.ingest.domain.bodies import Notice
from services.ingest.models import Article, Revision
from services.ingest.schemas import articles as bodies
from services.ingest.schemas.examples import EXAMPLES
from shared import http, replies
from shared.errors import Fault, Unprocessable
from shared.newsroom import Newsroom
from shared.replies import Answer, response
from shared.words import translated

MERGE_PATCH = "application/merge-patch+json"
NINJS = "application/ninjs+json"


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


def answer_once(
    sent: Any,
    work: Callable[[Session], Answer],
    *,
    again: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
) -> Response:
    """As replies.answer_once does; in a dry run, do the work and keep nothing."""
    replies.idempotency_key()  # in a dry run too: one that is no key is refused
    return answer_now(work) if is_dry_run() else replies.answer_once(sent, work, again=again)


# Description


def _header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"in": "header", "name": name, "required": required, "schema": schema, "description": description}


IF_MATCH = _header("If-Match", "The ETag that was last read, or *.", required=True)
IF_MATCH_OPTIONAL = _header("If-Match", "The ETag that was last read, or *; any when it is not sent.")
DRY_RUN = {
    "in": "query",
    "name": "dry_run",
    "schema": {"type": "boolean", "default": False},
    "description": "true: check everything, and keep and say nothing.",
}


def documented_body(
    bp: Any, schema: Schema, *media_types: str, required: bool = True, ninjs: bool = False
) -> Callable[[Any], Any]:
    """Describe a JSON body that the route itself reads. ninjs: IPTC's format is taken as well."""
    content: dict[str, Any] = {name: {"schema": schema} for name in (*media_types, "application/json")}
    if ninjs:
        described_as = "An article in ninjs 2 or 3 (IPTC), with a subject that is the key of a section."
        described_schema = {"type": "object", "required": ["uri"], "description": described_as}
        content[NINJS] = {"schema": described_schema, "example": EXAMPLES["ninjs"]}
    described: Callable[[Any], Any] = bp.doc(requestBody={"required": required, "content": content})
    return described
