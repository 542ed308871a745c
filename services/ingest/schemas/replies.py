"""What the routes of articles answer."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields


def _when(**options: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(format="iso", **options)


class NoticeReply(Schema):
    """A warning: accepted, but not as it was sent."""

    pointer = fields.String(required=True, metadata={"description": "JSON Pointer into the request's body."})
    code = fields.String(required=True)
    detail = fields.String(required=True)


class BodyReply(Schema):
    """The text as the editor wrote it (sanitised when it is HTML), and the HTML that readers get."""

    format = fields.String(required=True)
    text = fields.String(required=True)
    html = fields.String(required=True)


class BylineReply(Schema):
    """Who made an article."""

    name = fields.String(required=True)
    url = fields.String(required=True, allow_none=True)


class CorrectionReply(Schema):
    """A correction: the note that readers see, and when."""

    note = fields.String(required=True)
    corrected_at = _when(attribute="made_at", required=True)


class FocalPointReply(Schema):
    """What a crop must keep: 0 to 1 from the left and from the top."""

    x = fields.Float(required=True)
    y = fields.Float(required=True)


class ImageReply(Schema):
    """A picture as this article shows it. width, height: of the original, in pixels."""

    media = fields.UUID(required=True)
    media_type = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    alt = fields.String(required=True)
    caption = fields.String(required=True)
    credit = fields.String(required=True)
    focal_point = fields.Nested(FocalPointReply, required=True)


class RetractionReply(Schema):
    """That an article is withdrawn though its page stays: what readers are told, and when."""

    note = fields.String(required=True)
    retracted_at = _when(required=True)


class ArticleSummaryReply(Schema):
    """An article in a list. Times are UTC; live_at is null until its page was seen live.

    embargo_local: the embargo as the newsroom's clocks show it.
    """

    id = fields.UUID(required=True)
    change = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    status = fields.String(required=True)
    headline = fields.String(required=True)
    language = fields.String(required=True)
    section = fields.String(required=True)
    slug = fields.String(required=True)
    path = fields.String(required=True)
    url = fields.Url(required=True)
    urgency = fields.Integer(required=True)
    notify = fields.Boolean(required=True)
    accepted_at = _when(required=True)
    changed_at = _when(required=True)
    changed_by = fields.String(required=True)
    published_at = _when(required=True, allow_none=True)
    updated_at = _when(required=True, allow_none=True)
    live_at = _when(required=True, allow_none=True)
    embargo = _when(required=True, allow_none=True)
    embargo_local = fields.String(required=True, allow_none=True)
    expires = _when(required=True, allow_none=True)
    kill_reason = fields.String(required=True, allow_none=True)
    timeline = fields.String(required=True, metadata={"description": "Where its journey is told."})


class ArticleReply(ArticleSummaryReply):
    """An article with its newest text, its corrections, and warnings about what was just sent."""

    standfirst = fields.String(required=True)
    body = fields.Nested(BodyReply, required=True)
    tags = fields.List(fields.String(), required=True)
    bylines = fields.List(fields.Nested(BylineReply), required=True)
    images = fields.List(fields.Nested(ImageReply), required=True)
    source = fields.String(required=True)
    canonical_url = fields.String(required=True, allow_none=True)
    translations = fields.UUID(required=True, allow_none=True)
    evergreen = fields.Boolean(required=True)
    custom = fields.Dict(keys=fields.String(), required=True)
    old_paths = fields.List(fields.String(), required=True)
    retraction = fields.Nested(RetractionReply, required=True, allow_none=True)
    corrections = fields.List(fields.Nested(CorrectionReply), required=True)
    warnings = fields.List(fields.Nested(NoticeReply), required=True)


class ArticleListReply(Schema):
    """A page of articles, newest accepted first."""

    items = fields.List(fields.Nested(ArticleSummaryReply), required=True)


class StepReply(Schema):
    """One step of an article's journey. text: in plain words; detail: what they are made of.

    line: of one that grows as deliveries arrive, a name by which its newer form takes the older one's place; else "".
    """

    at = _when(required=True)
    change = fields.Integer(required=True)
    step = fields.String(required=True)
    text = fields.String(required=True)
    detail = fields.Dict(keys=fields.String(), required=True)
    line = fields.String(required=True)


class TimelineReply(Schema):
    """An article's journey: its newest steps, oldest first."""

    id = fields.UUID(required=True)
    change = fields.Integer(required=True)
    status = fields.String(required=True)
    live_at = _when(required=True, allow_none=True)
    items = fields.List(fields.Nested(StepReply), required=True)


class SurfaceReply(Schema):
    """One place where readers could meet a killed article. gone_at: since when it is gone from there; null: not yet."""

    surface = fields.String(required=True, metadata={"description": "A stable name, like lists."})
    name = fields.String(required=True, metadata={"description": "The same in the reader's language."})
    gone = fields.Boolean(required=True)
    gone_at = _when(required=True, allow_none=True)
    after_ms = fields.Integer(required=True, allow_none=True, metadata={"description": "Since the kill."})


class KillReportReply(Schema):
    """Where a killed article is gone from. complete: gone from every surface; text: that, in a sentence.

    One that was never public has no surfaces but its preview links.
    """

    id = fields.UUID(required=True)
    change = fields.Integer(required=True)
    killed_at = _when(required=True)
    killed_by = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    was_public = fields.Boolean(required=True)
    complete = fields.Boolean(required=True)
    completed_at = _when(required=True, allow_none=True)
    text = fields.String(required=True)
    surfaces = fields.List(fields.Nested(SurfaceReply), required=True)


class ReplayReply(Schema):
    """A replay that has been asked for; its jobs' references begin with its id."""

    id = fields.UUID(required=True)
    since = _when(required=True, allow_none=True)


class VerdictReply(Schema):
    """What became of one line of a batch. status: as a request of its own would have had it.

    id, change, state, url and warnings: of an accepted one; 200 instead of 201: an article with this origin was there.
    problem: of a refused one. replay: this is the first verdict, given again.
    """

    line = fields.Integer(required=True)
    status = fields.Integer(required=True)
    id = fields.UUID()
    change = fields.Integer()
    state = fields.String()
    url = fields.Url()
    warnings = fields.List(fields.Nested(NoticeReply))
    problem = fields.Dict(keys=fields.String())
    replay = fields.Boolean()


class RevisionSummaryReply(Schema):
    """One text of an article, in a list. note: of a correction."""

    number = fields.Integer(required=True)
    headline = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    made_at = _when(required=True)
    made_by = fields.String(required=True)


class RevisionListReply(Schema):
    """A page of an article's revisions, newest first."""

    items = fields.List(fields.Nested(RevisionSummaryReply), required=True)


class RevisionReply(RevisionSummaryReply):
    """One unchanging text of an article."""

    standfirst = fields.String(required=True)
    body = fields.Nested(BodyReply, required=True)
    tags = fields.List(fields.String(), required=True)
    bylines = fields.List(fields.Nested(BylineReply), required=True)
    images = fields.List(fields.Nested(ImageReply), required=True)
    source = fields.String(required=True)


class PartReply(Schema):
    """A stretch of text. change: same, added or removed."""

    change = fields.String(required=True)
    text = fields.String(required=True)


class FieldDifferenceReply(Schema):
    """How one field differs: its parts in order; of a body the text as readers see it, a line a block."""

    field = fields.String(required=True)
    parts = fields.List(fields.Nested(PartReply), required=True)


class DifferenceReply(Schema):
    """How two revisions differ; fields that are the same are left out."""

    before = fields.Integer(data_key="from", required=True)
    after = fields.Integer(data_key="to", required=True)
    fields_ = fields.List(fields.Nested(FieldDifferenceReply), data_key="fields", required=True)
