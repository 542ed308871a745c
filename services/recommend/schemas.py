"""Request bodies and replies of recommend."""

from __future__ import annotations

from marshmallow import Schema, fields


class RelatedEntryReply(Schema):
    """One place of a related set. reason: "text" or "latest in section"; words: what both articles are about."""

    article_id = fields.UUID(required=True)
    headline = fields.String(required=True)
    score = fields.Float(required=True)
    reason = fields.String(required=True)
    words = fields.List(fields.String(), required=True)


class RelatedReply(Schema):
    """What to read after an article, best first. set_number is 0 until its set is made."""

    article_id = fields.UUID(required=True)
    headline = fields.String(required=True)
    set_number = fields.Integer(required=True)
    made_at = fields.AwareDateTime(required=True, allow_none=True)
    entries = fields.List(fields.Nested(RelatedEntryReply), required=True)


class RefreshReply(Schema):
    """How a refresh of the weights stands. weights_number grows with each; running: one waits or is being done."""

    running = fields.Boolean(required=True)
    weights_number = fields.Integer(required=True)
    articles_weighed = fields.Integer(required=True)
    refreshed_at = fields.AwareDateTime(required=True, allow_none=True)
