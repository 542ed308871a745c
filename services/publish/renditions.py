"""Makes what readers get of pictures, off the path of articles: a page shows its pictures once all of them are ready.

`pictures.py` says which renditions there are. They stand among the site's files; a picture that no live page shows any
more is taken away with all of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image, ImageOps
from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.orm import Session

from services.publish import picture_files
from services.publish.build import Builder, is_shown
from services.publish.kinds import MAKE_RENDITIONS
from services.publish.models import Article, PictureLook, PictureUse
from services.publish.pictures import Rendition, all_renditions, folder_of
from services.publish.site import digest_of
from shared import jobs
from shared.db import per_dialect
from shared.events import Picture, PublicArticle
from shared.jobs import Claim
from shared.media import original_path

# More pixels than any camera's picture has: a small file that unpacks to more is an attack.
PIXELS_MOST = 120_000_000
QUALITY = {"jpg": 82, "webp": 78, "avif": 58}
# What opening a picture raises that is none, or not there.
UNREADABLE = (OSError, Image.DecompressionBombError, ValueError, SyntaxError)
_COPYRIGHT, _ARTIST = 0x8298, 0x013B  # EXIF
_looks: Table = PictureLook.__table__  # type: ignore[assignment]
_uses: Table = PictureUse.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Look:
    """A picture with one focal point, as `pictures.py` takes it."""

    digest: str
    width: int
    height: int
    focus_x: float
    focus_y: float

    @property
    def name(self) -> str:
        """As jobs and rows name it. Renditions are the same for focal points that differ by less than a hundredth."""
        return f"{self.digest} {round(self.focus_x * 100)} {round(self.focus_y * 100)}"


def look_of(picture: Picture) -> Look:
    """A picture as an article shows it."""
    return Look(picture.digest, picture.width, picture.height, picture.focus_x, picture.focus_y)


def take_in(
    session: Session, builder: Builder, articles: Sequence[PublicArticle], before: Collection[UUID]
) -> set[UUID]:
    """Note which pictures these articles show, and have those made that are not there; the articles whose all are.

    before: those that were held already. What no page shows any more is taken away at once.
    """
    wanted = {
        article.id: {look.name: look for look in map(look_of, article.images)}
        for article in articles
        if article.images and is_shown(article, builder.newsroom.expired)
    }
    _give_up(session, builder, {one.id for one in articles} & set(before), wanted)
    looks = {name: look for found in wanted.values() for name, look in found.items()}
    if not looks:
        return set()
    rows = [{"look": name, "ready": False, **_columns(look)} for name, look in sorted(looks.items())]
    session.connection().execute(_note_looks(session), rows)
    uses = [{"article_id": one, "look": name} for one, found in wanted.items() for name in sorted(found)]
    session.connection().execute(_note_uses(session), uses)
    ready = set(session.scalars(select(_looks.c.look).where(_looks.c.look.in_(looks), _looks.c.ready)))
    jobs.add_many(session, MAKE_RENDITIONS, [(name, None) for name in looks if name not in ready], lane="bulk")
    return {one for one, found in wanted.items() if found.keys() <= ready}


def _give_up(session: Session, builder: Builder, ids: Collection[UUID], wanted: dict[UUID, dict[str, Look]]) -> None:
    if not ids:
        return
    gone = []
    for article_id, name in session.execute(
        select(_uses.c.article_id, _uses.c.look).where(_uses.c.article_id.in_(ids))
    ):
        if name not in wanted.get(article_id, {}):
            session.execute(delete(_uses).where(_uses.c.article_id == article_id, _uses.c.look == name))
            gone.append(name)
    kept = {name for found in wanted.values() for name in found}
    for name in sorted(set(gone) - kept):
        remove_unused(session, builder, name)


def looks_of(session: Session, ids: Collection[UUID]) -> dict[UUID, list[Look]]:
    """The pictures that these articles' pages show."""
    found: dict[UUID, list[Look]] = {}
    shown = select(_uses.c.article_id, _looks).join(_looks, _looks.c.look == _uses.c.look)
    for row in session.execute(shown.where(_uses.c.article_id.in_(ids))):
        found.setdefault(row.article_id, []).append(_look(row))
    return found


def is_used(session: Session, name: str) -> bool:
    """Whether a page shows this picture, with whatever focal point."""
    digest = name.partition(" ")[0]
    used = select(_uses.c.look).join(_looks, _looks.c.look == _uses.c.look).where(_looks.c.digest == digest)
    return session.execute(used.limit(1)).first() is not None


def remove_unused(session: Session, builder: Builder, name: str) -> bool:
    """Take a picture's renditions away if nothing shows it any more; whether that was so."""
    digest = name.partition(" ")[0]
    if session.scalar(select(func.count()).select_from(_uses).where(_uses.c.look == name)):
        return False
    look = session.execute(delete(_looks).where(_looks.c.look == name).returning(_looks)).first()
    others = session.scalar(select(func.count()).select_from(_looks).where(_looks.c.digest == digest))
    if not others:
        builder.site.remove_folder(folder_of(digest))
        picture_files.forget(session, digest)
        if look is not None:
            builder.purge(session, [one.path for one in all_renditions(_look(look), builder.renderer.forms)])
    return True


@per_dialect
def _note_looks(insert: Callable[[Table], Any]) -> Any:
    return insert(_looks).on_conflict_do_nothing(index_elements=["look"])


@per_dialect
def _note_uses(insert: Callable[[Table], Any]) -> Any:
    return insert(_uses).on_conflict_do_nothing()


def make_renditions(
    claim: Claim, *, builder: Builder, media: Path, ask: Callable[[Session, Iterable[UUID]], None]
) -> None:
    """Make the renditions of these jobs' pictures, and have the pages built that show them.

    media: where originals stand. ask: has the pages of these articles, and those that show them, built. A file that is
    no picture makes a dead letter; one that is not there is looked for again.
    """
    forms = builder.renderer.forms
    broken: dict[str, str] = {}
    made: dict[str, dict[str, str]] = {}
    for job in claim.jobs:
        digest, x, y = job.reference.split(" ")
        with claim.db.reading() as session:
            row = session.execute(select(_looks).where(_looks.c.look == job.reference)).first()
        if row is None:
            continue
        look = Look(digest, row.width, row.height, int(x) / 100, int(y) / 100)
        try:
            digests = {}
            for rendition, content in made_of(original_path(media, digest), look, forms):
                builder.site.put(rendition.path, content)
                digests[rendition.path] = digest_of(content)
            made[job.reference] = digests
        except (Image.UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
            broken[job.reference] = f"the original cannot be read as a picture: {error}"
    with claim.finish() as session:
        for job in claim.jobs:
            if job.reference in broken:
                claim.bury(job, broken[job.reference])
                continue
            held = select(_looks.c.look).where(_looks.c.look == job.reference).with_for_update()
            if session.execute(held).first() is None or remove_unused(session, builder, job.reference):
                # Killed meanwhile.
                builder.site.remove_folder(folder_of(job.reference.partition(" ")[0]))
                continue
            session.execute(update(_looks).where(_looks.c.look == job.reference).values(ready=True))
            picture_files.note(session, job.reference.partition(" ")[0], made.get(job.reference, {}))
            users = set(session.scalars(select(_uses.c.article_id).where(_uses.c.look == job.reference)))
            waiting = set(
                session.scalars(
                    select(_uses.c.article_id)
                    .join(_looks, _looks.c.look == _uses.c.look)
                    .where(_uses.c.article_id.in_(users), ~_looks.c.ready)
                )
            )
            whole = users - waiting
            session.execute(update(Article).where(Article.id.in_(whole)).values(pictured=True))
            ask(session, whole)


def made_of(original: Path, look: Look, forms: Sequence[str]) -> Iterable[tuple[Rendition, bytes]]:
    """The renditions of an original with their bytes. Raises what Pillow raises for what is no picture."""
    picture, credit, extra = _opened(original, look)
    resized: dict[tuple[str, int], Image.Image] = {}
    for rendition in all_renditions(look, forms):
        key = (rendition.crop, rendition.width)
        if key not in resized:
            resized[key] = _resized(picture, rendition)
        yield rendition, _saved(resized[key], rendition.form, credit, extra)


def one_of(original: Path, look: Look, wanted: Rendition) -> bytes:
    """One rendition of an original. Raises one of UNREADABLE for what is no picture, or not there."""
    picture, credit, extra = _opened(original, look)
    return _saved(_resized(picture, wanted), wanted.form, credit, extra)


def _opened(original: Path, look: Look) -> tuple[Image.Image, Image.Exif, dict[str, Any]]:
    """An original upright on white, whom it is by, and what is saved with each rendition."""
    Image.MAX_IMAGE_PIXELS = PIXELS_MOST
    with Image.open(original) as opened:
        credit = _credit_of(opened)
        picture = ImageOps.exif_transpose(opened)
        extra: dict[str, Any] = {}
        if profile := opened.info.get("icc_profile"):
            extra["icc_profile"] = profile
        mode = "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
        if picture.mode == "CMYK":
            extra.pop("icc_profile", None)
        picture = picture.convert(mode)
    if mode == "RGBA":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    if picture.size != (look.width, look.height):
        raise ValueError(f"it has {picture.size[0]} x {picture.size[1]} pixels, not {look.width} x {look.height}")
    return picture, credit, extra


def _resized(picture: Image.Image, wanted: Rendition) -> Image.Image:
    size = (wanted.width, wanted.height)
    return picture.resize(size, Image.Resampling.LANCZOS, box=wanted.box, reducing_gap=3.0)


def _saved(picture: Image.Image, form: str, credit: Image.Exif, extra: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": QUALITY[form], "exif": credit.tobytes(), **extra}
    if form == "jpg":
        options |= {"progressive": True, "optimize": True}
    picture.save(out, {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF"}[form], **options)
    return out.getvalue()


def _credit_of(picture: Image.Image) -> Image.Exif:
    """Who made the picture and who holds its rights, as its EXIF says; where it was taken is left out."""
    found, kept = picture.getexif(), Image.Exif()
    for tag in (_COPYRIGHT, _ARTIST):
        if value := found.get(tag):
            kept[tag] = value
    return kept


def _look(row: Any) -> Look:
    # As the job has it: crops are the same for focal points that differ by less than a hundredth.
    return Look(row.digest, row.width, row.height, row.focus_x, row.focus_y)


def _columns(look: Look) -> dict[str, Any]:
    return {
        "digest": look.digest,
        "width": look.width,
        "height": look.height,
        "focus_x": look.focus_x,
        "focus_y": look.focus_y,
    }
