"""What ingest's API takes and answers. Unknown fields are refused, null is a fault, every length is bounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from services.ingest.domain import bodies, slugs, texts
from services.ingest.domain.bodies import Notice
from services.ingest.domain.states import Move, Status
from services.ingest.domain.texts import BadText
from shared.newsroom import Newsroom

PAGE_MAX = 100
_EARLIEST_YEAR = 1500  # before the first newspaper; and far from what time zones cannot be applied to


class Coded(str):
    """A message for people that carries a stable code for programs."""

    code: str

    def __new__(cls, code: str, text: str) -> Coded:
        """The message with its code."""
        made = super().__new__(cls, text)
        made.code = code
        return made


def _refused(error: BadText) -> ValidationError:
    return ValidationError([Coded(error.code, str(error))])


def _shaped(pattern: str, message: str) -> Callable[[str], None]:
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
            raise _refused(error) from None
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
    """A time with its zone, RFC 3339; kept as UTC."""

    def __init__(self, *, description: str, **options: Any) -> None:
        wrong = "Not a valid time with its zone, such as 2026-11-23T09:00:00+01:00."
        super().__init__(
            format="iso",
            metadata={"description": f"{description} RFC 3339, with its zone."},
            error_messages={"invalid": wrong, "invalid_awareness": wrong},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            instant = super()._deserialize(value, attr, data, **kwargs)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None
        if not _EARLIEST_YEAR <= instant.year <= 9998:
            raise ValidationError([Coded("out-of-range", f"should be in the years {_EARLIEST_YEAR} to 9998")])
        return instant.astimezone(UTC)


class BylineField(fields.Field):
    """A name, or {"name", "url"}."""

    def __init__(self) -> None:
        named = {"type": "object", "required": ["name"], "additionalProperties": False}
        named["properties"] = {"name": {"type": "string"}, "url": {"type": "string", "format": "uri"}}
        super().__init__(metadata={"oneOf": [{"type": "string"}, named]})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str | None]:
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise ValidationError(["Not a valid byline: give a name, or an object with name and url."])
        return _BYLINE.load(dict(given))


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class BylineBody(_Strict):
    """Who made an article."""

    name = Line(most=texts.BYLINE_MAX, least=1, description="As readers see it.", required=True)
    url = fields.String(
        load_default=None,
        validate=[
            validate.Length(max=texts.URL_MAX),
            _shaped(r"https?://[^\s\"<>\\]+", "Not a valid address: it should begin with https://."),
        ],
    )


_BYLINE = BylineBody()


def _tags() -> fields.List:
    return fields.List(
        Line(most=texts.TAG_MAX, least=1, description="A tag."),
        validate=validate.Length(max=texts.TAGS_MAX),
        metadata={"description": f"At most {texts.TAGS_MAX}; repeated ones count once."},
    )


def _bylines() -> fields.List:
    return fields.List(
        BylineField(),
        validate=validate.Length(max=texts.BYLINES_MAX),
        metadata={"description": f"At most {texts.BYLINES_MAX}, each a name or an object with name and url."},
    )


def _urgency() -> Whole:
    return Whole(
        validate=validate.Range(min=1, max=8),
        metadata={"description": "1 (flash: overtakes everything else) to 8; 4 by default. Source: IPTC ninjs."},
    )


def _slug() -> fields.String:
    return fields.String(
        validate=[
            validate.Length(min=1, max=slugs.SLUG_MAX),
            _shaped(slugs.SLUG.pattern, "Not a valid slug: small letters a to z, digits, single hyphens between them."),
        ],
        metadata={
            "description": "The last part of the address; made from the headline when left out.",
            "pattern": f"^{slugs.SLUG.pattern}$",
        },
    )


def _format(**options: Any) -> fields.String:
    return fields.String(
        **options,
        validate=validate.OneOf(bodies.FORMATS),
        metadata={
            "description": "html; markdown (CommonMark with tables; HTML passes); or text (paragraphs at blank lines)."
        },
    )


def _body_text(**options: Any) -> fields.String:
    allowed = " ".join(sorted(bodies.ALLOWED_TAGS))
    return fields.String(
        **options,
        metadata={
            "description": f"1–{texts.BODY_MAX} characters. HTML is sanitised: {allowed} are kept, with lang, dir and "
            "what their meaning needs (href, cite, datetime, colspan …), links to http:, https:, mailto: and /, "
            "headings moved to the levels 2 to 4. What is taken away comes back as warnings.",
            "maxLength": texts.BODY_MAX,
        },
    )


class BodyBody(_Strict):
    """An article's text in one of three formats."""

    format = _format(required=True)
    text = _body_text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> bodies.Body:
        """The sanitised body, or its fault at /body/text."""
        try:
            return bodies.make_body(data["format"], data["text"])
        except BadText as error:
            raise ValidationError({"text": [Coded(error.code, str(error))]}) from None


class BodyPatchBody(_Strict):
    """The members of an article's body that change."""

    format = _format()
    text = _body_text()


class _ArticleFields(_Strict):
    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(**options)
        self.newsroom = newsroom
        languages = validate.OneOf(newsroom.languages, error="Must be one of: {choices}.")
        sections = validate.OneOf([section.key for section in newsroom.sections], error="Must be one of: {choices}.")
        for name, allowed in (("language", languages), ("section", sections)):
            self.fields[name].validators = [allowed]

    headline = Line(most=texts.HEADLINE_MAX, least=1, description="The title that readers see.")
    standfirst = Line(most=texts.STANDFIRST_MAX, description="The summary below the headline.")
    language = fields.String(metadata={"description": "One of the newsroom's languages; its first by default."})
    section = fields.String(metadata={"description": "The key of one of the newsroom's sections."})
    tags = _tags()
    bylines = _bylines()
    slug = _slug()
    urgency = _urgency()
    notify = Flag(metadata={"description": "false: nobody is told of it, as for imports. true by default."})
    published_at = Instant(description="When it first appeared, for imports; the moment of publication by default.")

    @post_load
    def tidy(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Tags without repetition."""
        if data.get("tags"):
            data["tags"] = tuple(dict.fromkeys(data["tags"]))
        return data


class ArticleBody(_ArticleFields):
    """A new article. status: draft (default) or live."""

    body = fields.Nested(BodyBody, required=True)
    status = fields.String(
        load_default=Status.DRAFT.value,
        validate=validate.OneOf([Status.DRAFT.value, Status.LIVE.value]),
        metadata={"description": "live publishes it at once."},
    )

    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(newsroom, **options)
        self.fields["headline"].required = True
        self.fields["section"].required = True
        self.fields["language"].load_default = newsroom.languages[0]


class ArticlePatch(_ArticleFields):
    """The fields of an article that change (RFC 7396); null gives one back its default.

    change: on a live article, refile (a slip put right, no note) or correction (with a note that readers see).
    """

    body = fields.Nested(BodyPatchBody)
    change = fields.String(
        load_default="refile",
        validate=validate.OneOf(["refile", "correction"]),
        metadata={"description": "What a change of a live article is; refile by default."},
    )
    note = Line(most=texts.NOTE_MAX, least=1, description="Of a correction: what was wrong, for readers.")

    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(newsroom, **options)
        for name in PATCH_DEFAULTS:
            self.fields[name].allow_none = True

    @post_load
    def settle(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Null as the default; change as a move, with a note exactly when it is a correction."""
        change = data.pop("change")
        note = data.pop("note", None)
        if change == "correction" and note is None:
            raise ValidationError(
                {"note": [Coded("missing", "Missing data: a correction tells readers what was wrong.")]}
            )
        if change == "refile" and note is not None:
            message = 'Only a correction has a note; send "change": "correction" with it.'
            raise ValidationError({"note": [Coded("not-allowed", message)]})
        patch = {name: PATCH_DEFAULTS[name] if value is None else value for name, value in data.items()}
        return {"patch": patch, "move": Move.CORRECT if change == "correction" else Move.REFILE, "note": note}


# What removing a field from an article (null in a merge patch) leaves; the others cannot be removed.
PATCH_DEFAULTS: dict[str, Any] = {
    "standfirst": "",
    "tags": (),
    "bylines": (),
    "urgency": 4,
    "notify": True,
    "published_at": None,
}


class NothingBody(_Strict):
    """An empty object."""


class KillBody(_Strict):
    """Why an article is killed; for the newsroom, never shown to readers."""

    reason = Line(most=texts.REASON_MAX, least=1, description="Why.", load_default=None)


class ReplayBody(_Strict):
    """Which articles to say again: all, or those changed since a time."""

    since = Instant(description="Only articles changed since then.", load_default=None)


class ArticleQuery(_Strict):
    """Which articles, and which page of them; `before` and `after` come from the Link header."""

    status = fields.String(validate=validate.OneOf([status.value for status in Status]))
    section = fields.String(validate=_shaped(r"[a-z0-9-]{1,60}", "Not a valid section."))
    language = fields.String(validate=_shaped(r"[A-Za-z0-9-]{1,35}", "Not a valid language."))
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=PAGE_MAX))
    before = fields.UUID(metadata={"description": "Only articles accepted before this one."})
    after = fields.UUID(metadata={"description": "Only articles accepted after this one."})


# Replies


def _when(**options: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(format="iso", **options)


class NoticeReply(Schema):
    """A warning: accepted, but not as it was sent."""

    pointer = fields.String(required=True, metadata={"description": "JSON Pointer into the request's body."})
    code = fields.String(required=True)
    detail = fields.String(required=True)


class BodyReply(Schema):
    """The text as the editor wrote it (sanitised when it is HTML), and the HTML that readers get."""

    format = fields.String(required=True)
    text = fields.String(required=True)
    html = fields.String(required=True)


class BylineReply(Schema):
    """Who made an article."""

    name = fields.String(required=True)
    url = fields.String(required=True, allow_none=True)


class CorrectionReply(Schema):
    """A correction: the note that readers see, and when."""

    note = fields.String(required=True)
    corrected_at = _when(attribute="made_at", required=True)


class ArticleSummaryReply(Schema):
    """An article in a list. Times are UTC; live_at is null until its page was seen live."""

    id = fields.UUID(required=True)
    change = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    status = fields.String(required=True)
    headline = fields.String(required=True)
    language = fields.String(required=True)
    section = fields.String(required=True)
    slug = fields.String(required=True)
    path = fields.String(required=True)
    url = fields.Url(required=True)
    urgency = fields.Integer(required=True)
    notify = fields.Boolean(required=True)
    accepted_at = _when(required=True)
    changed_at = _when(required=True)
    changed_by = fields.String(required=True)
    published_at = _when(required=True, allow_none=True)
    updated_at = _when(required=True, allow_none=True)
    live_at = _when(required=True, allow_none=True)
    kill_reason = fields.String(required=True, allow_none=True)
    timeline = fields.String(required=True, metadata={"description": "Where its journey is told."})


class ArticleReply(ArticleSummaryReply):
    """An article with its newest text, its corrections, and warnings about what was just sent."""

    standfirst = fields.String(required=True)
    body = fields.Nested(BodyReply, required=True)
    tags = fields.List(fields.String(), required=True)
    bylines = fields.List(fields.Nested(BylineReply), required=True)
    corrections = fields.List(fields.Nested(CorrectionReply), required=True)
    warnings = fields.List(fields.Nested(NoticeReply), required=True)


class ArticleListReply(Schema):
    """A page of articles, newest accepted first."""

    items = fields.List(fields.Nested(ArticleSummaryReply), required=True)


class StepReply(Schema):
    """One step of an article's journey. text: in plain words; detail: what they are made of."""

    at = _when(required=True)
    change = fields.Integer(required=True)
    step = fields.String(required=True)
    text = fields.String(required=True)
    detail = fields.Dict(keys=fields.String(), required=True)


class TimelineReply(Schema):
    """An article's journey: its newest steps, oldest first."""

    id = fields.UUID(required=True)
    change = fields.Integer(required=True)
    status = fields.String(required=True)
    live_at = _when(required=True, allow_none=True)
    items = fields.List(fields.Nested(StepReply), required=True)


class ReplayReply(Schema):
    """A replay that has been asked for; its jobs' references begin with its id."""

    id = fields.UUID(required=True)
    since = _when(required=True, allow_none=True)


def notices_of_turned_lines(sent: Any) -> list[Notice]:
    """Warnings for the one-line texts of a request from which direction overrides were taken out."""
    if not isinstance(sent, Mapping):
        return []
    names = ("headline", "standfirst", "note")
    return [
        Notice(f"/{name}", "direction-override-removed", "Signs that turn text around were taken out.")
        for name in names
        if isinstance(sent.get(name), str) and texts.turns_text(sent[name])
    ]
