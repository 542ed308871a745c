"""What readers' browsers send, checked by marshmallow."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields, validate

from services.publish.channels.domain import ALERT


class PushKeys(Schema):
    """A browser's keys: its public one and what authenticates messages to it, in base64url."""

    p256dh = fields.String(required=True, validate=validate.Length(max=120))
    auth = fields.String(required=True, validate=validate.Length(max=40))


class PushBody(Schema):
    """A PushSubscription as browsers write it, and what its reader wants. replaces: the endpoint that it had before."""

    class Meta:
        """Browsers add members of their own."""

        unknown = EXCLUDE

    endpoint = fields.String(required=True, validate=validate.Length(min=1, max=2000))
    keys = fields.Nested(PushKeys, required=True)
    language = fields.String(load_default="", validate=validate.Length(max=35))
    sections = fields.List(
        fields.String(validate=validate.Length(min=1, max=80)), load_default=list, validate=validate.Length(max=50)
    )
    urgency = fields.Integer(strict=True, load_default=ALERT, validate=validate.Range(min=1, max=8))
    replaces = fields.String(load_default="", validate=validate.Length(max=2000))


class LeavePushBody(Schema):
    """Which browser wants no more alerts: only it knows its endpoint."""

    endpoint = fields.String(required=True, validate=validate.Length(min=1, max=2000))
