"""POST /v1/articles/batch: NDJSON in, NDJSON verdicts out."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from typing import IO, Any

from flask import Response, request, stream_with_context
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from services.ingest import actions
from services.ingest.actions import Wanted
from services.ingest.actions.batch import Line, Verdict, verdicts
from services.ingest.domain.states import Status
from services.ingest.routes.desk import DRY_RUN, Desk, is_dry_run, truth, warned
from services.ingest.schemas import articles as bodies
from services.ingest.schemas.examples import EXAMPLES
from services.ingest.schemas.replies import VerdictReply
from shared import clock, first_answers, http
from shared.errors import BadRequest, NewsroomError, Unprocessable, UnsupportedMediaType
from shared.replies import hash_of, idempotency_key, idempotent

NDJSON = "application/x-ndjson"
_TYPES = (NDJSON, "application/ndjson", "application/jsonl", "application/json-seq")
LINE_BYTES = 2 * 1024 * 1024
LINES_MAX = 100_000
_BLOCK_BYTES = 64 * 1024
_BULK = {
    "in": "query",
    "name": "bulk",
    "schema": {"type": "boolean", "default": False},
    "description": "true: what follows from it waits behind today's news, as for an archive.",
}


_BROKEN = "The body broke off here; send again what has no verdict."


def add_batch_route(bp: Any, desk: Desk) -> None:
    """The route of batches."""
    content = {
        NDJSON: {
            "schema": {"type": "string", "description": "One article a line, as POST /v1/articles takes it."},
            "example": EXAMPLES["batch"],
        }
    }

    @bp.post("/batch")
    @http.needs("reporter")
    @bp.doc(requestBody={"required": True, "content": content})
    @idempotent(bp, DRY_RUN, _BULK)
    @bp.response(200, VerdictReply, content_type=NDJSON)
    def post_batch() -> Response:
        """Accept many articles, one a line; read the verdicts while sending, or send at most 1,000 lines at a time.

        200 with one verdict a line, in order: its number, the status that a request of its own would have had, and the
        article's id and address, or a problem. Lines commit in groups of 20, whose verdicts come together; a refused
        one spoils no other. With an Idempotency-Key a line that comes again under the same number gets its first
        verdict, with `replay: true`; the answer has Idempotent-Replay when its first line is one.
        """
        if request.mimetype not in _TYPES:
            raise UnsupportedMediaType(f"Send Content-Type: {NDJSON}, not {request.mimetype or 'nothing'}.")
        http.check_charset()
        request.max_content_length = sys.maxsize  # lines are bounded instead; None would mean the limit of all others
        dry = is_dry_run()
        lane = "bulk" if truth("bulk") else None
        lines = _lines(desk, key=None if dry else idempotency_key(), lane=lane)

        node = http.node()
        answers = verdicts(node.db, lines, keep=not dry, rest=node.rest if lane else None)
        first = next(answers, None)

        def answer() -> Iterator[str]:
            for verdict in itertools.chain([first] if first else [], answers):
                yield json.dumps(_shown(verdict), ensure_ascii=False) + "\n"

        headers = {"X-Accel-Buffering": "no"}
        if first and (first.answer or {}).get("replay"):
            headers["Idempotent-Replay"] = "true"
        return Response(stream_with_context(answer()), mimetype=NDJSON, headers=headers)


def _lines(desk: Desk, *, key: str | None, lane: str | None) -> Iterator[Line]:
    number = 0
    stream = _Counted(request.stream)
    raws = raw_lines(stream)
    while True:
        try:
            raw = next(raws)
        except StopIteration:
            break
        except Exception:  # a server's own words for chunks that are none, and for connections that end
            yield Line(number + 1, 0, refused=BadRequest(_BROKEN))
            return
        number += 1
        if raw is not None and not raw.strip():
            continue
        if number > LINES_MAX:
            yield Line(number, 0, refused=BadRequest(f"A batch may have at most {LINES_MAX} lines."))
            return
        if raw is None:
            yield Line(number, 0, refused=BadRequest(f"The line is longer than {LINE_BYTES} bytes."))
        else:
            yield _line(desk, number, raw, key=key, lane=lane)
    if request.content_length is not None and stream.count < request.content_length:
        yield Line(number + 1, 0, refused=BadRequest(_BROKEN))


class _Counted:
    """A stream that counts what was read of it: a connection may end before the body does."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        block = self._stream.read(size)
        self.count += len(block)
        return block


def raw_lines(stream: IO[bytes] | _Counted) -> Iterator[bytes | None]:
    """The lines of a stream, None for one that is longer than LINE_BYTES.

    Read in blocks: the readline of werkzeug's streams asks for one byte at a time, which cost more than all the rest.
    """
    waiting = b""
    skipping = False
    while block := stream.read(_BLOCK_BYTES):
        *lines, rest = block.split(b"\n")
        for line in lines:
            whole, waiting = waiting + line, b""
            if skipping:
                skipping = False
            else:
                yield None if len(whole) > LINE_BYTES else whole
        waiting += rest
        if len(waiting) > LINE_BYTES:
            waiting = b""
            if not skipping:
                skipping = True
                yield None
    if waiting and not skipping:
        yield waiting


def _line(desk: Desk, number: int, raw: bytes, *, key: str | None, lane: str | None) -> Line:
    try:
        sent = http.parse_json(raw)
        fields = desk.article_body.load(sent)
    except ValidationError as error:
        return Line(number, len(raw), refused=Unprocessable(errors=http.faults_of(error)))
    except NewsroomError as error:
        return Line(number, len(raw), refused=error)
    publish = fields.pop("status") == Status.LIVE
    wanted = Wanted(**fields)
    notices = bodies.notices_of_turned_lines(sent)
    owner, actor, line_key = http.key_owner(), http.actor(), f"{key}#{number}"
    path = request.path

    def accept(session: Session) -> dict[str, Any]:
        now = clock.now()
        if key is not None:
            first = first_answers.begin(session, owner=owner, path=path, key=line_key, body_hash=hash_of(sent), now=now)
            if first is not None:
                return {**json.loads(first.body), "replay": True}
        held = actions.accept_article(
            session, wanted, publish=publish, newsroom=desk.newsroom, by=actor, now=now, lane=lane
        )
        article = held.article
        answer = {
            "status": 200 if held.existing else 201,
            "id": str(article.id),
            "change": article.change,
            "state": article.status,
            "url": desk.newsroom.url(article.path),
            "warnings": warned((*notices, *held.warnings)),
        }
        if key is not None:
            body = json.dumps(answer, ensure_ascii=False)
            first_answers.keep(session, owner=owner, path=path, key=line_key, status=201, headers={}, body=body)
        return answer

    return Line(number, len(raw), work=accept)


def _shown(verdict: Verdict) -> dict[str, Any]:
    if verdict.error is not None:
        problem = http.problem_of(verdict.error)
        return {"line": verdict.number, "status": verdict.error.status, "problem": problem}
    return {"line": verdict.number, **(verdict.answer or {})}
