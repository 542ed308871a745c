"""HTTP, the same in every service: one shape of error (RFC 9457), keys, bodies, health, metrics, OpenAPI 3.1."""

from __future__ import annotations

import hmac
import json
import logging
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import flask
import flask_smorest
from flask import Flask, Response, current_app, g, request
from flask_smorest import Api
from marshmallow import ValidationError, missing
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from shared import errors, logs
from shared.description import complete
from shared.errors import Fault, NewsroomError
from shared.keys import KeyBook
from shared.limits import Limiter
from shared.line import Line
from shared.roles import FIRST, ROLES, Actor
from shared.service import Node
from shared.settings import ServiceSettings
from shared.status import metrics_text
from shared.words import LANGUAGES, translated

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 8 * 1024 * 1024
MOST_DEPTH = 40
# Of one answer; nobody puts more right at once.
MOST_FAULTS = 100
F = TypeVar("F", bound=Callable[..., Any])


def create_service_app(
    node: Node,
    blueprints: Sequence[flask.Blueprint],
    *,
    title: str,
    dry_runs: str | None = None,
    examples: Mapping[str, Any] | None = None,
) -> Flask:
    """The Flask app of a service with its blueprints, and what all services answer: health, metrics, description.

    Errors of any kind, from anywhere in it, are problem details. dry_runs: the beginning of the paths whose writing
    requests may be tried with ?dry_run=true; any other is refused then, instead of being done. examples: bodies as
    somebody would send them, by the names of their schemas, for the description.
    """
    settings = node.settings
    app = Flask(node.service.name, static_folder=None)
    app.config.update(
        API_TITLE=title,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=MOST_BODY_BYTES,
        JSON_SORT_KEYS=False,
        # The description is served from one file for all services: see describe().
        OPENAPI_URL_PREFIX=None,
    )
    app.extensions["rotative"] = node
    app.extensions["rotative_keys"] = KeyBook(node.db) if node.service.knows_keys else None
    app.extensions["rotative_limits"] = Limiter(Line(settings.redis_url), settings.rate_limit)
    app.extensions["rotative_dry_runs"] = dry_runs
    app.extensions["rotative_examples"] = dict(examples or {})
    app.url_map.strict_slashes = False
    app.before_request(_begin)
    app.after_request(_end)
    _handle_errors(app)
    api = _ProblemApi(app)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.extensions["rotative_api"] = api
    _add_health(app, node, settings)
    return app


class _ProblemApi(Api):
    """flask-smorest without its own error shape and without its pagination header."""

    def _register_error_handlers(self) -> None:
        return


def node() -> Node:
    """The node of the app that answers this request."""
    found: Node = current_app.extensions["rotative"]
    return found


# Errors


def problem_of(error: NewsroomError) -> dict[str, Any]:
    """An error as JSON, in the reader's language. Source: RFC 9457; `code` and `errors` are extension members."""
    tongue = language()
    body: dict[str, Any] = {
        "type": f"urn:rotative:problem:{error.code}",
        "title": translated(error.title, tongue),
        "status": error.status,
        "detail": translated(str(error), tongue),
        "code": error.code,
        "instance": f"urn:rotative:request:{logs.trace_id()}",
    }
    if error.errors:
        shown = error.errors[:MOST_FAULTS]
        if more := len(error.errors) - len(shown):
            shown.append(Fault("", "more", f"There are {more} more faults; put these right first."))
        body["errors"] = [
            {"pointer": one.pointer, "code": one.code, "detail": translated(one.detail, tongue)} for one in shown
        ]
    return body


def problem(error: NewsroomError) -> Response:
    """The response for an error."""
    body = json.dumps(problem_of(error), ensure_ascii=False)
    response = Response(body, status=error.status, mimetype="application/problem+json")
    response.headers["Content-Language"] = language()
    response.headers["Vary"] = "Accept-Language"
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(NewsroomError)
    def newsroom_error(error: NewsroomError) -> Response:
        return problem(error)

    @app.errorhandler(ValidationError)
    def validation_error(error: ValidationError) -> Response:
        return problem(errors.Unprocessable(errors=faults_of(error)))

    @app.errorhandler(HTTPException)
    def http_exception(error: HTTPException) -> Response:
        return http_problem(error)

    @app.errorhandler(OperationalError)
    def database_away(error: OperationalError) -> Response:
        log.error("the database did not answer", extra={"error": str(error.orig)[:300]})
        return problem(
            errors.Unavailable("The database does not answer; nothing was changed.", headers={"Retry-After": "2"})
        )

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.error("a request failed", extra={"path": request.path}, exc_info=error)
        return problem(
            NewsroomError("This is a fault of ours; nothing was changed. The log has it under this instance.")
        )


_BY_STATUS: dict[int, type[NewsroomError]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
    412: errors.PreconditionFailed,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
    422: errors.Unprocessable,
    428: errors.PreconditionRequired,
    429: errors.TooManyRequests,
    503: errors.Unavailable,
}


def http_problem(error: HTTPException) -> Response:
    """The response for what Flask itself refuses: unknown addresses, methods, too large bodies."""
    return problem(_from_werkzeug(error))


def _from_werkzeug(error: HTTPException) -> NewsroomError:
    status = error.code or 500
    headers = {}
    # flask-smorest tells what a schema refused by the part of the request that it was in: {"json": {"url": [...]}}.
    refused = (getattr(error, "data", None) or {}).get("messages")
    if status == 422 and isinstance(refused, Mapping):
        return errors.Unprocessable(errors=[fault for part in refused.values() for fault in _walk(part, "")])
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        headers["Allow"] = ", ".join(sorted(allowed))
    if status == 413:
        most = request.max_content_length or MOST_BODY_BYTES
        return errors.TooLarge(f"A body may have at most {most // 1024 // 1024} MiB.")
    if status == 404:
        return errors.NotFound(f"There is nothing at {request.path}; /docs lists every address.")
    if status == 405:
        possible = f"possible are: {headers['Allow']}" if headers else "/docs lists what is"
        return _MethodNotAllowed(f"{request.method[:20]} is not possible here; {possible}.", headers=headers)
    made = _BY_STATUS.get(status)
    refused = getattr(error, "exc", None)
    if isinstance(refused, ValidationError):
        # Of a query: webargs says under its name where it stood.
        places = refused.messages if isinstance(refused.messages, Mapping) else {}
        return errors.Unprocessable(errors=[fault for part in places.values() for fault in _walk(part, "")])
    if made is None:
        made = type("Other", (NewsroomError,), {"status": status, "code": "error", "title": error.name})
    return made("" if status in _BY_STATUS else error.description or "", headers=headers)


class _MethodNotAllowed(NewsroomError):
    status, code, title = 405, "method-not-allowed", "This method is not possible here"


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault that marshmallow found, with JSON Pointers (RFC 6901)."""
    return list(_walk(error.messages, ""))


def _walk(messages: Any, pointer: str) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            step = "" if key == "_schema" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from _walk(inner, pointer + step)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _walk(inner, pointer)
    else:
        # A message may carry its own code; marshmallow's own are known by their words.
        text = str(messages)
        yield Fault(pointer, getattr(messages, "code", None) or _code_of(text), text)


_CODES = (
    ("Missing data", "missing"),
    ("Unknown field", "unknown-field"),
    ("may not be null", "null"),
    ("Not a valid", "wrong-type"),
    ("Invalid input type", "wrong-type"),
    ("Longer than", "too-long"),
    ("Shorter than", "too-short"),
    ("Length must be", "length"),
    ("Must be one of", "not-allowed"),
)


def _code_of(text: str) -> str:
    for words, code in _CODES:
        if words.lower() in text.lower():
            return code
    return "invalid"


# Bodies


def json_body(*media_types: str) -> Any:
    """The request's JSON body, checked to be something that every part of the system can hold.

    media_types: those accepted; "application/json" by default. Raises UnsupportedMediaType, or BadRequest for what is
    no JSON (NaN and infinities included), nests deeper than 40, or holds NUL characters or lone surrogates.
    """
    accepted = media_types or ("application/json",)
    if request.mimetype not in accepted:
        got = request.mimetype or "nothing"
        raise errors.UnsupportedMediaType(f"Send Content-Type: {accepted[0]}, not {got}.")
    check_charset()
    return parse_json(_whole_body())


def check_charset() -> None:
    """Raise UnsupportedMediaType for a body that says to be in another encoding than UTF-8, the only one of JSON."""
    charset = request.mimetype_params.get("charset", "utf-8").strip("\"'")
    if charset.lower() not in {"utf-8", "utf8"}:
        raise errors.UnsupportedMediaType(f"Send the body in UTF-8, not in {charset[:40]}.")


def _whole_body() -> bytes:
    """The request's body. Raises TooLarge, also where it does not say its length, and BadRequest for a broken one."""
    try:
        raw = request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception:  # a server's own words for chunks that are none, and for connections that end
        raise errors.BadRequest("The body cannot be read to its end: a chunk is malformed, or it broke off.") from None
    if request.content_length is None and len(raw) >= MOST_BODY_BYTES:
        raise errors.TooLarge(f"A body may have at most {MOST_BODY_BYTES} bytes.")
    if request.content_length is not None and len(raw) < request.content_length:
        raise errors.BadRequest(f"The body ended after {len(raw)} of {request.content_length} bytes; send it again.")
    return raw


def parse_json(raw: bytes) -> Any:
    """JSON that every part of the system can hold. Raises BadRequest as json_body does."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.BadRequest(f"The body is not UTF-8: byte {error.start} does not fit.") from None
    if not text.strip():
        raise errors.BadRequest("The body is empty; send JSON.")
    if _too_deep(text):
        raise errors.BadRequest(f"The body nests deeper than {MOST_DEPTH} levels.")
    try:
        body = json.loads(text, parse_constant=_no_constant, parse_int=_bounded_int, parse_float=_finite)
    except json.JSONDecodeError as error:
        what = next(
            (ours for theirs, ours in _NO_JSON if error.msg.startswith(theirs)), "it cannot be read from here on"
        )
        raise errors.BadRequest(f"The body is not JSON: {what} (line {error.lineno}, column {error.colno}).") from None
    except _BadNumber as error:
        raise errors.BadRequest(f"The body is not JSON: {error}.") from None
    except (ValueError, RecursionError):
        raise errors.BadRequest("The body is not JSON: it cannot be read.") from None
    if _UNHOLDABLE_ESCAPE.search(text):
        _check_characters(body, "")
    return body


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return False
    depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if depth > MOST_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False


# What the parser of Python's library says, as people are told it in their language.
_NO_JSON = (
    ("Expecting value", "a value should stand here"),
    ("Expecting property name", "a name in double quotes should stand here"),
    ("Expecting ':'", "a colon should stand here"),
    ("Expecting ','", "a comma should stand here"),
    ("Illegal trailing comma", "nothing follows this comma; take it out"),
    ("Unterminated string", "the text that begins here does not end"),
    ("Invalid control character", "a text may hold no line end and no tab here; write \\n or \\t"),
    ("Invalid \\u", "\\u should be followed by four hexadecimal digits"),
    ("Invalid \\", "a backslash in a text is written twice"),
    ("Extra data", "something follows where it has ended"),
)


class _BadNumber(ValueError):
    """A number that JSON does not know, or that no database holds; str(error) says which."""


def _no_constant(name: str) -> None:
    raise _BadNumber(f"{name} is no JSON value")


def _bounded_int(digits: str) -> int:
    if len(digits) > 19:
        raise _BadNumber("a number may have at most 19 digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _BadNumber("a number is too large")
    return number


# A NUL character, or half of a surrogate pair, which may be whole.
_UNHOLDABLE_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNHOLDABLE = re.compile("[\x00\ud800-\udfff]")


def _check_characters(value: Any, pointer: str) -> None:
    if isinstance(value, str):
        if _UNHOLDABLE.search(value):
            raise errors.BadRequest(
                f"The text at {pointer or 'the top'} holds a NUL character or half of a surrogate pair; take it out."
            )
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _check_characters(key, f"{pointer}/{ascii(key)[1:-1]}")
            _check_characters(inner, f"{pointer}/{ascii(key)[1:-1]}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_characters(inner, f"{pointer}/{index}")


# Preconditions

ANY = "*"


def etag(number: int) -> str:
    """The strong entity tag of a change number."""
    return f'"{number}"'


def if_match() -> list[int] | str:
    """The change numbers that If-Match allows, or ANY. Raises PreconditionRequired when the header is missing.

    A tag that is not one of ours matches nothing; weak ones neither (RFC 9110 section 13.1.1).
    """
    if "If-Match" not in request.headers:
        raise errors.PreconditionRequired('Send If-Match with the ETag that you last read, as in If-Match: "3".')
    tags = request.if_match
    if tags.star_tag:
        return ANY
    # werkzeug gives None for an empty tag; no change has a number of twenty digits.
    return [int(tag) for tag in tags.as_set() if tag and tag.isascii() and tag.isdigit() and len(tag) < 20]


def not_modified(number: int) -> bool:
    """Whether If-None-Match names this change."""
    return request.if_none_match.contains_weak(str(number))


# Keys


def needs(role: str) -> Callable[[F], F]:
    """Declare which role a route needs: reporter, editor, chief or operator. Without it a route is public.

    Raises Unauthorized for a missing, unknown, revoked or expired key, Forbidden for one of a lesser role, and
    TooManyRequests for one that asks too often.
    """
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role")

    def decorate(view: F) -> F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            g.actor = _actor_of_key()
            _check_rate(g.actor)
            if not g.actor.may(role):
                raise errors.Forbidden(f"This needs the role {role}; this key has the role {g.actor.role}.")
            return view(*args, **kwargs)

        checked.needs_role = role  # type: ignore[attr-defined]
        doc = getattr(view, "_apidoc", None)
        if doc is not None:
            checked._apidoc = doc  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def actor() -> Actor:
    """Whose key this request came with; the first key's actor for the one made at the first start."""
    found: Actor = g.actor
    return found


def key_owner() -> str:
    """Whose key this request came with, as one word that never means another: "first-key", or the key's id."""
    found = actor()
    return found.name if found.key_id is None else str(found.key_id)


def _actor_of_key() -> Actor:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    challenge = {"WWW-Authenticate": 'Bearer realm="rotative"'}
    if kind.lower() != "bearer" or not key.strip():
        raise errors.Unauthorized("Send Authorization: Bearer KEY.", headers=challenge)
    token = key.strip()
    first = node().settings.admin_key
    if first and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), first.encode()):
        return FIRST
    book = key_book()
    found = book.find(token) if book is not None else None
    if found is None:
        raise errors.Unauthorized(
            "This key is not known here, or no longer valid: have an operator make you a new one.", headers=challenge
        )
    return found


def key_book() -> KeyBook | None:
    """The keys that this process has seen; None in a service that does not know keys."""
    book: KeyBook | None = current_app.extensions["rotative_keys"]
    return book


def _check_rate(actor: Actor) -> None:
    limits: Limiter = current_app.extensions["rotative_limits"]
    wait_s = limits.wait_s(str(actor.key_id or actor.name))
    if wait_s > 0:
        seconds = max(1, math.ceil(wait_s))
        raise errors.TooManyRequests(
            f"This key may make {node().settings.rate_limit:g} requests a second; try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


class Parser(FlaskParser):
    """Reads what a route's schema says of its request; its JSON as json_body does."""

    def load_json(self, req: Any, schema: Any) -> Any:
        """The body, checked; nothing when there is none, or when it does not say to be JSON. Raises BadRequest."""
        if not req.is_json:
            return missing
        check_charset()
        raw = _whole_body()
        return parse_json(raw) if raw else missing


class Blueprint(flask_smorest.Blueprint):
    """A group of routes, described for OpenAPI; bodies are held to the same limits everywhere."""

    ARGUMENTS_PARSER = Parser()


def language() -> str:
    """The language, of LANGUAGES, that Accept-Language likes best; English when it likes none."""
    return request.accept_languages.best_match(LANGUAGES) or "en"


# Every request


_MEANT_DRY = re.compile(r"dry.{0,3}r", re.IGNORECASE)


def _begin() -> None:
    g.began = time.perf_counter()
    asked = request.headers.get("X-Request-Id", "")
    trace = asked if 8 <= len(asked) <= 64 and asked.replace("-", "").isalnum() and asked.isascii() else ""
    g.traced = logs.traced(trace)
    g.traced.__enter__()
    writes = request.method not in {"GET", "HEAD", "OPTIONS"}
    meant = [name for name in request.args if name != "dry_run" and _MEANT_DRY.match(name)]
    if writes and meant and request.path.startswith("/v1/"):
        raise errors.BadRequest(f"This request would be done, not tried: write dry_run in place of {meant[0][:20]}.")
    if writes and "dry_run" in request.args and request.path.startswith("/v1/"):
        tried = current_app.extensions["rotative_dry_runs"]
        if tried is None or not request.path.startswith(tried):
            raise errors.BadRequest("This request cannot be tried: it would be done. Send it without dry_run.")


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = logs.trace_id()
    traced = g.pop("traced", None)
    took_ms = (time.perf_counter() - g.began) * 1000
    if request.path.startswith("/v1/"):
        log.info(
            "request",
            extra={
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": round(took_ms, 1),
            },
        )
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if traced is not None:
        traced.__exit__(None, None, None)
    return response


# Health, metrics, description


def _add_health(app: Flask, node: Node, settings: ServiceSettings) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return Response("alive\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            with node.reading() as session:
                session.connection().exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            raise errors.Unavailable(f"The database of {node.service.name} does not answer.") from None
        if not settings.admin_key:
            raise errors.Unavailable("There is no first key yet.")
        return Response("ready\n", mimetype="text/plain")

    @app.get("/metrics")
    def metrics() -> Response:
        near = request.remote_addr in {"127.0.0.1", "::1"} and not request.headers.get("X-Forwarded-For")
        if not near and not _actor_of_key().may("operator"):
            raise errors.Forbidden("This needs the role operator.")
        return Response(metrics_text(node), content_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/openapi.json")
    def openapi() -> Response:
        return Response(Path(__file__).with_name("openapi.json").read_bytes(), mimetype="application/json")


def describe(app: Flask) -> dict[str, Any]:
    """The app's own OpenAPI 3.1 description, as JSON values; `rotative/openapi.py` joins those of all services."""
    with app.app_context():
        described: dict[str, Any] = app.extensions["rotative_api"].spec.to_dict()
    return complete(described, app)
