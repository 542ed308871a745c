"""/v1/articles/{id}/…: revisions, differences, the timeline."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import RAISE

from services.ingest import actions, store
from services.ingest.actions import ArticleNotFound, RevisionNotFound
from services.ingest.domain import journey
from services.ingest.domain.differences import differences, lines_of_html
from services.ingest.domain.lines import gathered
from services.ingest.models import Revision
from services.ingest.routes import following
from services.ingest.routes.desk import Answer, Desk, response, texts_shown
from services.ingest.schemas import articles as bodies
from services.ingest.schemas import replies
from shared import http
from shared.replies import link

TIMELINE_MAX = 1000
# What is gathered into those lines: deliveries are told as they are recorded, some hundreds at a time.
STEPS_READ = 5000
_TIMELINE = replies.TimelineReply()
_REVISION = replies.RevisionReply()
_REVISIONS = replies.RevisionListReply()
_KILL_REPORT = replies.KillReportReply()
_DIFFERENCE = replies.DifferenceReply()


def add_history_routes(bp: Any, desk: Desk) -> None:
    """The routes that tell what an article was and what happened to it."""
    _add_kill_report(bp, desk)

    @bp.get("/<uuid:article_id>/revisions")
    @http.needs("reporter")
    @bp.arguments(bodies.RevisionQuery, location="query", unknown=RAISE)
    @bp.response(200, replies.RevisionListReply)
    def list_revisions(query: dict[str, int], article_id: UUID) -> Response:
        """200 with a page of an article's texts, newest first; 404 unknown."""
        limit = query["limit"]
        with http.node().reading() as session:
            actions.read_article(session, article_id)
            found = store.revisions(session, article_id, before=query.get("before"), most=limit + 1)
        links = [link("next", {"limit": limit, "before": found[limit - 1].number})] if len(found) > limit else []
        body = _REVISIONS.dump({"items": found[:limit]})
        return response(Answer(200, body, {"Link": ", ".join(links)} if links else {}))

    @bp.get("/<uuid:article_id>/revisions/<int(max=2147483647):number>")
    @http.needs("reporter")
    @bp.response(200, replies.RevisionReply)
    def get_revision(article_id: UUID, number: int) -> Response:
        """200 with one text of an article; 404 when there is no such article or revision."""
        with http.node().reading() as session:
            revision = _revision(session, article_id, number)
        names = ("number", "headline", "note", "made_at", "made_by")
        shown = {**{name: getattr(revision, name) for name in names}, **texts_shown(revision)}
        return response(Answer(200, _REVISION.dump(shown)))

    @bp.get("/<uuid:article_id>/diff")
    @http.needs("reporter")
    @bp.arguments(bodies.DifferenceQuery, location="query", unknown=RAISE)
    @bp.response(200, replies.DifferenceReply)
    def compare_revisions(query: dict[str, int], article_id: UUID) -> Response:
        """200 with how two texts of an article differ, field by field, in words; 404 when one is not there."""
        with http.node().reading() as session:
            held = actions.read_article(session, article_id)
            newer = query.get("after", held.revision.number)
            older = query.get("before", max(1, newer - 1))
            before, after = (_revision(session, article_id, number) for number in (older, newer))
        fields = [
            {"field": name, "parts": differences(old, new)}
            for name, old, new in _compared(before, after)
            if list(old) != list(new)
        ]
        shown = {"before": older, "after": newer, "fields_": fields}
        return response(Answer(200, _DIFFERENCE.dump(shown)))

    @bp.get("/<uuid:article_id>/timeline")
    @http.needs("reporter")
    @bp.response(200, replies.TimelineReply)
    def get_timeline(article_id: UUID) -> Response:
        """The article's journey in plain words, in the reader's language: its newest 1,000 lines, oldest first.

        What is delivered by a channel is one line, which grows and then stands where it last grew.

        200 with Accept: text/event-stream as server-sent events, each step as it happens, for half a minute at a time;
        shorter when many are followed. 404 unknown.
        """
        zone = desk.newsroom.time_zone
        if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
            return following.follow(article_id, http.language(), zone, request.headers.get("Last-Event-ID", ""))
        with http.node().reading() as session:
            article = store.get_article(session, article_id)
            steps = store.timeline(session, article_id, STEPS_READ)
        if article is None:
            raise ArticleNotFound(f"There is no article {article_id}: GET /v1/articles lists those there are.")
        language = http.language()
        body = {name: getattr(article, name) for name in ("id", "change", "status", "live_at")}
        items = [following.step_shown(step, language, zone) for step in gathered(steps)[-TIMELINE_MAX:]]
        return response(Answer(200, _TIMELINE.dump({**body, "items": items}), {"Content-Language": language}))


def _add_kill_report(bp: Any, desk: Desk) -> None:
    @bp.get("/<uuid:article_id>/kill-report")
    @http.needs("reporter")
    @bp.response(200, replies.KillReportReply)
    def get_kill_report(article_id: UUID) -> Response:
        """200 with where a killed article is gone from, and since when; 404 unknown; 409 when it is not killed."""
        with http.node().reading() as session:
            report = actions.report_kill(session, article_id)
        language = http.language()
        for one in report["surfaces"]:
            one["name"] = journey.surface_name(one["surface"], language)
        nothing = not report["surfaces"]
        text = journey.report_sentence(nothing=nothing, complete=report["complete"], language=language)
        body = _KILL_REPORT.dump({**report, "text": text})
        return response(Answer(200, body, {"Content-Language": language}))


def _revision(session: Any, article_id: UUID, number: int) -> Revision:
    revision = store.get_numbered_revision(session, article_id, number)
    if revision is None:
        raise RevisionNotFound(f"There is no revision {number} of an article {article_id}.")
    return revision


def _compared(before: Revision, after: Revision) -> list[tuple[str, list[str], list[str]]]:
    def lines(revision: Revision) -> dict[str, list[str]]:
        return {
            "headline": [revision.headline],
            "standfirst": [revision.standfirst] if revision.standfirst else [],
            "body": lines_of_html(revision.body_html),
            "tags": list(revision.tags),
            "bylines": [str(one["name"]) for one in revision.bylines],
            "images": [f"{one['media_id']} {one['alt']} {one['caption']}".strip() for one in revision.images],
            "source": [revision.source] if revision.source else [],
        }

    old, new = lines(before), lines(after)
    return [(name, old[name], new[name]) for name in old]
