"""What operators see and do with a service's protocol: `/v1/<service>/status`, its dead letters."""

from __future__ import annotations

import json
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from shared import clock, http, jobs
from shared.errors import NotFound
from shared.replies import Answer, answer_once, idempotent
from shared.status import status


class DeadLetterNotFound(NotFound):
    """404: no dead letter has this number."""

    code = "dead-letter-not-found"


class DeadLetterReply(Schema):
    """A job that could not be done: what it was, why not, and what it was given."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    reference = fields.String(required=True)
    lane = fields.String(required=True)
    error = fields.String(allow_none=True)
    attempts = fields.Integer(required=True)
    trace = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    died_at = fields.AwareDateTime(attribute="ended_at", required=True)
    payload = fields.Raw(allow_none=True)


class DeadLetterList(Schema):
    """A page of dead letters, newest first."""

    items = fields.List(fields.Nested(DeadLetterReply), required=True)


class DeadLetterQuery(Schema):
    """Which page: `before` is the id of the last one on the page before."""

    before = fields.Integer(validate=validate.Range(min=1, max=2**63 - 1))


class StatusReply(Schema):
    """How a service is doing. Ages in seconds; None where there is nothing or Redis does not answer."""

    service = fields.String(required=True)
    redis = fields.Boolean(required=True)
    queues = fields.Dict(keys=fields.String(), values=fields.Integer(allow_none=True), required=True)
    jobs = fields.Dict(keys=fields.String(), values=fields.Dict(), required=True)
    dead = fields.Integer(required=True)
    oldest_unreceived_s = fields.Float(allow_none=True)
    numbers = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True), required=True)


def protocol_blueprint(service: str) -> Any:
    """The routes under /v1/<service> that every service has."""
    bp = Blueprint(f"{service}-protocol", __name__, url_prefix=f"/v1/{service}", description=f"Operations of {service}")

    @bp.get("/status")
    @http.needs("operator")
    @bp.response(200, StatusReply)
    def read_status() -> dict[str, Any]:
        """200 with queues, jobs, dead letters and the oldest event that a listener has not received."""
        return status(http.node())

    @bp.get("/dead")
    @http.needs("operator")
    @bp.arguments(DeadLetterQuery, location="query")
    @bp.response(200, DeadLetterList)
    def list_dead(query: dict[str, int]) -> dict[str, Any]:
        """200 with up to 100 dead letters, newest first; `before` asks for older ones."""
        with http.node().reading() as session:
            return {"items": [_shown(row) for row in jobs.dead(session, before_id=query.get("before"))]}

    @bp.get("/dead/<int(max=9223372036854775807):job_id>")
    @http.needs("operator")
    @bp.response(200, DeadLetterReply)
    def show_dead(job_id: int) -> dict[str, Any]:
        """200 with the dead letter; 404 when there is none with this number."""
        with http.node().reading() as session:
            row = jobs.dead_letter(session, job_id)
        if row is None:
            raise DeadLetterNotFound(f"{service} has no dead letter {job_id}.")
        return _shown(row)

    @bp.post("/dead/<int(max=9223372036854775807):job_id>/retry")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(204)
    def retry_dead(job_id: int) -> Response:
        """204: it is tried again, with all its tries; 404 when there is none with this number."""

        def retry(session: Session) -> Answer:
            if not jobs.retry_dead(session, job_id, now=clock.now()):
                raise DeadLetterNotFound(f"{service} has no dead letter {job_id}.")
            return Answer(204, None)

        return answer_once(None, retry)

    @bp.delete("/dead/<int(max=9223372036854775807):job_id>")
    @http.needs("operator")
    @bp.response(204)
    def discard_dead(job_id: int) -> None:
        """204: it is ended without being done; 404 when there is none with this number."""
        with http.node().unit_of_work() as session:
            if not jobs.discard_dead(session, job_id, now=clock.now()):
                raise DeadLetterNotFound(f"{service} has no dead letter {job_id}.")

    return bp


def _shown(row: Any) -> dict[str, Any]:
    return {**row._mapping, "payload": json.loads(row.payload) if row.payload else None}
