"""Pictures in pages: `<picture>` with every format and width, so that a browser fetches the smallest that will do."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from services.publish.pictures import FULL, TYPES, Original, renditions_of

# Where the style sheet puts pictures beside headlines.
PHONES = "(max-width: 43.99rem)"


def picture_html(
    picture: Original,
    alt: str,
    *,
    crop: str = FULL,
    sizes: str,
    forms: Sequence[str],
    lazy: bool = True,
    thumb: bool = False,
) -> Markup:
    """The picture with its renditions. sizes: how wide it is shown, as HTML says it. lazy: below the fold.

    thumb: on phones a small square of it stands beside the headline.
    """
    parts = []
    if thumb:
        small = renditions_of(picture, "thumb", "jpg")[0]
        parts.append(
            f'<source media="{PHONES}" srcset="{small.path} {small.width}w" sizes="6.5rem" '
            f'width="{small.width}" height="{small.height}">'
        )
    parts += [
        f'<source type="{TYPES[form]}" srcset="{srcset(picture, crop, form)}" sizes="{sizes}">' for form in forms[:-1]
    ]
    fallback = renditions_of(picture, crop, forms[-1])
    middle = fallback[min(1, len(fallback) - 1)]
    widest = fallback[-1]
    how = 'loading="lazy" decoding="async"' if lazy else 'fetchpriority="high"'
    parts.append(
        f'<img src="{middle.path}" srcset="{srcset(picture, crop, forms[-1])}" sizes="{sizes}" '
        f'width="{widest.width}" height="{widest.height}" alt="{escape(alt)}" {how}>'
    )
    return Markup(f"<picture>{''.join(parts)}</picture>")  # noqa: S704 (alt is escaped; the rest is ours)


def srcset(picture: Original, crop: str, form: str) -> str:
    """A picture's renditions as `srcset` lists them."""
    return ", ".join(f"{one.path} {one.width}w" for one in renditions_of(picture, crop, form))


def preload_html(picture: Original, *, crop: str, sizes: str, forms: Sequence[str]) -> Markup:
    """A link that has the browser fetch the picture before it meets it: the page's largest one."""
    form = forms[0]
    return Markup(  # noqa: S704 (paths are ours)
        f'<link rel="preload" as="image" type="{TYPES[form]}" imagesrcset="{srcset(picture, crop, form)}" '
        f'imagesizes="{sizes}" fetchpriority="high">'
    )
