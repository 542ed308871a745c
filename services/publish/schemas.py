"""What publish's routes take and give, checked by marshmallow; OpenAPI is made from it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.publish.channels.domain import CHANNELS, EVENTS, OPERATOR_CHANNELS

STATES = ("due", "sending", "delivered", "failed", "unknown", "superseded", "discarded")
# What every relay takes: RFC 5322's dot-atom at a name of DNS. Other scripts need SMTPUTF8, which few offer.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?=[^.]{{2}}){_LABEL}\Z")
_YEARS = (1970, 9998)


def _names(what: str, most: int = 50) -> fields.List:
    return fields.List(
        fields.String(validate=validate.Length(min=1, max=80)),
        validate=validate.Length(min=1, max=most),
        metadata={"description": what},
    )


def is_mail_address(text: str) -> bool:
    """Whether a letter can be sent there: bounded, in ASCII, one @, a domain with a dot."""
    return len(text) <= 254 and _MAIL.match(text) is not None


class MailAddress(fields.String):
    """A mail address, as is_mail_address says; "" for none."""

    def _deserialize(self, value: object, *args: object, **kwargs: object) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        if text and not is_mail_address(text):
            raise ValidationError("Not a valid mail address.")
        return text


def _check_years(moment: datetime) -> None:
    """Raise ValidationError for a time that no database holds, or none once it is UTC."""
    first, last = _YEARS
    if not first < moment.year <= last:
        raise ValidationError(f"should be in the years {first + 1} to {last}")


class SubscriptionFilter(Schema):
    """What a subscription hears of. An absent field lets everything pass."""

    languages = _names("Languages, as in articles: fr, en, ar.")
    sections = _names("Keys of sections, as in articles.")
    tags = _names("Tags: articles that have at least one of them.")
    urgency = fields.Integer(
        strict=True,
        validate=validate.Range(min=1, max=8),
        metadata={"description": "Only articles as urgent as this or more: 1 is a flash, 8 the least urgent."},
    )
    events = fields.List(
        fields.String(validate=validate.OneOf(EVENTS)),
        validate=validate.Length(min=1, max=len(EVENTS)),
        metadata={"description": "Kinds of events. Default for webhooks: published, corrected, killed, retracted."},
    )


class SubscriptionBody(Schema):
    """Who wants to be told, and of what."""

    channel = fields.String(required=True, validate=validate.OneOf(OPERATOR_CHANNELS))
    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=2000),
        metadata={
            "description": "Where events are posted: https, in no private network. For websub the hub, for indexnow "
            "the search engine's endpoint, for apprise an Apprise URL."
        },
    )
    filter = fields.Nested(SubscriptionFilter, load_default=dict)
    contact = MailAddress(
        load_default="", metadata={"description": "The owner's mail address, told when the subscription is paused."}
    )


class SubscriptionPatch(Schema):
    """What is to change of a subscription; what is absent stays."""

    filter = fields.Nested(SubscriptionFilter)
    contact = MailAddress()


class SubscriptionReply(Schema):
    """A subscription. status: active, paused, disabled or (a reader's own) pending, with why.

    An Apprise URL, which holds passwords, is shown without what follows its service's name.
    """

    id = fields.UUID(required=True)
    channel = fields.String(required=True)
    url = fields.Function(lambda one: _shown_url(one), required=True, metadata={"type": "string"})
    filter = fields.Dict(required=True)
    contact = fields.String(required=True)
    status = fields.String(required=True)
    why = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    failing_since = fields.AwareDateTime(allow_none=True)
    old_secret_until = fields.AwareDateTime(allow_none=True)


def _shown_url(one: Any) -> str:
    read = one.get if isinstance(one, dict) else lambda name: getattr(one, name)
    url = str(read("url"))
    return f"{url.partition('://')[0]}://…" if read("channel") == "apprise" else url


class NewSubscriptionReply(SubscriptionReply):
    """A subscription just made, or with a new secret: shown once, and in a repetition of the request. Webhooks only."""

    secret = fields.String()


class SubscriptionList(Schema):
    """A page of subscriptions, oldest first."""

    items = fields.List(fields.Nested(SubscriptionReply), required=True)


class SubscriptionQuery(Schema):
    """Which subscriptions; `after` is the id of the last one on the page before. Readers' own only by their channel."""

    after = fields.UUID()
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    status = fields.String(validate=validate.OneOf(["active", "paused", "disabled", "pending"]))


class TestReply(Schema):
    """A test on its way: `GET /v1/deliveries/{id}` says what came of it."""

    __test__ = False

    delivery_id = fields.UUID(required=True)


class AttemptReply(Schema):
    """One try at a delivery. status is null when no answer came."""

    at = fields.AwareDateTime(required=True)
    took_ms = fields.Integer(required=True)
    status = fields.Integer(allow_none=True, required=True)
    answer = fields.String(required=True)


class DeliveryReply(Schema):
    """One event owed to one subscription, with its attempts.

    state: due, sending, delivered, failed, unknown (sent, but no answer came, and it is sent at most once), superseded
    or discarded.
    """

    id = fields.UUID(required=True)
    subscription_id = fields.UUID(required=True)
    channel = fields.String(required=True)
    article_id = fields.UUID(required=True)
    change = fields.Integer(required=True)
    type = fields.String(required=True)
    state = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    next_attempt_at = fields.AwareDateTime(allow_none=True)
    ended_at = fields.AwareDateTime(allow_none=True)
    attempts = fields.List(fields.Nested(AttemptReply), required=True)


class DeliveryList(Schema):
    """A page of deliveries, newest first."""

    items = fields.List(fields.Nested(DeliveryReply), required=True)


class DeliveryQuery(Schema):
    """Which deliveries; `before` is the id of the last one on the page before."""

    article_id = fields.UUID()
    subscription_id = fields.UUID()
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    state = fields.String(validate=validate.OneOf(STATES))
    before = fields.UUID()


class RetryBody(Schema):
    """Which failed deliveries are to be sent again; at least one of these, so that nobody repeats all by mistake."""

    since = fields.AwareDateTime(
        validate=_check_years, metadata={"description": "Those that ended at or after this time."}
    )
    until = fields.AwareDateTime(
        validate=_check_years, metadata={"description": "Those that ended before this time; default: now."}
    )
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    subscription_id = fields.UUID()
    status = fields.Integer(
        strict=True,
        validate=validate.Range(min=0, max=599),
        metadata={"description": "Those whose last attempt was answered so; 0: not answered."},
    )

    @validates_schema
    def _names_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Say which: since, until, channel, subscription_id or status.")


class ReaderBody(Schema):
    """A reader, known by a mail address or by a browser's push endpoint."""

    address = fields.String(required=True, validate=validate.Length(min=3, max=2000))


class ReaderReply(Schema):
    """All that is kept of a reader: how to reach him, what he wished, what he was sent."""

    kept = fields.Dict(required=True)


class RebuildBody(Schema):
    """What to build again: one path, or without one the whole site."""

    path = fields.String(validate=validate.Regexp(r"/[^\s?#]{0,599}\Z", error="Not a valid path: it begins with /."))


class Difference(Schema):
    """One difference between the database, the store and the feeds."""

    path = fields.String(required=True)
    problem = fields.String(required=True)
    detail = fields.String(required=True)


class DifferenceList(Schema):
    """Every difference found; none means that readers see what the database says."""

    items = fields.List(fields.Nested(Difference), required=True)


class RedirectBody(Schema):
    """An address that is to lead elsewhere, with 301."""

    path = fields.String(
        required=True,
        validate=validate.Length(min=2, max=600),
        metadata={"description": "The old address: a path of this site, like /2019/un-article, or /?p=123."},
    )
    target = fields.String(
        required=True,
        validate=validate.Length(min=1, max=2000),
        metadata={"description": "Where it leads: a path of this site, or an absolute http(s) address."},
    )


class RedirectReply(Schema):
    """A redirect. article_id: of the article whose former address it is; null for one made by hand."""

    path = fields.String(required=True)
    target = fields.String(required=True)
    article_id = fields.UUID(required=True, allow_none=True)
    made_at = fields.AwareDateTime(required=True)


class RedirectList(Schema):
    """A page of redirects, in the order of their paths."""

    items = fields.List(fields.Nested(RedirectReply), required=True)


class RedirectQuery(Schema):
    """Which page of the redirects: `after` is the path of the last one on the page before."""

    after = fields.String(load_default="", validate=validate.Length(max=600))


class RedirectPath(Schema):
    """Which redirect."""

    path = fields.String(required=True, validate=validate.Length(min=2, max=600))


# Bodies as an operator would send them, by the names of their schemas.
EXAMPLES: dict[str, dict[str, Any]] = {
    "SubscriptionBody": {
        "channel": "webhook",
        "url": "https://partenaire.example/rotative",
        "filter": {"languages": ["fr"], "sections": ["politique"]},
        "contact": "technique@partenaire.example",
    },
    "SubscriptionPatch": {"filter": {"languages": ["fr", "en"]}, "contact": "technique@partenaire.example"},
    "RetryBody": {"since": "2026-11-23T09:00:00Z", "channel": "webhook", "status": 503},
    "ReaderBody": {"address": "lectrice@courriel.example"},
    "RebuildBody": {"path": "/societe/la-halle-du-port-rouvre-samedi"},
    "RedirectBody": {"path": "/2019/la-halle", "target": "/societe/la-halle-du-port-rouvre-samedi"},
}
