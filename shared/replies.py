"""Answers in the making, given once: a request that is repeated with its Idempotency-Key gets the first answer again.

The same in every service, for every POST below /v1 but those that only read. Source: draft-ietf-httpapi-idempotency-
key-header.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from sqlalchemy.orm import Session

from shared import clock, first_answers, http
from shared.errors import BadRequest

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A String of RFC 9651 section 3.3.3.
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r'\\(["\\])')
IDEMPOTENCY_KEY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "maxLength": 257},
    "description": "Repeating a request with the same key and body gives the first answer again, with "
    "Idempotent-Replay: true; another body is 422. Refused requests are not kept; others for 24 hours.",
}


def link(relation: str, query: Mapping[str, Any]) -> str:
    """One link of a Link header (RFC 8288), to another page of what was asked for."""
    return f'<{request.path}?{urlencode(query)}>; rel="{relation}"'


@dataclass(frozen=True)
class Answer:
    """A response in the making.

    body: JSON values, or None for none; kept: what a repetition is answered from, where that is not the body.
    """

    status: int
    body: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Any] | None = None


def response(answer: Answer) -> Response:
    """The answer as Flask sends it."""
    if answer.body is None:
        return Response(status=answer.status, headers=dict(answer.headers))
    text = json.dumps(answer.body, ensure_ascii=False)
    return Response(text, answer.status, dict(answer.headers), mimetype="application/json")


def answer_once(
    sent: Any,
    work: Callable[[Session], Answer],
    *,
    again: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
) -> Response:
    """Do the work in one transaction; with an Idempotency-Key that was answered before, give that answer again.

    sent: what the request says, to tell whether another says the same. again: makes a repetition's body of what was
    kept. The answer is kept in the work's own transaction: a request that is refused keeps none, and may be tried
    again.
    """
    key = idempotency_key()
    if key is None:
        with http.node().unit_of_work() as session:
            answer = work(session)
        return response(answer)
    mine = {"owner": http.key_owner(), "path": request.path, "key": key}
    with http.node().unit_of_work() as session:
        first = first_answers.begin(session, **mine, body_hash=hash_of(sent), now=clock.now())
        if first is not None:
            body = None if first.body == "" else json.loads(first.body)
            if again is not None and body is not None:
                body = again(body)
            return response(Answer(first.status, body, {**first.headers, "Idempotent-Replay": "true"}))
        answer = work(session)
        kept = answer.body if answer.kept is None else answer.kept
        text = "" if kept is None else json.dumps(kept, ensure_ascii=False)
        first_answers.keep(session, **mine, status=answer.status, headers=answer.headers, body=text)
    return response(answer)


def hash_of(sent: Any) -> str:
    """The same for the same JSON, however it is written; what is no JSON value counts by its text."""
    return hashlib.sha256(json.dumps(sent, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


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


def idempotent(bp: Any, *others: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Describe the Idempotency-Key, and other parameters with it, of a route that answers by `answer_once`."""
    described: Callable[[Any], Any] = bp.doc(parameters=[IDEMPOTENCY_KEY, *others])
    return described


# Secrets that an answer shows once, and nothing holds


def new_secret() -> tuple[bytes, str | None]:
    """32 bytes for a secret that is shown this once, and what brings it back for a repetition of this request.

    Without an Idempotency-Key, or a secret key of the newsroom, it is nothing but random, and nothing brings it back.
    With both it is derived from the newsroom's key and a random number, which alone is kept, with the answer: when that
    is forgotten, so is the secret.
    """
    settings = http.node().settings
    if idempotency_key() is None or not settings.secret_key:
        return os.urandom(32), None
    number = os.urandom(16).hex()
    return secret_of(number), number


def secret_of(number: str) -> bytes:
    """The secret that `new_secret` made with this number."""
    return http.node().settings.derived_secret(f"shown once {number}")
