"""The newspaper's icon as pictures, for home screens, for alerts, and for browsers that show no SVG.

The built-in theme brings them. For a newsroom that brings an icon of its own they are made from its icon.png; where it
has only an icon.svg, which nothing here can draw, they show the first letter of its name.
"""

from __future__ import annotations

import io
import unicodedata
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

SVG, PNG = "icon.svg", "icon.png"
FAVICON, TOUCH = "favicon.ico", "apple-touch-icon.png"
MANIFEST = (
    (SVG, "image/svg+xml", "any", "any"),
    ("icon-192.png", "image/png", "192x192", "any"),
    ("icon-512.png", "image/png", "512x512", "any"),
    ("icon-maskable.png", "image/png", "512x512", "maskable"),
)
LEAST, MOST = 512, 4096
# Of a maskable icon, phones may cut away all but a circle of this share of it; its square inside is smaller again.
_SAFE = 0.66
_GROUND, _LETTER = "#16191d", "#fffdf9"


@lru_cache(8)
def icons(png: bytes | None, newspaper: str) -> dict[str, bytes]:
    """The pictures by file name, from a square PNG, else from the newspaper's name; {} for a name of another script.

    Raises ValueError for a PNG that cannot be used.
    """
    picture = _read(png) if png is not None else _initial(newspaper)
    if picture is None:
        return {}
    sizes = {TOUCH: 180, "icon-192.png": 192, "icon-512.png": 512}
    made = {name: _png(_scaled(picture, size)) for name, size in sizes.items() if name != TOUCH}
    made[TOUCH] = _png(_on_ground(picture, 180, 1.0))
    made["icon-maskable.png"] = _png(_on_ground(picture, 512, _SAFE))
    ico = io.BytesIO()
    _scaled(picture, 48).save(ico, "ICO", sizes=[(16, 16), (32, 32), (48, 48)])
    return {**made, FAVICON: ico.getvalue()}


def _read(png: bytes) -> Image.Image:
    should = f"should be a square PNG of {LEAST} to {MOST} pixels"
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
            wide, high = picture.size
            if wide != high or not LEAST <= wide <= MOST:
                raise ValueError(f"{should}, not of {wide} by {high}")
            return picture.convert("RGBA")
    except UnidentifiedImageError:  # whose words hold an address of memory
        raise ValueError(f"{should}; this is none") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{should}: {error}") from error


def _initial(newspaper: str) -> Image.Image | None:
    first = next((sign for sign in unicodedata.normalize("NFC", newspaper) if sign.isalnum()), "").upper()
    # Pillow's own font has Latin letters alone.
    if not first or ord(first[0]) > 0x17F:
        return None
    picture = Image.new("RGBA", (512, 512), _GROUND)
    font = ImageFont.load_default(340)
    ImageDraw.Draw(picture).text((256, 256), first[0], fill=_LETTER, font=font, anchor="mm", stroke_width=8)
    return picture


def _scaled(picture: Image.Image, size: int) -> Image.Image:
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _on_ground(picture: Image.Image, size: int, share: float) -> Image.Image:
    """The picture on a ground that fills the square: its own at the edge, white where that can be seen through."""
    edge = picture.getpixel((picture.width // 2, 1))
    ground = edge[:3] if isinstance(edge, tuple) and edge[3] == 255 else (255, 255, 255)
    whole = Image.new("RGB", (size, size), ground)
    inner = _scaled(picture, round(size * share))
    place = (size - inner.width) // 2
    whole.paste(inner, (place, place), inner)
    return whole


def _png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()
