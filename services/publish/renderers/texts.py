"""Small texts as pages show them: set by the rules of their language, with signs that pages can carry."""

from __future__ import annotations

import json

from markupsafe import Markup

from services.publish.renderers.editions import Edition
from services.publish.renderers.safe import clean_text
from services.publish.renderers.typography import Style, set_plain, style_of
from shared.events import Byline

_OG_LOCALES = {"ar": "ar_AR", "en": "en_GB", "fr": "fr_FR"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def set_text(text: str, style: Style) -> str:
    """Plain text as it is shown, not yet escaped."""
    return set_plain(clean_text(text), style)


def filled(pattern: str, edition: Edition, **values: str) -> str:
    """A label with {name} and others filled in."""
    text = pattern.replace("{name}", edition.name)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return set_plain(text, style_of(edition.language))


def byline_html(byline: Byline, path: str, style: Style) -> Markup:
    """A name as readers see it, leading to its page if there is one."""
    name = Markup("<bdi>{}</bdi>").format(set_text(byline.name, style))
    if path:
        return Markup('<a rel="author" href="{}">{}</a>').format(path, name)
    return name


def data_block(data: object) -> Markup:
    """JSON that may stand in a script element: no "<" can end it."""
    return Markup(_ENCODER.encode(data).replace("<", "\\u003c"))  # noqa: S704 (escaped just here)


def og_locale(language: str) -> str:
    """A language as OpenGraph names it."""
    return _OG_LOCALES.get(language) or language.replace("-", "_")
