"""A theme on disk: templates, static files and labels, each overridable by the same name in a newsroom's own folder.

All of it is read once. Static files get names that hold their content's hash, so that they may be cached for ever.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.loaders import ChoiceLoader, FileSystemLoader

from services.publish.renderers import icons
from services.publish.renderers.typography import set_plain, style_of

# Labels that no reader reads as they are.
_PATTERNS = frozenset({"locale", "date", "date_time", "date_time_short", "date_time_brief", "time", "month", "day"})
DEFAULT_THEME = Path(__file__).parents[1] / "theme"
ASSETS = "/assets/"
# A newsroom's own colours and type: rules of this file follow the theme's in one style sheet.
STYLE, BRAND = "style.css", "brand.css"


class ThemeError(Exception):
    """A theme cannot be used; the text names the file and what it should be."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The words of one edition. locale: for dates. date…: CLDR patterns. {name} and {section} are filled in."""

    locale: str
    language_name: str
    date: str
    date_time: str
    date_time_short: str
    date_time_brief: str
    time: str
    month: str
    day: str
    skip: str
    sections: str
    editions: str
    home: str
    by: str
    comma: str
    and_: str
    published: str
    updated: str
    correction: str
    corrections: str
    related: str
    latest: str
    empty: str
    feed: str
    feed_title: str
    section_description: str
    top: str
    back_home: str
    gone_title: str
    gone_text: str
    not_found_title: str
    not_found_text: str
    refused_title: str
    refused_text: str
    expired_title: str
    expired_text: str
    retracted: str
    preview: str
    more: str
    loading: str
    older: str
    newer: str
    page_number: str
    archive: str
    archive_of: str
    archive_about: str
    tags: str
    tag_title: str
    tag_about: str
    author_title: str
    author_about: str
    translations: str
    picture_credit: str
    share: str
    share_mail: str
    search: str
    search_words: str
    search_button: str
    search_found: str
    search_nothing: str
    search_away: str
    search_more: str
    search_hint: str
    about: str


@dataclass(frozen=True, kw_only=True)
class Theme:
    """templates: ready to render. labels: by edition. files: URL path -> bytes. paths: static name -> URL path.

    digest: changes when any template, static file or label does.
    """

    templates: Environment
    labels: Mapping[str, Labels]
    files: Mapping[str, bytes]
    paths: Mapping[str, str]
    digest: str


def load_theme(folders: Sequence[Path], languages: Sequence[str], newspaper: str = "") -> Theme:
    """Read a theme. folders: the newsroom's own first, each with templates/, static/ and labels/ or some of them.

    languages: the editions. newspaper: its name, whose first letter is its icon where it brings no other. Raises
    ThemeError for a missing folder, a template that does not compile, labels that are missing, unknown or no text, and
    an icon that cannot be read.
    """
    places = [*folders, DEFAULT_THEME]
    for folder in places:
        if not folder.is_dir():
            raise ThemeError(f"{folder}: should be a folder with templates/, static/ or labels/")
    templates = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder / "templates") for folder in places]),
        autoescape=True,
        auto_reload=False,
        cache_size=-1,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    digest = hashlib.sha256()
    for name in sorted(templates.list_templates()):
        try:
            templates.get_template(name)
            source = templates.loader.get_source(templates, name)[0] if templates.loader else ""
        except TemplateSyntaxError as error:
            raise ThemeError(
                f"{error.filename or f'templates/{name}'}, line {error.lineno}: {error.message}"
            ) from error
        except (TemplateError, UnicodeDecodeError, OSError) as error:
            raise ThemeError(f"templates/{name}: {error}") from error
        digest.update(f"{name}\0{source}\0".encode())
    labels = {language: _labels(places, language) for language in languages}
    digest.update(repr(sorted(labels.items())).encode())
    files, paths = _static(places, newspaper)
    digest.update(repr(sorted(files)).encode())
    return Theme(templates=templates, labels=labels, files=files, paths=paths, digest=digest.hexdigest()[:16])


def _labels(places: Sequence[Path], language: str) -> Labels:
    """The default theme's words, and over them the newsroom's own, which may be a few."""
    known = {field.name.rstrip("_") for field in fields(Labels)}
    words: dict[str, str] = {}
    name = f"labels/{language}.toml"
    for folder in reversed(places):
        file = folder / name
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ThemeError(f"{file}: should be TOML in UTF-8: {error}") from error
        for key, value in table.items():
            if key not in known:
                raise ThemeError(f"{file}: {key}: is not known; known labels are {', '.join(sorted(known))}")
            if not isinstance(value, str) or not value:
                raise ThemeError(f"{file}: {key}: should be a text")
            words[key] = value
    missing = sorted(known - set(words))
    if missing:
        raise ThemeError(f"{name}: should also have {', '.join(missing)}, in one of {', '.join(map(str, places))}")
    try:
        Locale.parse(words["locale"])
    except (ValueError, UnknownLocaleError) as error:
        raise ThemeError(f"{name}: locale: should be a locale such as fr_FR, not {words['locale']}") from error
    if style := style_of(language):
        words |= {key: set_plain(value, style) for key, value in words.items() if key not in _PATTERNS}
    return Labels(**{(key if key != "and" else "and_"): value for key, value in words.items()})


def _static(places: Sequence[Path], newspaper: str) -> tuple[dict[str, bytes], dict[str, str]]:
    found: dict[str, bytes] = {}
    own: set[str] = set()
    for folder in reversed(places):
        root = folder / "static"
        for file in sorted(root.rglob("*")) if root.is_dir() else ():
            if file.is_file() and not file.name.startswith("."):
                name = file.relative_to(root).as_posix()
                try:
                    found[name] = file.read_bytes()
                except OSError as error:
                    raise ThemeError(f"{file}: cannot be read: {error.strerror}") from error
                if folder != DEFAULT_THEME:
                    own.add(name)
    if BRAND in found:
        found[STYLE] = found[STYLE] + b"\n" + found.pop(BRAND)
    if own & {icons.SVG, icons.PNG}:
        try:
            made = icons.icons(found.pop(icons.PNG, None), newspaper)
        except ValueError as error:
            raise ThemeError(f"static/{icons.PNG}: {error}") from error
        found |= {name: content for name, content in made.items() if name not in own}
    files: dict[str, bytes] = {}
    paths: dict[str, str] = {}
    for name, content in found.items():
        stem, dot, ending = name.rpartition(".")
        mark = hashlib.sha256(content).hexdigest()[:12]
        path = f"{ASSETS}{stem}.{mark}.{ending}" if dot else f"{ASSETS}{name}.{mark}"
        files[path] = content
        paths[name] = path
    return files, paths
