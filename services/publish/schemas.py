"""What publish's routes take and give, checked by marshmallow; OpenAPI is made from it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

EVENTS = ("article.published", "article.corrected", "article.killed")


def _names(what: str, most: int = 50) -> fields.List:
    return fields.List(
        fields.String(validate=validate.Length(min=1, max=80)),
        validate=validate.Length(min=1, max=most),
        metadata={"description": what},
    )


class SubscriptionFilter(Schema):
    """What a subscription hears of. An absent field lets everything pass."""

    languages = _names("Languages, as in articles: fr, en, ar.")
    sections = _names("Keys of sections, as in articles.")
    events = fields.List(
        fields.String(validate=validate.OneOf(EVENTS)),
        validate=validate.Length(min=1, max=len(EVENTS)),
        metadata={"description": "Kinds of events. Default: all of them."},
    )


class SubscriptionBody(Schema):
    """Who wants to be told, and of what."""

    channel = fields.String(required=True, validate=validate.OneOf(["webhook"]))
    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=2000),
        metadata={"description": "Where events are posted: https, in no private network."},
    )
    filter = fields.Nested(SubscriptionFilter, load_default=dict)


class SubscriptionReply(Schema):
    """A subscription. status: active, or disabled with why."""

    id = fields.UUID(required=True)
    channel = fields.String(required=True)
    url = fields.String(required=True)
    filter = fields.Dict(required=True)
    status = fields.String(required=True)
    why = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class NewSubscriptionReply(SubscriptionReply):
    """A subscription just made, with the secret that is shown this once."""

    secret = fields.String(required=True)


class SubscriptionList(Schema):
    """A page of subscriptions, oldest first."""

    items = fields.List(fields.Nested(SubscriptionReply), required=True)


class PageQuery(Schema):
    """Which page of a list: `after` is the id of the last one on the page before."""

    after = fields.UUID()


class AttemptReply(Schema):
    """One try at a delivery. status is null when no answer came."""

    at = fields.AwareDateTime(required=True)
    took_ms = fields.Integer(required=True)
    status = fields.Integer(allow_none=True, required=True)
    answer = fields.String(required=True)


class DeliveryReply(Schema):
    """One event owed to one subscription, with its attempts. state: due, delivered, failed or superseded."""

    id = fields.UUID(required=True)
    subscription_id = fields.UUID(required=True)
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
    state = fields.String(validate=validate.OneOf(["due", "delivered", "failed", "superseded"]))
    before = fields.UUID()


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
        metadata={"description": "The old address: a path of this site, like /2019/un-article."},
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
