"""Files of the site that nothing explains: left by a crash, by hand, or by a version that put other files there."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from services.publish import picture_files, store
from services.publish.build import Builder
from services.publish.pictures import MEDIA
from services.publish.renderers.theme import ASSETS
from services.publish.site import UNFINISHED, path_of
from services.publish.site.compress import ENDINGS
from shared import clock

log = logging.getLogger(__name__)

# So many files are looked up at once, and so many are taken away in one transaction at most.
LOOKED_UP, MOST = 200, 200


def found(session: Session, builder: Builder, after: str, *, within_s: float) -> tuple[list[str], str]:
    """The next files that nothing explains, by their names below `site/`, and the last one looked at, "" at the end.

    after: the last file that was looked at before; "" begins. When within_s is over no further ones are looked up.
    """
    until = time.thread_time() + within_s
    strays: list[str] = []
    last = ""
    for some in _batches(builder.site.files(after), LOOKED_UP):
        last = some[-1]
        strays += unexplained(session, builder, some)
        if len(strays) >= MOST or time.thread_time() > until:
            return strays, last
    return strays, ""


def everywhere(session: Session, builder: Builder) -> Iterator[str]:
    """Every file that nothing explains, by its name below `site/`."""
    for some in _batches(builder.site.files(), LOOKED_UP):
        yield from unexplained(session, builder, some)


def unexplained(session: Session, builder: Builder, files: Sequence[str]) -> list[str]:
    """Those of these files that nothing explains, in their order."""
    rows = store.pages(session, {one for file in files for one in _owners(file)})
    digests = sorted({file.split("/")[2] for file in files if _is_picture(file)})
    others = builder.installed_paths() | picture_files.explained(session, digests, builder.renderer.forms)
    return [file for file in files if not _is_explained(file, rows, others)]


def sweep(session: Session, builder: Builder, files: Sequence[str]) -> None:
    """Take away those of these files that nothing explains still, once nobody writes them any more.

    Whoever puts a page in place holds its row: with the row locked, and not explaining the file, nobody is about to.
    """
    if not files:
        return
    owners = {one for file in files for one in _owners(file)}
    store.lock_pages(session, owners, clock.now())
    for file in unexplained(session, builder, files):
        log.info("a file that nothing explains is taken away", extra={"file": file})
        builder.site.take_away(file)


def _is_explained(file: str, rows: Mapping[str, Any], others: frozenset[str]) -> bool:
    if file.endswith(UNFINISHED):
        return False
    path = path_of(_plain(file))
    # What an earlier theme has left stays: pages that readers still have open ask for it.
    if path.startswith(ASSETS) or path in others:
        return True
    page, folder = _owners(file)
    if (row := rows.get(page)) is not None and row.digest and not row.gone:
        return True
    row = rows.get(folder)
    return row is not None and path.rpartition("/")[2] in row.beside


def _owners(file: str) -> tuple[str, str]:
    """The pages that may explain a file: the one that it is, or the one beside which it stands."""
    path = path_of(_plain(file))
    return path, path.rpartition("/")[0] or "/"


def _plain(file: str) -> str:
    """Without the ending of a compressed twin."""
    return next((file.removesuffix(ending) for ending in ENDINGS.values() if file.endswith(ending)), file)


def _is_picture(file: str) -> bool:
    return f"/{file}".startswith(MEDIA) and file.count("/") >= 3


def _batches(files: Iterable[str], most: int) -> Iterator[tuple[str, ...]]:
    iterator = iter(files)
    while some := tuple(islice(iterator, most)):
        yield some
