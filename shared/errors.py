"""What can go wrong with a request, each with its HTTP status and a stable code.

`shared/http.py` turns any of these into problem details (RFC 9457). Services name their own:
`class ArticleNotFound(NotFound): code = "article-not-found"`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One fault of a request. pointer: JSON Pointer (RFC 6901), "" for the whole; code: stable; detail: what to do."""

    pointer: str
    code: str
    detail: str


class NewsroomError(Exception):
    """The root of the family. str(error) is the detail that people read: what is wrong and what to do."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self, detail: str = "", *, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.errors = list(errors)
        self.headers = dict(headers or {})


class BadRequest(NewsroomError):
    """400: the request cannot be read."""

    status, code, title = 400, "bad-request", "The request cannot be read"


class Unauthorized(NewsroomError):
    """401: no key, or one that is not known."""

    status, code, title = 401, "unauthorized", "A valid API key is needed"


class Forbidden(NewsroomError):
    """403: the key's role does not allow this."""

    status, code, title = 403, "forbidden", "This key's role does not allow that"


class NotFound(NewsroomError):
    """404: there is no such thing."""

    status, code, title = 404, "not-found", "There is nothing here"


class Conflict(NewsroomError):
    """409: the thing's state does not allow this."""

    status, code, title = 409, "conflict", "Its present state does not allow that"


class Gone(NewsroomError):
    """410: it was here and has been withdrawn."""

    status, code, title = 410, "gone", "It has been withdrawn"


class PreconditionFailed(NewsroomError):
    """412: somebody else was faster."""

    status, code, title = 412, "precondition-failed", "It has changed since you read it"


class TooLarge(NewsroomError):
    """413: the body is larger than the limit."""

    status, code, title = 413, "too-large", "The body is too large"


class UnsupportedMediaType(NewsroomError):
    """415: the body's media type is not one that this address takes."""

    status, code, title = 415, "unsupported-media-type", "This media type is not accepted here"


class Unprocessable(NewsroomError):
    """422: well formed, but not acceptable; `errors` lists every fault."""

    status, code, title = 422, "invalid", "The request has faults"


class PreconditionRequired(NewsroomError):
    """428: a change without If-Match."""

    status, code, title = 428, "precondition-required", "If-Match is needed"


class TooManyRequests(NewsroomError):
    """429: this key or address has asked too often; `Retry-After` says when to go on."""

    status, code, title = 429, "too-many-requests", "Too many requests with this key"


class Unavailable(NewsroomError):
    """503: something that this needs is away; try again."""

    status, code, title = 503, "unavailable", "Not available at the moment"
