"""What the files of pictures should be: the digests that their renditions had when they were made.

A file that is missing or has changed is found by these, and its picture is made again. Pictures made by a version that
kept no digests are only looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from services.publish.models import PictureFiles, PictureLook
from services.publish.pictures import all_renditions
from services.publish.site import Site, digest_of
from shared.db import per_dialect

_files: Table = PictureFiles.__table__  # type: ignore[assignment]
_looks: Table = PictureLook.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A file that is not as it was made. look: of the picture; problem: "missing" or "changed"."""

    look: str
    path: str
    problem: str


def note(session: Session, original: str, made: Mapping[str, str]) -> None:
    """Hold what was made of an original: digests of files by their URL paths. Others of the same original stay."""
    session.connection().execute(_begin(session), {"digest": original, "files": {}})
    held = select(_files.c.files).where(_files.c.digest == original).with_for_update()
    files = {**session.execute(held).scalar_one(), **{_name(path): digest for path, digest in made.items()}}
    session.execute(update(_files).where(_files.c.digest == original).values(files=files))


@per_dialect
def _begin(insert: Callable[[Table], Any]) -> Any:
    return insert(_files).on_conflict_do_nothing(index_elements=["digest"])


def forget(session: Session, original: str) -> None:
    """Hold nothing of an original any more."""
    session.execute(delete(_files).where(_files.c.digest == original))


def looks_after(session: Session, look: str, most: int) -> Sequence[Any]:
    """The next pictures whose files should be in place, in the order of their looks' names, after this one."""
    wanted = (
        select(_looks, _files.c.files)
        .outerjoin(_files, _files.c.digest == _looks.c.digest)
        .where(_looks.c.look > look, _looks.c.ready)
        .order_by(_looks.c.look)
        .limit(most)
    )
    return session.execute(wanted).all()


def wrong(site: Site, row: Any, forms: Sequence[str]) -> Iterator[Wrong]:
    """The files of one picture that are missing or have changed. row: as `looks_after` gives it."""
    digests = row.files or {}
    for one in all_renditions(row, forms):
        content = site.read(one.path)
        if content is None:
            yield Wrong(row.look, one.path, "missing")
        elif digests.get(_name(one.path), "") not in {"", digest_of(content)}:
            yield Wrong(row.look, one.path, "changed")


def explained(session: Session, originals: Sequence[str], forms: Sequence[str]) -> frozenset[str]:
    """The paths of all files of these originals that are in place, or are being made."""
    rows = session.execute(select(_looks).where(_looks.c.digest.in_(originals))) if originals else ()
    return frozenset(one.path for row in rows for one in all_renditions(row, forms))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
