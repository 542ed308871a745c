"""/v1/articles: accepted, listed, read, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from sqlalchemy.orm import Session

from services.ingest import actions, listing
from services.ingest.actions import Wanted, wire
from services.ingest.domain import words
from services.ingest.domain.states import Status
from services.ingest.routes.batch import add_batch_route
from services.ingest.routes.desk import (
    DRY_RUN,
    IF_MATCH,
    MERGE_PATCH,
    NINJS,
    Desk,
    answer_now,
    answer_once,
    article_answer,
    documented_body,
    summary,
)
from services.ingest.routes.history import add_history_routes
from services.ingest.routes.moves import add_move_routes
from services.ingest.routes.previews import add_preview_routes
from services.ingest.schemas import articles as bodies
from services.ingest.schemas import replies
from shared import clock, http
from shared.errors import Fault, Unprocessable
from shared.replies import Answer, idempotent, link, response

# So many articles are put into the index of words before a search, in some 50 ms; the sweeper sees to the others.
CATCH_UP = 1000


def articles_blueprint(desk: Desk) -> Any:
    """The routes of articles."""
    bp = Blueprint("articles", __name__, url_prefix="/v1/articles", description="Articles: what the newsroom says")
    _add_writing_routes(bp, desk)
    _add_reading_routes(bp, desk)
    add_batch_route(bp, desk)
    add_move_routes(bp, desk)
    add_history_routes(bp, desk)
    add_preview_routes(bp, desk)
    return bp


def _add_writing_routes(bp: Any, desk: Desk) -> None:
    takes = documented_body

    @bp.post("")
    @http.needs("reporter")
    @takes(bp, desk.article_body, ninjs=True)
    @idempotent(bp, DRY_RUN)
    @bp.response(201, replies.ArticleReply)
    @bp.alt_response(200, schema=replies.ArticleReply, success=True)
    def post_article() -> Response:
        """Accept an article, as a draft, live at once, or scheduled under an embargo.

        201 with the article, Location and ETag; 200 with the article that has this origin already; 403 when the key's
        role may not publish; 409 a slug that is taken; 422 every fault of it. What was taken out of its HTML comes back
        as warnings.
        """
        sent = http.json_body("application/json", NINJS)
        if request.mimetype == NINJS:
            return _post_ninjs(desk, sent)
        fields = desk.article_body.load(sent)
        publish = fields.pop("status") == Status.LIVE
        wanted = Wanted(**fields)
        notices = bodies.notices_of_turned_lines(sent)

        def accept(session: Session) -> Answer:
            held = actions.accept_article(
                session, wanted, publish=publish, newsroom=desk.newsroom, by=http.actor(), now=clock.now()
            )
            return article_answer(desk, held, 200 if held.existing else 201, notices)

        return answer_once(sent, accept)

    def change(article_id: UUID, schema: Schema, *media_types: str) -> Response:
        if_match = http.if_match()
        sent = http.json_body(*media_types)
        wanted = schema.load(sent)
        notices = bodies.notices_of_turned_lines(sent)

        def do(session: Session) -> Answer:
            held = actions.change_article(
                session,
                article_id,
                wanted["patch"],
                move=wanted["move"],
                note_to_readers=wanted["note"],
                if_match=if_match,
                newsroom=desk.newsroom,
                by=http.actor(),
                now=clock.now(),
            )
            return article_answer(desk, held, 200, notices)

        return answer_now(do)

    @bp.patch("/<uuid:article_id>")
    @http.needs("reporter")
    @takes(bp, desk.article_patch, MERGE_PATCH)
    @bp.doc(parameters=[IF_MATCH, DRY_RUN])
    @bp.response(200, replies.ArticleReply)
    def patch_article(article_id: UUID) -> Response:
        """Change fields of an article (JSON merge patch).

        200 with the article and its new ETag; 403 the role; 404 unknown; 409 killed, or what is fixed once it is
        public; 412 stale; 428 without If-Match; 422 every fault of it.
        """
        return change(article_id, desk.article_patch, MERGE_PATCH, "application/json")

    @bp.put("/<uuid:article_id>")
    @http.needs("reporter")
    @takes(bp, desk.article_put)
    @bp.doc(parameters=[IF_MATCH, DRY_RUN])
    @bp.response(200, replies.ArticleReply)
    def put_article(article_id: UUID) -> Response:
        """Put a whole article in place of what it was; answers as PATCH does."""
        return change(article_id, desk.article_put)

    @bp.delete("/<uuid:article_id>")
    @http.needs("reporter")
    @bp.doc(parameters=[IF_MATCH, DRY_RUN])
    @bp.response(204)
    def delete_article(article_id: UUID) -> Response:
        """Delete a draft with all its texts; what was public is killed or retracted instead.

        204; 404 unknown; 409 anything but a draft; 412 stale; 428 without If-Match.
        """
        if_match = http.if_match()

        def do(session: Session) -> Answer:
            actions.delete_article(session, article_id, if_match=if_match, by=http.actor(), now=clock.now())
            return Answer(204, None)

        return answer_now(do)


def _post_ninjs(desk: Desk, sent: Any) -> Response:
    """An agency's article: posted once, refiled when it comes again with other texts, killed when it is canceled."""
    wanted, known_as = wire.of_ninjs(sent, desk.newsroom)
    notices = bodies.notices_of_turned_lines(wanted)
    fields = None if wanted is None else desk.article_body.load(wanted)

    def take(session: Session) -> Answer:
        held = wire.take_ninjs(
            session,
            fields,
            origin=known_as,
            version_at=wire.version_of(sent),
            newsroom=desk.newsroom,
            by=http.actor(),
            now=clock.now(),
        )
        return article_answer(desk, held, 201 if held.article.change == 1 and not held.existing else 200, notices)

    return answer_once(sent, take)


def _filter(query: Mapping[str, Any]) -> listing.Filter:
    searched = words.of_search(query.get("q", ""))
    if "q" in query and not searched:
        raise Unprocessable(errors=[Fault("/q", "no-word", "The search holds no word.")])
    return listing.Filter(
        equal={name: query[name] for name in ("status", "section", "language") if name in query},
        words=searched,
        tags=[words.tag_word(query["tag"])] if "tag" in query else (),
        accepted=(query.get("accepted_from"), query.get("accepted_to")),
        published=(query.get("published_from"), query.get("published_to")),
    )


def _bring_index_up_to_date() -> None:
    with http.node().reading() as session:
        behind = listing.index_is_behind(session)
    if behind:
        with http.node().unit_of_work() as session:
            listing.catch_up(session, CATCH_UP)


def _in_query(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _add_reading_routes(bp: Any, desk: Desk) -> None:
    @bp.get("")
    @http.needs("reporter")
    @bp.arguments(desk.article_query, location="query", unknown=RAISE)
    @bp.response(200, replies.ArticleListReply)
    def list_articles(query: dict[str, Any]) -> Response:
        """200 with a page of articles, newest accepted first; Link names the next, the previous and the first page."""
        limit, before, after = query.pop("limit"), query.pop("before", None), query.pop("after", None)
        if "q" in query or "tag" in query:
            _bring_index_up_to_date()
        with http.node().reading() as session:
            # One more than asked for tells whether there is another page.
            found = listing.list_articles(session, _filter(query), before=before, after=after, most=limit + 1)
        more = len(found) > limit
        items = found[-limit:] if after else found[:limit]
        same = {**{name: _in_query(value) for name, value in query.items()}, "limit": limit}
        links = []
        if items and (more or after):
            links.append(link("next", {**same, "before": items[-1].id}))
        if items and (before or (after and more)):
            links.append(link("prev", {**same, "after": items[0].id}))
        if before or after:
            links.append(link("first", same))
        body = {"items": [summary(desk, article) for article in items]}
        return response(Answer(200, body, {"Link": ", ".join(links)} if links else {}))

    @bp.get("/<uuid:article_id>")
    @http.needs("reporter")
    @bp.response(200, replies.ArticleReply)
    @bp.alt_response(304, success=True, description="If-None-Match has it")
    def get_article(article_id: UUID) -> Response:
        """200 with the article and its ETag; 304 when If-None-Match has it; 404 unknown."""
        with http.node().reading() as session:
            held = actions.read_article(session, article_id)
        if http.not_modified(held.article.change):
            return Response(status=304, headers={"ETag": http.etag(held.article.change)})
        return response(article_answer(desk, held, 200))
