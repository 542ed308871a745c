"""Pictures as they come in: what they are by their content, upright, without the place where they were taken.

Source of the fields: IPTC Photo Metadata (IIM 2:80 by-line, 2:110 credit, 2:116 copyright notice, 2:120 caption), EXIF
(Artist, Copyright, ImageDescription) and photoshop:Credit of XMP.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps, IptcImagePlugin, UnidentifiedImageError

from shared.errors import Fault, TooLarge, Unprocessable

BYTES_MAX = 25 * 1024 * 1024
# As many as the largest cameras have; a picture is opened whole once, to see that it is one.
PIXELS_MAX = 50_000_000
# Of an animation: all its frames together.
# A panorama, not a line: what is wider or higher cannot be shown, and its renditions would be lines.
SIDE_MAX = 30_000
FRAMES_PIXELS_MAX = 200_000_000
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif"}
_ORIENTATION, _GPS = 0x0112, 0x8825
_ARTIST, _COPYRIGHT, _DESCRIPTION = 0x013B, 0x8298, 0x010E
_XMP_PLACE = re.compile(
    rb"\s+(?:exif|Iptc4xmpExt|photoshop):(?:GPS\w+|LocationCreated)=(?:\"[^\"]*\"|'[^']*')"
    rb"|<(exif:GPS\w+)(?:\s[^>]*)?(?:/>|>.*?</\1>)",
    re.DOTALL,
)
_XMP_CREDIT = re.compile(rb"photoshop:Credit(?:=\"([^\"]*)\"|>([^<]*)<)")
# In the coded data of a JPEG: what is neither a byte of it nor a mark to start again.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PLACE_SIGNS = (b"exif:GPS", b"GPSLatitude")
# Opening a picture of the largest size takes some 200 MB: one at a time.
_ONE = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A picture to keep. data: as it is stored; width, height: upright, in pixels; the texts: found in it, or ""."""

    data: bytes
    digest: str
    media_type: str
    width: int
    height: int
    caption: str
    credit: str
    copyright: str


def read_picture(data: bytes) -> Picture:
    """The picture in some bytes, upright and without its place. Raises TooLarge, or Unprocessable for what is none.

    Bytes that need no change are kept as they are; a turned or placed JPEG that is already upright loses no quality.
    """
    if len(data) > BYTES_MAX:
        raise TooLarge(f"The picture is {len(data)} bytes; at most {BYTES_MAX} are taken.")
    with _ONE:
        try:
            return _read(_first_picture(data))
        except Image.DecompressionBombError:
            raise _too_many_pixels("more") from None
        except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError, OverflowError) as error:
            raise _no_picture() from (None if isinstance(error, UnidentifiedImageError) else error)


def _read(data: bytes) -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            kind = str(image.format)
            if max(image.size) > SIDE_MAX:
                detail = f"The picture is {image.width} × {image.height} pixels; at most {SIDE_MAX} a side are taken."
                raise Unprocessable(errors=[Fault("/file", "too-many-pixels", detail)])
            pixels = image.width * image.height
            frames = getattr(image, "n_frames", 1) if pixels <= PIXELS_MAX else 1
            if pixels > PIXELS_MAX or pixels * frames > FRAMES_PIXELS_MAX:
                raise _too_many_pixels(str(pixels * frames))
            image.load()
            found = _texts(image)
            exif = image.getexif()
            turned_by = exif.get(_ORIENTATION, 1)
            turned = turned_by in range(2, 9)
            if frames == 1 and (turned or _is_placed(image, data)):
                data = _mended(image, data, kind, turned)
            width, height = image.size
            if frames == 1 and turned_by in (5, 6, 7, 8):
                width, height = height, width
    digest = hashlib.sha256(data).hexdigest()
    return Picture(data, digest, _FORMATS[kind], width, height, **found)


def _too_many_pixels(count: str) -> Unprocessable:
    detail = f"The picture has {count} pixels; at most {PIXELS_MAX} are taken."
    return Unprocessable(errors=[Fault("/file", "too-many-pixels", detail)])


def _no_picture() -> Unprocessable:
    detail = "This is no picture that can be read: send JPEG, PNG, WebP, AVIF or GIF."
    return Unprocessable(errors=[Fault("/file", "no-picture", detail)])


def _is_placed(image: Image.Image, data: bytes) -> bool:
    return _GPS in image.getexif() or any(sign in data for sign in _PLACE_SIGNS)


def _mended(image: Image.Image, data: bytes, kind: str, turned: bool) -> bytes:
    upright = ImageOps.exif_transpose(image) if turned else image
    exif = image.getexif()
    for tag in (_GPS, _ORIENTATION):
        if tag in exif:
            del exif[tag]
    for tag, value in list(exif.items()):
        # Read as Latin-1 whatever they are, and else written as ASCII: the bytes as they were.
        if isinstance(value, str) and not value.isascii():
            exif[tag] = value.encode("latin-1", "replace")
    if kind == "JPEG" and not turned:
        return _with_segments(data, _kept_segments(data, exif.tobytes()))
    out = io.BytesIO()
    options: dict[str, Any] = {"exif": exif.tobytes()}
    if icc := image.info.get("icc_profile"):
        options["icc_profile"] = icc
    if kind in {"JPEG", "WEBP", "AVIF"}:
        options["quality"] = 95
    upright.save(out, format=kind, **options)
    if kind != "JPEG":
        return out.getvalue()
    own = [one for one in _segments(out.getvalue()) if one[0] == 0xE1]
    others = [one for one in _kept_segments(data, b"") if one[0] in (0xE1, 0xED)]
    return _with_segments(out.getvalue(), [*own, *others, *(one for one in _kept_segments(out.getvalue(), b"")
                                                           if one[0] not in (0xE1, 0xED))])  # fmt: skip


# The segments of a JPEG before its picture: (marker, content). Source: ITU T.81 annex B, EXIF 2.3 section 4.7.


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xD9, 0xDA):
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], data[at + 4 : at + 2 + size]
        at += 2 + size


def _kept_segments(data: bytes, exif: bytes | None) -> list[tuple[int, bytes]]:
    """The segments with other EXIF data (none if empty, their own if None), and XMP without the place."""
    kept = []
    for marker, content in _segments(data):
        if marker == 0xE1 and content.startswith(b"Exif\0"):
            if exif is None or exif:
                kept.append((marker, content if exif is None else exif))
        elif marker == 0xE1 and b"ns.adobe.com/xmp/extension" in content[:60]:
            continue  # parts of a long XMP text, which may hold anything
        elif marker == 0xE2 and content.startswith(b"MPF\0"):
            continue  # where other pictures of the camera's lie behind this one, which go
        elif marker == 0xE1:
            kept.append((marker, _XMP_PLACE.sub(b"", content)))
        else:
            kept.append((marker, content))
    return kept


def _first_picture(data: bytes) -> bytes:
    """A JPEG without what stands behind its end: other pictures and films of the camera's, each with its own place."""
    if not data.startswith(b"\xff\xd8") or _end(data, 2) == len(data):
        return data
    return _with_segments(data, _kept_segments(data, None))


def _end(data: bytes, at: int) -> int:
    """Where the picture ends whose first scan, or a segment before it, begins here; a camera may add others behind."""
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA and (found := _MARKER.search(data, at)) is not None:
            at = found.start()
        elif marker == 0xDA:
            return len(data)
    return at + 2 if data[at : at + 2] == b"\xff\xd9" else len(data)


def _with_segments(data: bytes, segments: list[tuple[int, bytes]]) -> bytes:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xD9, 0xDA):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    head = b"".join(
        bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content for marker, content in segments
    )
    return data[:2] + head + data[at : _end(data, at)]


# What pictures say of themselves


def _texts(image: Image.Image) -> dict[str, str]:
    iptc = _iptc(image)
    exif = image.getexif()
    xmp = image.info.get("xmp") or b""
    match = _XMP_CREDIT.search(xmp if isinstance(xmp, bytes) else str(xmp).encode())
    xmp_credit = html.unescape((match[1] or match[2] or b"").decode("utf-8", "replace")) if match else ""
    byline, credit = iptc(80), iptc(110) or xmp_credit
    if byline and credit and byline not in credit:
        credit = f"{byline} / {credit}"
    return {
        "caption": _tidy(iptc(120) or _unicode(exif.get(_DESCRIPTION, "")), 1000),
        "credit": _tidy(credit or byline or _unicode(exif.get(_ARTIST, "")), 200),
        "copyright": _tidy(iptc(116) or _unicode(exif.get(_COPYRIGHT, "")), 200),
    }


def _unicode(value: Any) -> str:
    """A text of EXIF, which today's cameras write as UTF-8 and Pillow reads as Latin-1."""
    text = str(value)
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _iptc(image: Image.Image) -> Any:
    try:
        records: dict[Any, Any] = IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]
    except (SyntaxError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        records = {}

    def text(dataset: int) -> str:
        value = records.get((2, dataset), b"")
        one = value[0] if isinstance(value, list) and value else value
        if not isinstance(one, bytes):
            return ""
        try:
            return one.decode("utf-8")
        except UnicodeDecodeError:
            return one.decode("latin-1")

    return text


def _tidy(text: Any, most: int) -> str:
    kept = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(kept.split())[:most]
