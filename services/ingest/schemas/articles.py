"""What the routes of articles take. Unknown fields are refused, null is a fault, every length is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from services.ingest.domain import addresses, bodies, slugs, texts
from services.ingest.domain.bodies import Notice
from services.ingest.domain.states import Move, Status
from services.ingest.domain.texts import BadText
from services.ingest.schemas.fields import (
    Coded,
    Flag,
    Instant,
    JsonObject,
    Line,
    Number,
    Some,
    Strict,
    Whole,
    refused,
    shaped,
    web_address,
)
from shared.newsroom import Newsroom

PAGE_MAX = 100
# What a database takes as a number.
INTEGER_MAX = 2_147_483_647


class BylineField(fields.Field):
    """A name, or {"name", "url"}."""

    def __init__(self) -> None:
        named = {"type": "object", "required": ["name"], "additionalProperties": False}
        named["properties"] = {"name": {"type": "string"}, "url": {"type": "string", "format": "uri"}}
        super().__init__(metadata={"oneOf": [{"type": "string"}, named]})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str | None]:
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise ValidationError(["Not a valid byline: give a name, or an object with name and url."])
        return _BYLINE.load(dict(given))


class BylineBody(Strict):
    """Who made an article."""

    name = Line(most=texts.BYLINE_MAX, least=1, description="As readers see it.", required=True)
    url = web_address("Where readers find more of theirs.", load_default=None)


_BYLINE = BylineBody()


class FocalPointBody(Strict):
    """What a crop must keep: 0 to 1 from the left and from the top."""

    x = Number(required=True, validate=validate.Range(min=0, max=1))
    y = Number(required=True, validate=validate.Range(min=0, max=1))


class ImageBody(Strict):
    """A picture as this article shows it; what is left out is taken from the upload."""

    media = fields.UUID(required=True, metadata={"description": "The id that the upload was answered with."})
    alt = Line(most=texts.ALT_MAX, least=1, description="What it shows, for those who do not see it.")
    decorative = Flag(metadata={"description": "true: it only decorates, and needs no alt."})
    caption = Line(most=texts.CAPTION_MAX, description="Below the picture.")
    credit = Line(most=texts.CREDIT_MAX, description="Who made it.")
    focal_point = fields.Nested(FocalPointBody)

    @post_load
    def check(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """An alt text, or decorative: not both."""
        if data.get("decorative") and data.get("alt"):
            raise ValidationError({"alt": [Coded("not-allowed", "A picture that only decorates has no alt text.")]})
        return data


class OldPath(fields.String):
    """An address below which the article stood before, here or on another system."""

    def __init__(self) -> None:
        super().__init__(
            metadata={
                "description": "A path; accents and other scripts are kept percent-encoded, as URIs write them. "
                "Of addresses with a query only WordPress's numbers: /?p=123.",
                "maxLength": texts.PATH_MAX,
            }
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return addresses.old_path(str(super()._deserialize(value, attr, data, **kwargs)))
        except BadText as error:
            raise refused(error) from None


def _images() -> Some:
    description = f"At most {texts.IMAGES_MAX}; the first one leads."
    return Some(fields.Nested(ImageBody), most=texts.IMAGES_MAX, description=description)


def _tags() -> Some:
    description = f"At most {texts.TAGS_MAX}; repeated ones count once."
    return Some(Line(most=texts.TAG_MAX, least=1, description="A tag."), most=texts.TAGS_MAX, description=description)


def _bylines() -> Some:
    description = f"At most {texts.BYLINES_MAX}, each a name or an object with name and url."
    return Some(BylineField(), most=texts.BYLINES_MAX, description=description)


def _urgency() -> Whole:
    return Whole(
        validate=validate.Range(min=1, max=8),
        metadata={
            "description": "1 (flash: overtakes everything else; for chiefs) to 8; 4 by default. Source: IPTC ninjs."
        },
    )


def _slug() -> fields.String:
    return fields.String(
        validate=[
            validate.Length(min=1, max=slugs.SLUG_MAX),
            shaped(slugs.SLUG.pattern, "Not a valid slug: small letters a to z, digits, single hyphens between them."),
        ],
        metadata={
            "description": "The last part of the address; made from the headline when left out. Another one later "
            "moves the article, and its old address leads to the new one.",
            "pattern": f"^{slugs.SLUG.pattern}$",
        },
    )


def _format(**options: Any) -> fields.String:
    return fields.String(
        **options,
        validate=validate.OneOf(bodies.FORMATS),
        metadata={
            "description": "html; markdown (CommonMark with tables; HTML passes); or text (paragraphs at blank lines)."
        },
    )


def _body_text(**options: Any) -> fields.String:
    allowed = " ".join(sorted(bodies.ALLOWED_TAGS))
    return fields.String(
        **options,
        metadata={
            "description": f"1–{texts.BODY_MAX} characters. HTML is sanitised: {allowed} are kept, with lang, dir and "
            "what their meaning needs (href, cite, datetime, colspan …), links to http:, https:, mailto: and /, "
            "headings moved to the levels 2 to 4. What is taken away comes back as warnings.",
            "maxLength": texts.BODY_MAX,
        },
    )


class BodyBody(Strict):
    """An article's text in one of three formats."""

    format = _format(required=True)
    text = _body_text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> bodies.Body:
        """The sanitised body, or its fault at /body/text."""
        try:
            return bodies.make_body(data["format"], data["text"])
        except BadText as error:
            raise ValidationError({"text": [Coded(error.code, str(error))]}) from None


class BodyPatchBody(Strict):
    """The members of an article's body that change."""

    format = _format()
    text = _body_text()


def _allow_what_the_newsroom_has(schema: Schema, newsroom: Newsroom) -> None:
    languages = validate.OneOf(newsroom.languages, error="Must be one of: {choices}.")
    sections = validate.OneOf([section.key for section in newsroom.sections], error="Must be one of: {choices}.")
    for name, allowed in (("language", languages), ("section", sections)):
        schema.fields[name].validators = [allowed]


class _ArticleFields(Strict):
    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(**options)
        self.newsroom = newsroom
        _allow_what_the_newsroom_has(self, newsroom)

    headline = Line(most=texts.HEADLINE_MAX, least=1, description="The title that readers see.")
    standfirst = Line(most=texts.STANDFIRST_MAX, description="The summary below the headline.")
    language = fields.String(metadata={"description": "One of the newsroom's languages; its first by default."})
    section = fields.String(metadata={"description": "The key of one of the newsroom's sections."})
    tags = _tags()
    bylines = _bylines()
    images = _images()
    source = Line(most=texts.SOURCE_MAX, description="Where it comes from: an agency, another paper.")
    slug = _slug()
    urgency = _urgency()
    notify = Flag(metadata={"description": "false: nobody is told of it, as for imports. true by default."})
    canonical_url = web_address("Where the text stands first, if not here.")
    translations = fields.UUID(
        metadata={"description": "The id of a group: articles that share it are one text in several languages."}
    )
    evergreen = Flag(metadata={"description": "true: it does not age, and may be offered for years."})
    custom = JsonObject(description="The newsroom's own fields.")
    published_at = Instant(description="When it first appeared, for imports; the moment of publication by default.")
    embargo = Instant(description="Before this nobody sees it: an article to be live is scheduled until then.")
    expires = Instant(description="From then on its page is gone.")
    old_paths = Some(
        OldPath(),
        most=texts.OLD_PATHS_MAX,
        description=f"Former addresses, which lead to it; at most {texts.OLD_PATHS_MAX} can be given.",
    )

    @post_load
    def tidy(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Tags and old addresses without repetition."""
        for name in ("tags", "old_paths"):
            if data.get(name):
                data[name] = tuple(dict.fromkeys(data[name]))
        return data


class ArticleBody(_ArticleFields):
    """A new article. status: draft (default) or live."""

    body = fields.Nested(BodyBody, required=True)
    status = fields.String(
        load_default=Status.DRAFT.value,
        validate=validate.OneOf([Status.DRAFT.value, Status.LIVE.value]),
        metadata={"description": "live publishes it at once, or when its embargo is over."},
    )
    origin = Line(
        most=texts.ORIGIN_MAX,
        least=1,
        description="An id that it has elsewhere. Posting one that an article has gives back that article, unchanged.",
    )

    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(newsroom, **options)
        self.fields["headline"].required = True
        self.fields["section"].required = True
        self.fields["language"].load_default = newsroom.languages[0]


class _ChangeFields(_ArticleFields):
    change = fields.String(
        load_default="refile",
        validate=validate.OneOf(["refile", "correction"]),
        metadata={"description": "What a change of a live article is; refile by default."},
    )
    note = Line(most=texts.NOTE_MAX, least=1, description="Of a correction: what was wrong, for readers.")

    @post_load
    def settle(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """The patch, with null as the default; change as a move, with a note exactly when it is a correction."""
        change = data.pop("change")
        note = data.pop("note", None)
        if change == "correction" and note is None:
            raise ValidationError(
                {"note": [Coded("missing", "Missing data: a correction tells readers what was wrong.")]}
            )
        if change == "refile" and note is not None:
            message = 'Only a correction has a note; send "change": "correction" with it.'
            raise ValidationError({"note": [Coded("not-allowed", message)]})
        return {
            "patch": self.patch_of(data),
            "move": Move.CORRECT if change == "correction" else Move.REFILE,
            "note": note,
        }

    def patch_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """The fields of actions.Wanted that change; custom as what makes the new object from the old one."""
        raise NotImplementedError


class ArticlePatch(_ChangeFields):
    """The fields of an article that change (RFC 7396); null gives one back its default.

    change: on a live article, refile (a slip put right, no note) or correction (with a note that readers see).
    """

    body = fields.Nested(BodyPatchBody)

    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(newsroom, **options)
        for name in DEFAULTS:
            self.fields[name].allow_none = True

    def patch_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """What was sent; null is the default."""
        patch = {name: DEFAULTS[name] if value is None else value for name, value in data.items()}
        if "custom" in patch:
            patch["custom"] = partial(merged, patch=patch["custom"]) if data["custom"] else lambda _: {}
        return patch


class ArticlePut(_ChangeFields):
    """A whole article in place of what it was; what is left out gets its default.

    Language, slug, first date, embargo and former addresses stay as they are when left out.
    """

    body = fields.Nested(BodyBody, required=True)

    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(newsroom, **options)
        self.fields["headline"].required = True
        self.fields["section"].required = True
        self.fields["embargo"].allow_none = True

    def patch_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """Everything, defaults included."""
        # What has a time keeps it: a new text is no word to break an embargo. null takes it away.
        kept = ("published_at", "old_paths", "embargo")
        whole = {**{name: value for name, value in DEFAULTS.items() if name not in kept}, **data}
        custom = whole["custom"] or {}
        return {**whole, "custom": lambda _: custom}


# What removing a field from an article (null in a merge patch) leaves; the others cannot be removed.
DEFAULTS: dict[str, Any] = {
    "standfirst": "",
    "tags": (),
    "bylines": (),
    "images": (),
    "source": "",
    "urgency": 4,
    "notify": True,
    "canonical_url": None,
    "translations": None,
    "evergreen": False,
    "custom": None,
    "published_at": None,
    "embargo": None,
    "expires": None,
    "old_paths": (),
}


def merged(target: Any, *, patch: Any) -> Any:
    """A JSON value with a merge patch applied. Source: RFC 7396 section 2."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), patch=value)
    return result


class NothingBody(Strict):
    """An empty object."""


class PublishBody(Strict):
    """When to publish: at once, or at the end of an embargo."""

    embargo = Instant(
        description="Another embargo than the article has; null lifts it, and the article is live at once.",
        allow_none=True,
    )


class KillBody(Strict):
    """Why an article is killed; for the newsroom, never shown to readers."""

    reason = Line(most=texts.REASON_MAX, least=1, description="Why.", load_default=None)


class RetractBody(Strict):
    """Why an article is retracted; its page says so to readers."""

    reason = Line(most=texts.REASON_MAX, least=1, description="Why, for readers.", load_default=None)


class ReplayBody(Strict):
    """Which articles to say again: all, or those changed since a time."""

    since = Instant(description="Only articles changed since then.", load_default=None)


class ArticleQuery(Strict):
    """Which articles, and which page of them; `before` and `after` come from the Link header."""

    def __init__(self, newsroom: Newsroom, **options: Any) -> None:
        super().__init__(**options)
        _allow_what_the_newsroom_has(self, newsroom)

    status = fields.String(validate=validate.OneOf([status.value for status in Status]))
    section = fields.String(metadata={"description": "The key of one of the newsroom's sections."})
    language = fields.String(metadata={"description": "One of the newsroom's languages."})
    tag = fields.String(validate=validate.Length(min=1, max=texts.TAG_MAX * 4))
    q = fields.String(
        validate=validate.Length(min=1, max=200),
        metadata={
            "description": "Words of the headline, standfirst, slug, bylines, source and tags: all of them, in any "
            "order, without regard to accents and capitals. The last one may be the beginning of a word."
        },
    )
    accepted_from = Instant(description="Only articles accepted at this time or later.")
    accepted_to = Instant(description="Only articles accepted before this time.")
    published_from = Instant(description="Only articles first published at this time or later.")
    published_to = Instant(description="Only articles first published before this time.")
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=PAGE_MAX))
    before = fields.UUID(metadata={"description": "Only articles accepted before this one."})
    after = fields.UUID(metadata={"description": "Only articles accepted after this one."})


class RevisionQuery(Strict):
    """Which page of revisions."""

    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=PAGE_MAX))
    before = fields.Integer(
        validate=validate.Range(min=1, max=INTEGER_MAX), metadata={"description": "Only older ones than this."}
    )


class DifferenceQuery(Strict):
    """Which two revisions to compare; the newest one with the one before it by default."""

    before = fields.Integer(
        data_key="from",
        validate=validate.Range(min=1, max=INTEGER_MAX),
        metadata={"description": "The older one's number."},
    )
    after = fields.Integer(
        data_key="to",
        validate=validate.Range(min=1, max=INTEGER_MAX),
        metadata={"description": "The newer one's number."},
    )


def notices_of_turned_lines(sent: Any) -> list[Notice]:
    """Warnings for the one-line texts of a request from which direction overrides were taken out."""
    if not isinstance(sent, Mapping):
        return []
    names = ("headline", "standfirst", "note")
    return [
        Notice(f"/{name}", "direction-override-removed", "Signs that turn text around were taken out.")
        for name in names
        if isinstance(sent.get(name), str) and texts.turns_text(sent[name])
    ]
