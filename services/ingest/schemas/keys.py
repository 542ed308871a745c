"""What the routes of API keys take and answer."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.ingest.schemas.fields import Instant, Line, Strict
from shared.roles import ROLES

NAME_MAX = 80


class KeyBody(Strict):
    """A new API key."""

    name = Line(most=NAME_MAX, least=1, description="Whose it is: timelines show it.", required=True)
    role = fields.String(
        required=True,
        validate=validate.OneOf(ROLES),
        metadata={"description": "reporter < editor < chief: each may do what those before it may; operator is apart."},
    )
    expires_at = Instant(description="When it ends; never, when left out.", load_default=None)


class KeyReply(Schema):
    """An API key. last_used_at: to the minute with ingest, to ten minutes with the other services."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    created_at = fields.AwareDateTime(format="iso", required=True)
    created_by = fields.String(required=True)
    expires_at = fields.AwareDateTime(format="iso", required=True, allow_none=True)
    revoked_at = fields.AwareDateTime(format="iso", required=True, allow_none=True)
    last_used_at = fields.AwareDateTime(format="iso", required=True, allow_none=True)


class NewKeyReply(KeyReply):
    """An API key that was just made. key: what to send as a Bearer token; a repeated request is shown it again."""

    key = fields.String(required=True, allow_none=True)


class KeyListReply(Schema):
    """All API keys, newest first."""

    items = fields.List(fields.Nested(KeyReply), required=True)
