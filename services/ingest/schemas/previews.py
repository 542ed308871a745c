"""What the routes of previews take and answer."""

from __future__ import annotations

from marshmallow import Schema, fields

from services.ingest.schemas.fields import Instant, Strict


class PreviewBody(Strict):
    """A link that is asked for."""

    expires_at = Instant(description="When it ends: within 90 days; in a week by default.", load_default=None)


class PreviewReply(Schema):
    """A link that shows an article as it was at a change."""

    id = fields.UUID(required=True)
    change = fields.Integer(required=True)
    made_at = fields.AwareDateTime(format="iso", required=True)
    made_by = fields.String(required=True)
    expires_at = fields.AwareDateTime(format="iso", required=True)


class NewPreviewReply(PreviewReply):
    """A link that was just made. url: shown once, and in a repetition of the request; who has it sees the page."""

    url = fields.String(required=True, allow_none=True)


class PreviewListReply(Schema):
    """The valid links to an article, newest first."""

    items = fields.List(fields.Nested(PreviewReply), required=True)
