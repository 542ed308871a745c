"""HTTP in, HTTP out: /v1/articles and /v1/ingest/replay."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from sqlalchemy.orm import Session

from services.ingest import actions, schemas, store
from services.ingest.actions import ArticleNotFound, Held, Wanted
from services.ingest.domain import journey
from services.ingest.domain.bodies import Notice
from services.ingest.domain.states import Status
from services.ingest.models import Article
from shared import clock, http
from shared.errors import BadRequest
from shared.newsroom import Newsroom

TIMELINE_MAX = 1000
MERGE_PATCH = "application/merge-patch+json"

_REPLY = schemas.ArticleReply()
_SUMMARY = schemas.ArticleSummaryReply()
_TIMELINE = schemas.TimelineReply()
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ARTICLE_COLUMNS = [column.key for column in Article.__table__.columns]


@dataclass
class Desk:
    """What the routes need besides the database: the newsroom, and the schemas that know its languages and sections."""

    newsroom: Newsroom
    article_body: Schema = field(init=False)
    article_patch: Schema = field(init=False)

    def __post_init__(self) -> None:
        """Make the schemas once: making one costs more than using it."""
        self.article_body = schemas.ArticleBody(self.newsroom)
        self.article_patch = schemas.ArticlePatch(self.newsroom)


@dataclass(frozen=True)
class Answer:
    """A response in the making. body: JSON values."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def articles_blueprint(desk: Desk) -> Any:
    """The routes of articles."""
    bp = Blueprint("articles", __name__, url_prefix="/v1/articles", description="Articles: what the newsroom says")
    takes = _documented_body

    @bp.post("")
    @http.needs("reporter")
    @takes(bp, desk.article_body)
    @_idempotent(bp)
    @bp.response(201, schemas.ArticleReply)
    def post_article() -> Response:
        """Accept an article, as a draft or live at once.

        201 with the article, Location and ETag; 409 a slug that is taken; 422 every fault of it. What was taken out of
        its HTML comes back as warnings.
        """
        sent = http.json_body()
        fields = desk.article_body.load(sent)
        publish = fields.pop("status") == Status.LIVE
        wanted = Wanted(**fields)
        notices = schemas.notices_of_turned_lines(sent)

        def accept(session: Session) -> Answer:
            held = actions.accept_article(
                session, wanted, publish=publish, newsroom=desk.newsroom, by=http.key_owner(), now=clock.now()
            )
            return _article_answer(desk, held, 201, notices)

        return _answer_once(sent, accept)

    @bp.get("")
    @http.needs("reporter")
    @bp.arguments(schemas.ArticleQuery, location="query", unknown=RAISE)
    @bp.response(200, schemas.ArticleListReply)
    def list_articles(query: dict[str, Any]) -> Response:
        """200 with a page of articles, newest accepted first; Link names the next page and the one before."""
        limit, before, after = query["limit"], query.get("before"), query.get("after")
        filters: dict[str, Any] = {name: query[name] for name in ("status", "section", "language") if name in query}
        with http.node().reading() as session:
            # One more than asked for tells whether there is another page.
            found = store.list_articles(session, filters=filters, before=before, after=after, most=limit + 1)
        more = len(found) > limit
        items = found[-limit:] if after else found[:limit]
        links = []
        if items and (more or after):
            links.append(_link("next", {**filters, "limit": limit, "before": items[-1].id}))
        if items and (before or (after and more)):
            links.append(_link("prev", {**filters, "limit": limit, "after": items[0].id}))
        body = {"items": [_SUMMARY.dump(_shown(desk, article)) for article in items]}
        return _response(Answer(200, body, {"Link": ", ".join(links)} if links else {}))

    @bp.get("/<uuid:article_id>")
    @http.needs("reporter")
    @bp.response(200, schemas.ArticleReply)
    def get_article(article_id: UUID) -> Response:
        """200 with the article and its ETag; 304 when If-None-Match has it; 404 unknown."""
        with http.node().reading() as session:
            held = actions.read_article(session, article_id)
        if http.not_modified(held.article.change):
            return Response(status=304, headers={"ETag": http.etag(held.article.change)})
        return _response(_article_answer(desk, held, 200))

    @bp.patch("/<uuid:article_id>")
    @http.needs("reporter")
    @takes(bp, desk.article_patch, MERGE_PATCH)
    @bp.doc(parameters=[_IF_MATCH])
    @bp.response(200, schemas.ArticleReply)
    def patch_article(article_id: UUID) -> Response:
        """Change fields of an article (JSON merge patch).

        200 with the article and its new ETag; 404 unknown; 409 killed, or what is fixed once it is public; 412 stale;
        428 without If-Match; 422 every fault of it.
        """
        if_match = http.if_match()
        sent = http.json_body(MERGE_PATCH, "application/json")
        wanted = desk.article_patch.load(sent)
        with http.node().unit_of_work() as session:
            held = actions.change_article(
                session,
                article_id,
                wanted["patch"],
                move=wanted["move"],
                note=wanted["note"],
                if_match=if_match,
                newsroom=desk.newsroom,
                by=http.key_owner(),
                now=clock.now(),
            )
            answer = _article_answer(desk, held, 200, schemas.notices_of_turned_lines(sent))
        return _response(answer)

    @bp.post("/<uuid:article_id>/publish")
    @http.needs("editor")
    @takes(bp, schemas.NothingBody(), required=False)
    @_idempotent(bp)
    @bp.response(200, schemas.ArticleReply)
    def publish_article(article_id: UUID) -> Response:
        """Make a draft live.

        200 with the article, also when it is live already; 404 unknown; 409 killed; 412 when If-Match is stale.
        """
        sent = _optional_body()
        schemas.NothingBody().load(sent)
        if_match = http.if_match() if "If-Match" in request.headers else http.ANY

        def publish(session: Session) -> Answer:
            held = actions.publish_article(session, article_id, if_match=if_match, by=http.key_owner(), now=clock.now())
            return _article_answer(desk, held, 200)

        return _answer_once(sent, publish)

    @bp.post("/<uuid:article_id>/kill")
    @http.needs("chief")
    @takes(bp, schemas.KillBody(), required=False)
    @_idempotent(bp)
    @bp.response(200, schemas.ArticleReply)
    def kill_article(article_id: UUID) -> Response:
        """Take an article out of use for ever. 200 with the article, in any state and whatever If-Match says; 404."""
        sent = _optional_body()
        reason = schemas.KillBody().load(sent)["reason"]

        def kill(session: Session) -> Answer:
            held = actions.kill_article(session, article_id, reason=reason, by=http.key_owner(), now=clock.now())
            return _article_answer(desk, held, 200)

        return _answer_once(sent, kill)

    @bp.get("/<uuid:article_id>/timeline")
    @http.needs("reporter")
    @bp.response(200, schemas.TimelineReply)
    def get_timeline(article_id: UUID) -> Response:
        """200 with the article's journey in plain words: its newest 1,000 steps, oldest first; 404 unknown."""
        with http.node().reading() as session:
            article = store.get_article(session, article_id)
            steps = store.timeline(session, article_id, TIMELINE_MAX)
        if article is None:
            raise ArticleNotFound(f"There is no article {article_id}.")
        items = [
            {
                "at": step.at,
                "change": step.change,
                "step": step.step,
                "text": journey.sentence(step.step, step.detail),
                "detail": step.detail,
            }
            for step in steps
        ]
        body = {name: getattr(article, name) for name in ("id", "change", "status", "live_at")}
        return _response(Answer(200, _TIMELINE.dump({**body, "items": items})))

    return bp


def replay_blueprint() -> Any:
    """The route that has articles said again."""
    bp = Blueprint("ingest-replay", __name__, url_prefix="/v1/ingest", description="Operations of ingest")

    @bp.post("/replay")
    @http.needs("operator")
    @_documented_body(bp, schemas.ReplayBody(), required=False)
    @_idempotent(bp)
    @bp.response(202, schemas.ReplayReply)
    def replay() -> Response:
        """Say again the present state of all articles, or of those changed since a time; nobody is notified.

        202: it is being done on the bulk queues.
        """
        sent = _optional_body()
        since = schemas.ReplayBody().load(sent)["since"]

        def ask(session: Session) -> Answer:
            replay_id = actions.ask_for_replay(session, since=since, now=clock.now())
            return Answer(202, schemas.ReplayReply().dump({"id": replay_id, "since": since}))

        return _answer_once(sent, ask)

    return bp


# Replies


def _shown(desk: Desk, article: Article) -> dict[str, Any]:
    shown = {name: getattr(article, name) for name in _ARTICLE_COLUMNS}
    shown["published_at"] = article.first_published_at or article.published_at
    shown["url"] = desk.newsroom.url(article.path)
    shown["timeline"] = f"/v1/articles/{article.id}/timeline"
    return shown


def _article_answer(desk: Desk, held: Held, status: int, more_warnings: Sequence[Notice] = ()) -> Answer:
    article, revision = held.article, held.revision
    text = revision.body_html if revision.body_text is None else revision.body_text
    shown = _shown(desk, article) | {
        "standfirst": revision.standfirst,
        "body": {"format": revision.body_format, "text": text, "html": revision.body_html},
        "tags": revision.tags,
        "bylines": revision.bylines,
        "corrections": held.corrections,
        "warnings": [*more_warnings, *held.warnings],
    }
    headers = {"ETag": http.etag(article.change)}
    if status == 201:
        headers["Location"] = f"/v1/articles/{article.id}"
    return Answer(status, _REPLY.dump(shown), headers)


def _response(answer: Answer) -> Response:
    text = json.dumps(answer.body, ensure_ascii=False)
    return Response(text, answer.status, dict(answer.headers), mimetype="application/json")


def _link(relation: str, query: Mapping[str, Any]) -> str:
    return f'<{request.path}?{urlencode(query)}>; rel="{relation}"'


# Bodies and keys


def _optional_body() -> Any:
    """The JSON body, or {} when there is none."""
    return http.json_body() if request.content_length or request.mimetype else {}


def _answer_once(sent: Any, work: Callable[[Session], Answer]) -> Response:
    """Do the work in one transaction; with an Idempotency-Key that was answered before, give that answer again.

    The answer is kept in the work's own transaction: a request that is refused keeps none, and may be tried again.
    """
    key = _idempotency_key()
    if key is None:
        with http.node().unit_of_work() as session:
            return _response(work(session))
    owner, path = http.key_owner(), request.path
    body_hash = hashlib.sha256(json.dumps(sent, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    with http.node().unit_of_work() as session:
        first = actions.first_answer(session, owner=owner, path=path, key=key, body_hash=body_hash, now=clock.now())
        if first is not None:
            headers = {**first.headers, "Idempotent-Replay": "true"}
            return Response(first.body, first.status, headers, mimetype="application/json")
        answer = work(session)
        response = _response(answer)
        store.keep_answer(
            session,
            owner=owner,
            path=path,
            key=key,
            status=answer.status,
            headers=answer.headers,
            body=response.get_data(as_text=True),
        )
    return response


def _idempotency_key() -> str | None:
    """The Idempotency-Key, with or without the quotes that its draft asks for. Raises BadRequest for no good one."""
    value = request.headers.get("Idempotency-Key")
    if value is None:
        return None
    value = value.strip()
    key = value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value
    if not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key should be 1 to 255 visible ASCII characters, a UUID for instance.")
    return key


# Description


_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "The ETag that was last read, or *.",
}


def _documented_body(bp: Any, schema: Schema, *media_types: str, required: bool = True) -> Callable[[Any], Any]:
    content = {name: {"schema": schema} for name in (*media_types, "application/json")}
    described: Callable[[Any], Any] = bp.doc(requestBody={"required": required, "content": content})
    return described


def _idempotent(bp: Any) -> Callable[[Any], Any]:
    header = {
        "in": "header",
        "name": "Idempotency-Key",
        "schema": {"type": "string", "maxLength": 257},
        "description": "Repeating a request with the same key and body gives the first answer again, with "
        "Idempotent-Replay: true; another body is 422. Refused requests are not kept; others for some days.",
    }
    described: Callable[[Any], Any] = bp.doc(parameters=[header])
    return described
