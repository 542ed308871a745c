"""The wire form of every event: its marshmallow schema, in a CloudEvents 1.0 JSON envelope.

Both sides validate: who says an event cannot send what nobody could read, and who hears one refuses what is not one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from shared import events
from shared.quick_schemas import NoQuickWay, NotPlain, Quick
from shared.roles import ROLES


class _Facts(Schema):
    """A part of an event. Unknown fields are passed over: a newer sender may say more than this listener knows."""

    class Meta:
        unknown = EXCLUDE

    makes: type

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> object:
        """The dataclass that the loaded fields describe."""
        return self.makes(**data)


class _Tuple(fields.List):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs) or ())


def _when(**options: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(format="iso", default_timezone=UTC, **options)


def _text(most: int, least: int = 0) -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=least, max=most))


class BylineSchema(_Facts):
    """See events.Byline."""

    makes = events.Byline
    name = _text(200, 1)
    url = fields.String(allow_none=True, load_default=None)


class CorrectionSchema(_Facts):
    """See events.Correction."""

    makes = events.Correction
    note = _text(500, 1)
    corrected_at = _when(required=True)


class PictureSchema(_Facts):
    """See events.Picture."""

    makes = events.Picture
    media_id = fields.UUID(required=True)
    digest = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))
    media_type = _text(60, 3)
    width = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    height = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    alt = _text(2000)
    caption = fields.String(load_default="")
    credit = fields.String(load_default="")
    focus_x = fields.Float(load_default=0.5, validate=validate.Range(min=0, max=1))
    focus_y = fields.Float(load_default=0.5, validate=validate.Range(min=0, max=1))


class RetractionSchema(_Facts):
    """See events.Retraction."""

    makes = events.Retraction
    note = _text(500)
    retracted_at = _when(required=True)


class PublicArticleSchema(_Facts):
    """See events.PublicArticle."""

    makes = events.PublicArticle
    id = fields.UUID(required=True)
    change = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    revision = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    status = fields.String(required=True, validate=validate.OneOf(["live", "killed", "retracted", "expired"]))
    language = _text(35, 2)
    section = _text(80, 1)
    slug = _text(200, 1)
    path = fields.String(required=True, validate=validate.Regexp(r"/[^\s?#]{0,600}\Z"))
    headline = _text(1000)
    standfirst = _text(5000)
    body_html = _text(4_000_000)
    first_published_at = _when(required=True)
    updated_at = _when(required=True)
    tags = _Tuple(fields.String(), load_default=())
    bylines = _Tuple(fields.Nested(BylineSchema), load_default=())
    corrections = _Tuple(fields.Nested(CorrectionSchema), load_default=())
    urgency = fields.Integer(load_default=4, strict=True, validate=validate.Range(min=1, max=8))
    notify = fields.Boolean(load_default=True)
    images = _Tuple(fields.Nested(PictureSchema), load_default=())
    translations = fields.UUID(allow_none=True, load_default=None)
    source = fields.String(load_default="")
    canonical_url = fields.String(allow_none=True, load_default=None)
    evergreen = fields.Boolean(load_default=False)
    old_paths = _Tuple(fields.String(), load_default=())
    retraction = fields.Nested(RetractionSchema, allow_none=True, load_default=None)
    live_since = _when(allow_none=True, load_default=None)


class _ArticleEventSchema(_Facts):
    article = fields.Nested(PublicArticleSchema, required=True)
    replayed = fields.Boolean(load_default=False)


class ArticlePublishedSchema(_ArticleEventSchema):
    """See events.ArticlePublished."""

    makes = events.ArticlePublished


class ArticleCorrectedSchema(_ArticleEventSchema):
    """See events.ArticleCorrected."""

    makes = events.ArticleCorrected


class ArticleKilledSchema(_ArticleEventSchema):
    """See events.ArticleKilled."""

    makes = events.ArticleKilled


class ArticleRetractedSchema(_ArticleEventSchema):
    """See events.ArticleRetracted."""

    makes = events.ArticleRetracted


class ArticleExpiredSchema(_ArticleEventSchema):
    """See events.ArticleExpired."""

    makes = events.ArticleExpired


class PreviewedArticleSchema(PublicArticleSchema):
    """An article as a preview shows it: in any state but killed."""

    status = fields.String(
        required=True, validate=validate.OneOf(["draft", "scheduled", "live", "retracted", "expired"])
    )


class ArticlePreviewedSchema(_Facts):
    """See events.ArticlePreviewed."""

    makes = events.ArticlePreviewed
    id = fields.UUID(required=True)
    digest = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))
    expires_at = _when(required=True)
    number = fields.Integer(load_default=1, strict=True, validate=validate.Range(min=1))
    article = fields.Nested(PreviewedArticleSchema, allow_none=True, load_default=None)
    killed_article = fields.UUID(allow_none=True, load_default=None)
    killed_change = fields.Integer(allow_none=True, load_default=None, strict=True)


class KeyChangedSchema(_Facts):
    """See events.KeyChanged."""

    makes = events.KeyChanged
    id = fields.UUID(required=True)
    change = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    name = _text(80, 1)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    digest = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))
    created_at = _when(required=True)
    created_by = _text(80, 1)
    expires_at = _when(allow_none=True, load_default=None)
    revoked_at = _when(allow_none=True, load_default=None)


class KeyUsedSchema(_Facts):
    """See events.KeyUsed."""

    makes = events.KeyUsed
    id = fields.UUID(required=True)
    used_at = _when(required=True)


class RelatedSetEntrySchema(_Facts):
    """See events.RelatedSetEntry."""

    makes = events.RelatedSetEntry
    article_id = fields.UUID(required=True)
    score = fields.Float(required=True, allow_nan=False)
    reason = _text(60, 1)


class RelatedSetSchema(_Facts):
    """See events.RelatedSet."""

    makes = events.RelatedSet
    article_id = fields.UUID(required=True)
    set_number = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    entries = _Tuple(fields.Nested(RelatedSetEntrySchema), required=True)


class RelatedChangedSchema(_Facts):
    """See events.RelatedChanged."""

    makes = events.RelatedChanged
    sets = _Tuple(fields.Nested(RelatedSetSchema), required=True)


class ProgressFactSchema(_Facts):
    """See events.ProgressFact."""

    makes = events.ProgressFact
    article_id = fields.UUID(required=True)
    change = fields.Integer(required=True, strict=True)
    step = _text(60, 1)
    at = _when(required=True)
    detail = fields.Dict(keys=fields.String(), required=True)


class ArticleProgressSchema(_Facts):
    """See events.ArticleProgress."""

    makes = events.ArticleProgress
    facts = _Tuple(fields.Nested(ProgressFactSchema), required=True)


SCHEMAS: dict[str, Schema] = {
    schema.makes.type: schema
    for schema in (
        ArticlePublishedSchema(),
        ArticleCorrectedSchema(),
        ArticleKilledSchema(),
        ArticleRetractedSchema(),
        ArticleExpiredSchema(),
        ArticlePreviewedSchema(),
        KeyChangedSchema(),
        KeyUsedSchema(),
        RelatedChangedSchema(),
        ArticleProgressSchema(),
    )
}


_QUICK: dict[str, Quick] = {}
for _kind, _schema in SCHEMAS.items():
    with suppress(NoQuickWay):
        _QUICK[_kind] = Quick(_schema)


class BadEvent(Exception):
    """What arrived is not an event that this version understands; str(error) says why."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An event as it arrived. source: the service that said it; lane: the lane it came on."""

    event: Any
    id: UUID
    source: str
    lane: str
    trace: str


def encode(event: events.Event, *, event_id: UUID, source: str, said_at: datetime, trace: str) -> dict[str, Any]:
    """The event's envelope as plain JSON values. Raises BadEvent when no listener could read it."""
    return {
        "specversion": "1.0",
        "id": str(event_id),
        "source": f"/{source}",
        "type": event.type,
        "time": said_at.isoformat(),
        "subject": event.subject,
        "datacontenttype": "application/json",
        "trace": trace,
        "data": _dumped(event),
    }


def _dumped(event: events.Event) -> dict[str, Any]:
    if quick := _QUICK.get(event.type):
        with suppress(NotPlain, TypeError, AttributeError, ValueError):
            plain = quick.dump(event)
            quick.load(plain)
            return plain
    schema = SCHEMAS[event.type]
    data: dict[str, Any] = schema.dump(event)
    if faults := schema.validate(data):
        raise BadEvent(f"{event.type} does not fit its schema: {faults}")
    return data


def _loaded(kind: str, data: Any) -> Any:
    if quick := _QUICK.get(kind):
        with suppress(NotPlain):
            return quick.load(data)
    return SCHEMAS[kind].load(data)


def decode(envelope: Mapping[str, Any], lane: str) -> Heard:
    """The event in an envelope. Raises BadEvent saying what is wrong with it."""
    try:
        return Heard(
            event=_loaded(envelope["type"], envelope["data"]),
            id=UUID(envelope["id"]),
            source=str(envelope["source"]).strip("/"),
            lane=lane,
            trace=str(envelope.get("trace", "")),
        )
    except ValidationError as error:
        raise BadEvent(f"{envelope['type']} does not fit its schema: {error.messages}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadEvent(f"not an event that this version knows: {error!r}") from error
