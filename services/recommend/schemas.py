"""Request bodies and replies of recommend."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

MOST_PINS, MOST_BANS = 12, 200


class RelatedEntryReply(Schema):
    """One place of a related set.

    reason: "text", "pinned" or "latest in section"; words: what both articles are about; days_apart: between their
    first publications, None when one is not known; why: all of this as a sentence, in the article's language.
    """

    article_id = fields.UUID(required=True)
    headline = fields.String(required=True)
    score = fields.Float(required=True)
    reason = fields.String(required=True)
    words = fields.List(fields.String(), required=True)
    days_apart = fields.Float(required=True)
    why = fields.String(required=True)


class LeftOutReply(Schema):
    """An article that is near and not in the set.

    reason: "banned", "never offered", "waiting" (pinned, not live), "no room" (pinned, behind other pins), "too old",
    "copy", "story" (most likely of a story whose limit is reached) or "less alike".
    """

    article_id = fields.UUID(required=True)
    headline = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    why = fields.String(required=True)


class RelatedReply(Schema):
    """What to read after an article, best first. set_number is 0 until its set is made.

    note: what editors have decided for the article itself: it is offered nowhere, or gets none; None: neither.
    """

    article_id = fields.UUID(required=True)
    headline = fields.String(required=True)
    set_number = fields.Integer(required=True)
    made_at = fields.AwareDateTime(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    entries = fields.List(fields.Nested(RelatedEntryReply), required=True)
    left_out = fields.List(fields.Nested(LeftOutReply), required=True)


def _ids(most: int, **options: Any) -> fields.List:
    return fields.List(fields.UUID(), validate=[validate.Length(max=most), _each_once], **options)


def _each_once(ids: list[UUID]) -> None:
    if len(set(ids)) != len(ids):
        raise ValidationError("Give each article once.")


class PinsBody(Schema):
    """What is to open a related set, in order; an empty list takes all pins away."""

    article_ids = _ids(MOST_PINS, required=True)


class NamedArticle(Schema):
    """An article that an editor named. headline: None for one that is not known here (yet)."""

    article_id = fields.UUID(required=True)
    headline = fields.String(required=True, allow_none=True)
    live = fields.Boolean(required=True)


class PinsReply(Schema):
    """What opens an article's related set, in order."""

    article_id = fields.UUID(required=True)
    pins = fields.List(fields.Nested(NamedArticle), required=True)


class BansBody(Schema):
    """What is never in an article's related set, and two flags for the article itself."""

    article_ids = _ids(MOST_BANS, load_default=list)
    never_offered = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    never_gets_any = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class BeatenPin(NamedArticle):
    """A pinned article that does not show. set_of: in whose related set it is pinned."""

    set_of = fields.UUID(required=True)


class BansReply(Schema):
    """See BansBody. beaten_pins: what is pinned and does not show because of these bans, for a ban beats a pin."""

    article_id = fields.UUID(required=True)
    bans = fields.List(fields.Nested(NamedArticle), required=True)
    never_offered = fields.Boolean(required=True)
    never_gets_any = fields.Boolean(required=True)
    beaten_pins = fields.List(fields.Nested(BeatenPin), required=True)


class AgeLimitBody(Schema):
    """How many days apart two articles may be; None: any number."""

    age_limit_days = fields.Float(
        required=True, allow_none=True, validate=validate.Range(min=0, max=36_500, min_inclusive=False)
    )


class AgeLimitReply(AgeLimitBody):
    """A section and its age limit."""

    section = fields.String(required=True)


class AgeLimitList(Schema):
    """The sections that have an age limit."""

    items = fields.List(fields.Nested(AgeLimitReply), required=True)


class SearchQuery(Schema):
    """What a reader searches. Any q is a query; a from, a lang or a cursor that cannot be read is refused.

    q: words, "phrases" and -exclusions. lang: of the articles, as "fr". section: its key. from: a day or an instant;
    only what was published since. cursor: the `next` of the page before. limit: articles on a page, 20 by default.
    """

    class Meta:
        unknown = EXCLUDE

    q = fields.String(load_default="")
    lang = fields.String(load_default="")
    section = fields.String(load_default="")
    since = fields.String(load_default="", data_key="from")
    cursor = fields.String(load_default="")
    limit = fields.String(load_default="")


class SearchHitReply(Schema):
    """An article found. url: its page's path; excerpt_html: escaped, what was asked for in <mark>."""

    id = fields.UUID(required=True)
    url = fields.String(required=True)
    headline = fields.String(required=True)
    excerpt_html = fields.String(required=True)
    section = fields.String(required=True)
    language = fields.String(required=True)
    first_published_at = fields.AwareDateTime(required=True)


class SearchReply(Schema):
    """A page of articles found. next: the cursor of the next one, None on the last."""

    items = fields.List(fields.Nested(SearchHitReply), required=True)
    next = fields.String(required=True, allow_none=True)


class DraftBody(Schema):
    """A draft's text. format: as in an article."""

    format = fields.String(required=True, validate=validate.OneOf(["html", "markdown", "text"]))
    text = fields.String(required=True, validate=validate.Length(max=2_000_000))


class SimilarBody(Schema):
    """A draft, in the fields of an article. article_id: of the draft itself, if it has one."""

    headline = fields.String(required=True, validate=validate.Length(min=1, max=1000))
    standfirst = fields.String(load_default="", validate=validate.Length(max=5000))
    body = fields.Nested(DraftBody, load_default=None)
    language = fields.String(load_default="fr", validate=validate.Length(min=2, max=35))
    article_id = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=10, strict=True, validate=validate.Range(min=1, max=50))


class SimilarArticleReply(Schema):
    """A live article that shares text with a draft.

    score: 0 to 1, the share of the smaller opening that both have. kind: "same text", "version" or "passages".
    shared: up to three passages that both have.
    """

    id = fields.UUID(required=True)
    url = fields.String(required=True)
    headline = fields.String(required=True)
    section = fields.String(required=True)
    language = fields.String(required=True)
    first_published_at = fields.AwareDateTime(required=True)
    score = fields.Float(required=True)
    kind = fields.String(required=True)
    shared = fields.List(fields.String(), required=True)


class SimilarReply(Schema):
    """What is like a draft, the most alike first."""

    items = fields.List(fields.Nested(SimilarArticleReply), required=True)


class RefreshReply(Schema):
    """How a refresh of the weights stands. weights_number grows with each; running: one waits or is being done."""

    running = fields.Boolean(required=True)
    weights_number = fields.Integer(required=True)
    articles_weighed = fields.Integer(required=True)
    refreshed_at = fields.AwareDateTime(required=True, allow_none=True)


# Bodies as an editor or a script would send them, by the names of their schemas.
EXAMPLES: dict[str, dict[str, Any]] = {
    "PinsBody": {"article_ids": ["01a20893-b456-71bb-b1b1-b9814df36d12"]},
    "BansBody": {"article_ids": ["01a20893-b456-71bb-b1b1-b9814df36d12"], "never_gets_any": False},
    "AgeLimitBody": {"age_limit_days": 30},
    "SimilarBody": {
        "headline": "La halle du port rouvre samedi",
        "body": {"format": "text", "text": "Après deux ans de travaux, la halle rouvre."},
        "language": "fr",
    },
}
