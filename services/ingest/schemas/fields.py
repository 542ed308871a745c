"""The kinds of fields that ingest's API takes: strict about types, bounded, with coded faults."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from services.ingest.domain import texts, times
from services.ingest.domain.texts import BadText


class Coded(str):
    """A message for people that carries a stable code for programs."""

    code: str

    def __new__(cls, code: str, text: str) -> Coded:
        """The message with its code."""
        made = super().__new__(cls, text)
        made.code = code
        return made


def refused(error: BadText) -> ValidationError:
    """A fault of a text as marshmallow's, with its code."""
    return ValidationError([Coded(error.code, str(error))])


def shaped(pattern: str, message: str) -> Callable[[str], None]:
    """A check that all of a text has a shape; marshmallow's own leaves a line end at its end unseen."""
    shape = re.compile(pattern)

    def check(value: str) -> None:
        if not shape.fullmatch(value):
            raise ValidationError(message)

    return check


# Fields


class Line(fields.String):
    """A text on one line, tidied (see texts.clean_line); least and most count characters as people do."""

    def __init__(self, *, most: int, least: int = 0, description: str, **options: Any) -> None:
        bounds = f"{least}–{most} characters as people count them" if least else f"At most {most} characters"
        metadata = {"description": f"{description} {bounds}, on one line."}
        super().__init__(metadata=metadata, **options)
        self._least, self._most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            line = texts.clean_line(str(text))
            texts.check_length(line, least=self._least, most=self._most)
        except BadText as error:
            raise refused(error) from None
        return line


class Flag(fields.Boolean):
    """true or false, and nothing that could be taken for one of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """A JSON number without a fraction; no text that could be read as one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Instant(fields.AwareDateTime):
    """A time with its zone, RFC 3339 or with the zone's name in brackets (see domain/times.py); kept as UTC."""

    def __init__(self, *, description: str, **options: Any) -> None:
        super().__init__(
            format="iso",
            metadata={"description": f"{description} RFC 3339 with its offset, or with [Zone/Name] behind it."},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError([Coded("wrong-type", "Not a valid time: it should be a text.")])
        try:
            return times.instant(value)
        except BadText as error:
            raise refused(error) from None


class Number(fields.Float):
    """A JSON number; no text that could be read as one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class JsonObject(fields.Field):
    """An object of the newsroom's own: any JSON, but bounded."""

    def __init__(self, *, description: str, **options: Any) -> None:
        text = f"{description} At most {texts.CUSTOM_MAX} bytes of JSON."
        super().__init__(metadata={"type": "object", "description": text}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValidationError([Coded("wrong-type", "Not a valid object.")])
        size = len(json.dumps(value, ensure_ascii=False).encode())
        if size > texts.CUSTOM_MAX:
            raise ValidationError([Coded("too-long", f"has {size} bytes; should have at most {texts.CUSTOM_MAX}")])
        if faults := {key: [Coded("too-long", f"has more than {texts.KEY_MAX} characters")] for key in _long(value)}:
            raise ValidationError(faults)
        return dict(value)


def _long(value: Mapping[str, Any]) -> list[str]:
    return [key for key in value if len(key) > texts.KEY_MAX]


class Some(fields.List):
    """A list that is counted before it is read: what is too long costs nothing more."""

    def __init__(self, inner: fields.Field, *, most: int, description: str) -> None:
        super().__init__(inner, validate=validate.Length(max=most), metadata={"description": description})
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self._most:
            detail = f"has {len(value)} entries; should have at most {self._most}"
            raise ValidationError([Coded("too-long", detail)])
        return super()._deserialize(value, attr, data, **kwargs)


class Strict(Schema):
    """A request's body or query: unknown fields are refused by name, with those that may have been meant."""

    class Meta:
        unknown = RAISE

    def load(self, data: Any, **options: Any) -> Any:
        """See marshmallow. Raises ValidationError, at once for an object of more members than anybody sends."""
        if isinstance(data, Mapping) and len(data) > _MEMBERS_MAX:
            raise ValidationError([Coded("too-long", f"has {len(data)} members; should have at most {_MEMBERS_MAX}")])
        return super().load(data, **options)

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        """Advice for each name that there is not."""
        if not isinstance(error.messages, dict):
            return
        names = [field.data_key or name for name, field in self.load_fields.items()]
        unknown = self.error_messages["unknown"]
        for key, messages in error.messages.items():
            if messages == [unknown]:
                error.messages[key] = [Coded("unknown-field", _advice(str(key), names))]


# Of one object. All of a schema's own are fewer, and each further one costs a fault.
_MEMBERS_MAX = 200
# What other systems call the fields of an article.
_ELSEWHERE = {
    "headline": "title headlines heading",
    "standfirst": "subtitle dek excerpt summary description abstract lead intro chapo",
    "body": "content text html markdown bodies",
    "bylines": "author authors creator by",
    "section": "category categories rubric rubrique desk",
    "tags": "keywords topics labels",
    "images": "photo photos picture pictures media thumbnail featured_image",
    "published_at": "date datepublished created_at",
    "embargo": "publish_at scheduled_for scheduled_at embargoed embargoeduntil embargoed_until",
    "expires": "expires_at expiry unpublish_at",
    "old_paths": "aliases redirects old_urls",
    "origin": "external_id guid uri id",
    "notify": "silent push",
    "translations": "translation_of translation_group",
}
_MEANT = {word: name for name, words in _ELSEWHERE.items() for word in words.split()}


def _advice(key: str, names: list[str]) -> str:
    if key == "status" and key not in names:
        return "Unknown field: the state changes by a move, such as POST to the article's /publish."
    near = get_close_matches(key[:60].lower(), names, 2)
    if (meant := _MEANT.get(key[:60].lower())) in names and meant not in near:
        near = [meant, *near[:1]]
    if near:
        return f"Unknown field; did you mean {', '.join(near)}?"
    return f"Unknown field; there are: {', '.join(names)}." if names else "Unknown field: there is none."


_WEB_ADDRESS = re.compile(r"https?://[^\s\"<>\\]+")


def _is_web_address(address: str) -> None:
    try:
        host = urlsplit(address).hostname
    except ValueError:
        host = None
    if not host or not _WEB_ADDRESS.fullmatch(address):
        raise ValidationError("Not a valid address: it should begin with https://.")


def web_address(description: str, **options: Any) -> fields.String:
    """An absolute http or https address."""
    return fields.String(
        **options,
        validate=[
            validate.Length(max=texts.URL_MAX),
            _is_web_address,
        ],
        metadata={"description": description, "format": "uri"},
    )
