"""What the routes of media take and answer."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from services.ingest.domain import texts
from services.ingest.schemas.articles import PAGE_MAX
from services.ingest.schemas.fields import Coded, Line, Strict


class MediaForm(Strict):
    """What comes with an uploaded picture, as fields of the form."""

    alt = Line(most=texts.ALT_MAX, description="What it shows, for those who do not see it.", load_default="")
    decorative = fields.String(
        load_default="false",
        validate=validate.OneOf(["true", "false"]),
        metadata={"description": "true: it only decorates, and needs no alt."},
    )
    caption = Line(most=texts.CAPTION_MAX, description="Below the picture; its own by default.", load_default=None)
    credit = Line(most=texts.CREDIT_MAX, description="Who made it; its own by default.", load_default=None)

    @post_load
    def check(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Either an alt text or decorative."""
        data["decorative"] = data["decorative"] == "true"
        if data["decorative"] and data["alt"]:
            raise ValidationError({"alt": [Coded("not-allowed", "A picture that only decorates has no alt text.")]})
        if not data["decorative"] and not data["alt"]:
            words = "Say in alt what the picture shows, or send decorative: true."
            raise ValidationError({"alt": [Coded("missing", words)]})
        return data


class MediaQuery(Strict):
    """Which pictures, and which page of them; `before` comes from the Link header."""

    q = fields.String(
        validate=validate.Length(max=200),
        metadata={"description": "Words of its name, alt, caption and credit."},
    )
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=PAGE_MAX))
    before = fields.UUID(metadata={"description": "Only pictures uploaded before this one."})


class MediaReply(Schema):
    """A picture as it was uploaded. width, height: upright, in pixels; size: in bytes; sha256: of the kept file."""

    id = fields.UUID(required=True)
    sha256 = fields.String(attribute="digest", required=True)
    media_type = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    size = fields.Integer(required=True)
    name = fields.String(required=True)
    alt = fields.String(required=True)
    decorative = fields.Boolean(required=True)
    caption = fields.String(required=True)
    credit = fields.String(required=True)
    copyright = fields.String(required=True)
    uploaded_at = fields.AwareDateTime(format="iso", required=True)
    uploaded_by = fields.String(required=True)


class MediaListReply(Schema):
    """A page of pictures, newest first."""

    items = fields.List(fields.Nested(MediaReply), required=True)
