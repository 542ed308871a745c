"""The newspaper as its editor-in-chief describes it: `newsroom.toml`, read once at start.

Name, address, time zone, editions and sections come from here, and so does every public path: no other module joins
a language, a section and a slug. A wrong file is refused with every fault at once: its key, and what it should be.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

DEFAULT_FILE = Path(__file__).with_name("newsroom.toml")

# First segments of addresses that belong to the system: no section, and no slug at the root, may take them.
RESERVED_SEGMENTS = frozenset(
    {
        "v1",
        "assets",
        "media",
        "search",
        "preview",
        "push",
        "newsletter",
        "docs",
        "desk",
        "healthz",
        "readyz",
        "metrics",
        "static",
        "archive",
        "tag",
        "tags",
        "page",
        "auteur",
        "auteurs",
        "author",
        "authors",
        "openapi.json",
        "feed.xml",
        "atom.xml",
        "feed.json",
        "sitemap.xml",
        "sitemaps",
        "robots.txt",
        "favicon.ico",
        "manifest.webmanifest",
        "404.html",
        ".well-known",
    }
)

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_SECTION_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PATTERN_TEXT = re.compile(r"(/[A-Za-z0-9{}._~-]+)+")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?")
_SENDER = re.compile(r"([^<>\r\n]+ <[^\s<>@]+@[^\s<>@]+>)|([^\s<>@]+@[^\s<>@]+)")
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_KEYS = frozenset(
    {
        "name",
        "names",
        "tagline",
        "base_url",
        "time_zone",
        "languages",
        "sections",
        "article_pattern",
        "ai_opt_out",
        "newsletter_sender",
        "id_domain",
        "pages",
        "expired",
    }
)


class NewsroomFileError(Exception):
    """A newsroom file cannot be used. faults: (key, what it should be), every one of them; the text names the file."""

    def __init__(self, file: Path, faults: list[tuple[str, str]]) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__("\n".join(self._line(key, should) for key, should in faults))

    def _line(self, key: str, should: str) -> str:
        if key.startswith("ROTATIVE_"):
            return f"{key} {should}"  # it overrides the file, which is not to blame
        return f"{self.file}: {key}: {should}" if key else f"{self.file}: {should}"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A place where readers find articles. key: its part of the address. names: one for each language."""

    key: str
    names: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Newsroom:
    """The newspaper. Paths begin with "/"; article paths have no trailing slash, list paths have one.

    name: in the masthead; names: other names by language. base_url: scheme and host, no trailing slash.
    languages: BCP 47, the first is the default. article_pattern: holds {slug}, and {section} if sections show in it.
    newsletter_sender: an address with or without a name, or None. id_domain: stands in the ids that feeds carry.
    pages_dir: a folder of the newsroom's own pages in Markdown, by language. expired: whether an expired article's page
    is "gone" (410) or "kept" (200, out of every list).
    """

    name: str
    base_url: str
    time_zone: ZoneInfo
    languages: tuple[str, ...]
    sections: tuple[Section, ...]
    id_domain: str
    tagline: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    article_pattern: str = "/{section}/{slug}"
    ai_opt_out: bool = True
    newsletter_sender: str | None = None
    pages_dir: Path | None = None
    expired: str = "gone"

    @property
    def default_language(self) -> str:
        """The language of the edition at the root."""
        return self.languages[0]

    @property
    def section_keys(self) -> frozenset[str]:
        """The keys of all sections."""
        return frozenset(section.key for section in self.sections)

    def name_in(self, language: str) -> str:
        """The newspaper's name as the edition in this language spells it."""
        return self.names.get(language, self.name)

    def direction(self, language: str) -> str:
        """ "rtl" for languages written from right to left, else "ltr"."""
        return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"

    def edition(self, language: str) -> str:
        """The edition that a text of any language belongs to: its own, that of its main language, or the default."""
        if language in self.languages:
            return language
        main = language.partition("-")[0].lower()
        for candidate in self.languages:
            if candidate.partition("-")[0] == main:
                return candidate
        return self.default_language

    def front_path(self, language: str) -> str:
        """The front page of an edition: "/" or "/en/"."""
        return f"{self._prefix(language)}/"

    def section_path(self, language: str, section: str) -> str:
        """The front of a section in an edition: "/politique/" or "/en/politique/"."""
        return f"{self._prefix(language)}/{section}/"

    def article_path(self, language: str, section: str, slug: str) -> str:
        """An article's page: "/politique/un-article" or "/en/politique/an-article"."""
        path = self.article_pattern.replace("{section}", section).replace("{slug}", slug)
        return f"{self._prefix(language)}{path}"

    def section_name(self, language: str, key: str) -> str:
        """A section's name as readers of this language see it. Raises KeyError for a section that does not exist."""
        for section in self.sections:
            if section.key == key:
                return section.names[self.edition(language)]
        raise KeyError(key)

    def url(self, path: str) -> str:
        """The absolute address of a path of this site."""
        return f"{self.base_url}{path}"

    def _prefix(self, language: str) -> str:
        edition = self.edition(language)
        return "" if edition == self.languages[0] else f"/{edition.lower()}"


def load_newsroom(path: Path | None = None, base_url: str | None = None, *, port: int = 8000) -> Newsroom:
    """Read a newsroom file; without a path, the demo newspaper's.

    base_url: overrides the file's; without both, http://127.0.0.1:PORT.
    Raises NewsroomFileError with every fault: the file, the key and what it should be.
    """
    file = path if path is not None else DEFAULT_FILE
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NewsroomFileError(file, [("", f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise NewsroomFileError(file, [("", f"should be UTF-8 text: {error}")]) from error
    except tomllib.TOMLDecodeError as error:
        raise NewsroomFileError(file, [("", f"should be TOML: {error}")]) from error
    return _Reader(file, {"base_url": f"http://127.0.0.1:{port}", **table}).newsroom(base_url)


class _Reader:
    """Takes one parsed file apart and collects faults as it goes."""

    def __init__(self, file: Path, table: dict[str, object]) -> None:
        self.file = file
        self.table = table
        self.faults: list[tuple[str, str]] = []

    def newsroom(self, base_url: str | None) -> Newsroom:
        for key in sorted(set(self.table) - _KEYS):
            self.fault(key, f"is not known; known keys are {', '.join(sorted(_KEYS))}")
        languages = self.languages()
        name = self.text("name", required=True)
        address = self.base_url(base_url)
        zone = self.time_zone()
        sections = self.sections(languages)
        tagline = self.by_language("tagline", self.table.get("tagline", {}), languages, complete=False)
        names = self.by_language("names", self.table.get("names", {}), languages, complete=False)
        pattern = self.article_pattern()
        opt_out = self.table.get("ai_opt_out", True)
        if not isinstance(opt_out, bool):
            self.fault("ai_opt_out", "should be true or false")
        sender = self.text("newsletter_sender", required=False)
        if sender and not _SENDER.fullmatch(sender):
            self.fault(
                "newsletter_sender", 'should be an address like "letters@example.org" or "Name <letters@example.org>"'
            )
        domain = self.text("id_domain", required=False) or (urlsplit(address).hostname or "").strip("[]")
        if not self.faults and not _DOMAIN.fullmatch(domain):
            self.fault("id_domain", 'should be a domain name, like "example.org"')
        expired = self.table.get("expired", "gone")
        if expired not in ("gone", "kept"):
            self.fault("expired", 'should be "gone" (the page answers 410) or "kept" (it stays, out of every list)')
        pages_dir = self.pages_dir()
        if self.faults:
            raise NewsroomFileError(self.file, self.faults)
        return Newsroom(
            name=name,
            base_url=address,
            time_zone=zone,
            languages=languages,
            sections=sections,
            id_domain=domain,
            tagline=tagline,
            names=names,
            article_pattern=pattern,
            ai_opt_out=bool(opt_out),
            newsletter_sender=sender or None,
            pages_dir=pages_dir,
            expired=str(expired),
        )

    def fault(self, key: str, should: str) -> None:
        self.faults.append((key, should))

    def text(self, key: str, *, required: bool) -> str:
        value = self.table.get(key)
        if value is None and not required:
            return ""
        return self.line(key, value)

    def line(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
            self.fault(key, "should be a text of 1 to 200 characters on one line")
            return ""
        return value.strip()

    def pages_dir(self) -> Path | None:
        # Whether it is there is publish's concern alone: the other services have no use for it.
        value = self.text("pages", required=False)
        return self.file.parent / value if value else None

    def languages(self) -> tuple[str, ...]:
        value = self.table.get("languages")
        should = 'should be a list of languages, the default first, like ["fr", "en", "ar"]'
        if not isinstance(value, list) or not value or not all(isinstance(code, str) for code in value):
            self.fault("languages", should)
            return ()
        codes = tuple(str(code) for code in value)
        for code in codes:
            if not _LANGUAGE.fullmatch(code):
                self.fault("languages", f'{should}; "{code}" is not a language code such as "fr" or "pt-BR"')
        if len(set(codes)) != len(codes):
            self.fault("languages", "should name each language once")
        return codes

    def base_url(self, override: str | None) -> str:
        value = override if override is not None else self.table["base_url"]
        key = "ROTATIVE_BASE_URL" if override is not None else "base_url"
        should = 'should be an address without a path, like "https://www.example.org"'
        if override is not None:
            should += f", not {override!r}"
        if not isinstance(value, str):
            self.fault(key, should)
            return ""
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            self.fault(key, should)
            return ""
        plain = parts.path in {"", "/"} and not parts.query and not parts.fragment and parts.username is None
        visible = value.isascii() and value.isprintable() and " " not in value
        if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or not visible:
            self.fault(key, should)
            return ""
        return f"{parts.scheme}://{parts.netloc}"

    def time_zone(self) -> ZoneInfo:
        value = self.table.get("time_zone")
        try:
            if isinstance(value, str) and value:
                return ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            pass  # unknown, or a folder's name, or a path outside the data
        self.fault("time_zone", 'should be a zone of the IANA database, like "Europe/Paris"')
        return ZoneInfo("UTC")

    def sections(self, languages: tuple[str, ...]) -> tuple[Section, ...]:
        value = self.table.get("sections")
        if not isinstance(value, list) or not value:
            self.fault("sections", "should be one or more [[sections]] tables with key and names")
            return ()
        taken = RESERVED_SEGMENTS | {code.lower() for code in languages}
        sections: list[Section] = []
        seen: set[str] = set()
        for number, entry in enumerate(value, start=1):
            where = f"sections[{number}]"
            if not isinstance(entry, dict):
                self.fault(where, "should be a table with key and names")
                continue
            for unknown in sorted(set(entry) - {"key", "names"}):
                self.fault(f"{where}.{unknown}", "is not known; a section has key and names")
            key = entry.get("key")
            if not isinstance(key, str) or not _SECTION_KEY.fullmatch(key) or len(key) > 60:
                self.fault(f"{where}.key", 'should be small letters, digits and hyphens, like "economie"')
                key = ""
            elif key in taken:
                self.fault(f"{where}.key", f"should not be \"{key}\": that address is the system's or an edition's")
            elif key in seen:
                self.fault(f"{where}.key", f'should not be "{key}" again: each section has its own')
            seen.add(key)
            names = self.by_language(f"{where}.names", entry.get("names"), languages, complete=True)
            sections.append(Section(key=key, names=names))
        return tuple(sections)

    def by_language(self, key: str, value: object, languages: tuple[str, ...], *, complete: bool) -> dict[str, str]:
        if not isinstance(value, dict):
            self.fault(key, 'should be a table of texts by language, like { fr = "…", en = "…" }')
            return {}
        texts: dict[str, str] = {}
        for code, text in value.items():
            if languages and code not in languages:
                self.fault(f"{key}.{code}", f"should be one of the languages {', '.join(languages)}")
            else:
                texts[code] = self.line(f"{key}.{code}", text)
        for code in languages:
            if complete and code not in value:
                self.fault(f"{key}.{code}", "should be there: a text for this language")
        return texts

    def article_pattern(self) -> str:
        value = self.table.get("article_pattern", "/{section}/{slug}")
        should = 'should be a path that holds {slug} once and may hold {section}, like "/{section}/{slug}"'
        if not isinstance(value, str) or not _PATTERN_TEXT.fullmatch(value):
            self.fault("article_pattern", should)
            return ""
        names = _PLACEHOLDER.findall(value)
        bare = _PLACEHOLDER.sub("", value)
        if names.count("slug") != 1 or set(names) - {"section", "slug"} or "{" in bare or "}" in bare:
            self.fault("article_pattern", should)
            return ""
        return value
