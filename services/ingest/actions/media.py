"""Pictures uploaded and looked for."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from services.ingest import store
from services.ingest.models import Media
from services.ingest.pictures import Picture
from shared.errors import NotFound
from shared.ids import new_id
from shared.media import original_path
from shared.roles import Actor


class MediaNotFound(NotFound):
    """No picture has this id."""

    code = "media-not-found"


def keep_original(folder: Path, picture: Picture) -> None:
    """Put a picture's file in the media store, whole and on disk, unless it is there already."""
    path = original_path(folder, picture.digest)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(picture.data)
            file.flush()
            os.fsync(file.fileno())
        # publish may run under another user of the same group of machines
        Path(draft).chmod(0o644)
        Path(draft).rename(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder_handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder_handle)
    finally:
        os.close(folder_handle)


def add_media(
    session: Session,
    picture: Picture,
    *,
    name: str,
    alt: str,
    decorative: bool,
    caption: str | None,
    credit: str | None,
    by: Actor,
    now: datetime,
) -> tuple[Media, bool]:
    """Note an uploaded picture; one that is there already is given back as it is, with True.

    alt: what it shows, "" when it only decorates. caption, credit: None for what the picture says itself.
    """
    known = store.media_of_digest(session, picture.digest)
    if known is not None:
        return known, True
    media = {
        "id": new_id(),
        "digest": picture.digest,
        "media_type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
        "size": len(picture.data),
        "name": name,
        "alt": alt,
        "decorative": decorative,
        "caption": picture.caption if caption is None else caption,
        "credit": picture.credit if credit is None else credit,
        "copyright": picture.copyright,
        "uploaded_at": now,
        "uploaded_by": by.name,
    }
    media["words"] = folded(" ".join(str(media[key]) for key in ("name", "alt", "caption", "credit", "copyright")))
    added = store.add_media(session, media)
    found = store.media_of_digest(session, picture.digest)
    assert found is not None
    return found, not added


def read_media(session: Session, media_id: UUID) -> Media:
    """A picture. Raises MediaNotFound."""
    found = store.get_media(session, [media_id]).get(media_id)
    if found is None:
        raise MediaNotFound(f"There is no picture {media_id}: GET /v1/media finds those there are.")
    return found


def folded(text: str) -> str:
    """A text as searches compare it: without accents and capitals."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
