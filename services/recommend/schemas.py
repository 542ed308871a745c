"""Request bodies and replies of recommend."""

from __future__ import annotations

from marshmallow import EXCLUDE, Schema, fields


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


class SearchQuery(Schema):
    """What a reader searches. Nothing here is refused: what cannot be read is passed over.

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


class RefreshReply(Schema):
    """How a refresh of the weights stands. weights_number grows with each; running: one waits or is being done."""

    running = fields.Boolean(required=True)
    weights_number = fields.Integer(required=True)
    articles_weighed = fields.Integer(required=True)
    refreshed_at = fields.AwareDateTime(required=True, allow_none=True)
