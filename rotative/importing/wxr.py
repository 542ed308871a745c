"""WXR, the export of WordPress (1.0 to 1.2): read as a stream, entities off, no network.

Source: WordPress's wp-admin/includes/export.php: RSS 2.0 with wp:, content:, excerpt: and dc: names.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from rotative.importing.illustrations import plain, without_pictures
from rotative.importing.items import BadArchive, Item, PictureElsewhere
from rotative.importing.reading import Meter

_SKIPPED = {"trash", "auto-draft", "inherit", "private"}
# WordPress writes a date that it does not know as one of the year -0001.
_RFC_822 = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} ")
_LIVE = {"publish", "future"}
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Of one text: what no article has; the parser's own limit is about ten times that.
_TEXT_MAX = 1_500_000
# What an article holds.
_HEADLINE_MAX, _STANDFIRST_MAX, _TAGS_MAX = 200, 1000, 30
_ATTACHMENTS_MAX = 200_000
_IS_PICTURE = re.compile(r"^https?://.*\.(jpe?g|png|webp|avif|gif)$", re.IGNORECASE)
# Each stops at the next beginning: what is opened and never closed is not read to the end again and again.
_BLOCK = re.compile(r"<!--\s*/?wp:(?:(?!<!--).)*?-->", re.DOTALL)
_CAPTION = re.compile(r"\[caption\b[^\[\]]*\]((?:(?!\[caption\b).)*?)\[/caption\]", re.DOTALL | re.IGNORECASE)
_EMBED = re.compile(r"\[embed\b[^\[\]]*\]((?:(?!\[embed\b).)*?)\[/embed\]", re.DOTALL | re.IGNORECASE)
_EMBED_BLOCK = re.compile(
    r"<figure\b[^<>]*\bwp-block-embed\b[^<>]*>((?:(?!<figure\b).)*?)</figure>", re.DOTALL | re.IGNORECASE
)
_FIGCAPTION = re.compile(r"<figcaption\b[^<>]*>((?:(?!<figcaption\b).)*?)</figcaption>", re.DOTALL | re.IGNORECASE)
_PREFORMATTED = re.compile(r"<pre\b[^<>]*>(?:(?!<pre\b).)*?</pre>", re.DOTALL | re.IGNORECASE)
_QUOTE_ENDS = re.compile(r"</?blockquote\b[^<>]*>", re.IGNORECASE)
_SHORTCODE = re.compile(r"\[/?([a-z][a-z0-9_-]*)(?:\s[^\[\]]*)?/?\]", re.IGNORECASE)
_BLOCKS = "p|div|h[1-6]|ul|ol|li|blockquote|table|thead|tbody|tr|td|th|figure|figcaption|pre|hr|iframe|script|style"
_STARTS_BLOCK = re.compile(rf"</?(?:{_BLOCKS})\b", re.IGNORECASE)
_KNOWN_SHORTCODES = frozenset(
    [
        "gallery",
        "caption",
        "embed",
        "audio",
        "video",
        "playlist",
        "wp_caption",
        "contact-form-7",
        "vc_row",
        "vc_column",
        "vc_column_text",
        "et_pb_section",
        "et_pb_row",
        "et_pb_column",
        "et_pb_text",
        "su_box",
        "su_button",
        "button",
        "columns",
        "column",
        "row",
        "tabs",
        "tab",
        "accordion",
        "toggle",
        "youtube",
        "vimeo",
        "twitter",
        "tweet",
        "instagram",
        "facebook",
        "googlemaps",
        "map",
        "newsletter",
        "signup",
        "divider",
        "spacer",
        "ad",
        "ads",
        "adrotate",
    ]
)


_ENCODING = re.compile(rb"<\?xml[^>]*encoding=[\"']([^\"']+)")
_NO_XML = dict.fromkeys([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF])


@dataclass
class _Post:
    texts: dict[str, str] = field(default_factory=dict)
    categories: list[tuple[str, str, str]] = field(default_factory=list)
    thumbnail: str = ""
    alt: str = ""


@dataclass(frozen=True)
class WxrOptions:
    """How to read an export. sections: category names and slugs, in small letters, to section keys; "*" for all others.

    language: of all its articles. pages: take pages as articles too. pictures: of attachments by their ids, as
    `read_attachments` finds them: posts then lead with theirs, and show those of their texts; None for no pictures.
    """

    sections: dict[str, str]
    language: str | None = None
    pages: bool = False
    pictures: Mapping[str, PictureElsewhere] | None = None


def read_wxr(path: Path, options: WxrOptions, meter: Meter | None = None) -> Iterator[Item]:
    """The posts of an export as articles, told to nobody; every item that is none with its reason. Raises BadArchive.

    Memory does not grow with the file: each item is forgotten once it was read; of authors, names are kept.
    """
    authors: dict[str, str] = {}
    for name, element in _elements(path, meter or Meter()):
        if name == "author":
            login, shown = _child(element, "author_login"), _child(element, "author_display_name")
            if login:
                authors[login] = shown or login
        else:
            item = _item(_post(element), authors, options)
            if item is not None:
                yield item


def read_attachments(path: Path) -> dict[str, PictureElsewhere]:
    """The pictures that an export names, by their ids: they may stand behind the posts that lead with them.

    Only those that a post leads with, at most 200,000; of a file that breaks off, those before its end.
    """
    found: dict[str, PictureElsewhere] = {}
    led_with: set[str] = set()
    for name, element in _as_far_as_it_goes(_elements(path, Meter())):
        if name != "item":
            continue
        post = _post(element)
        if post.thumbnail:
            led_with.add(post.thumbnail)
        url = post.texts.get("attachment_url", "")
        if post.texts.get("post_type") == "attachment" and _IS_PICTURE.search(url) and len(found) < _ATTACHMENTS_MAX:
            caption = plain(post.texts.get("excerpt", ""))
            found[post.texts.get("post_id", "")] = PictureElsewhere(url[:2000], post.alt[:500], caption[:1000])
    return {one: picture for one, picture in found.items() if one in led_with}


def _as_far_as_it_goes(elements: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    # Whoever reads the posts is told what is wrong, with all that stand before it taken.
    with suppress(BadArchive):
        yield from elements


class _Readable:
    """A file without what no XML may hold, such as editors paste: one such sign would end the whole archive.

    One that says to be in another encoding than UTF-8 is read as it is.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begun = self._as_it_is = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self, most: int) -> bytes:
        """Some of the file, b"" at its end."""
        while raw := self._file.read(most):
            if not self._begun:
                self._begun, self._as_it_is = True, _is_in_another_encoding(raw[:200])
            if self._as_it_is:
                return raw
            if text := self._decoder.decode(raw).translate(_NO_XML):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode()


def _is_in_another_encoding(head: bytes) -> bool:
    named = _ENCODING.search(head)
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or (
        named is not None and named[1].lower() not in {b"utf-8", b"utf8"}
    )


def _elements(path: Path, meter: Meter) -> Iterator[tuple[str, Any]]:
    """The authors and items of an export, each forgotten when the next is asked for."""
    with meter.open(path) as file:
        try:
            events = etree.iterparse(
                _Readable(file),
                events=("end",),
                tag=("{*}item", "{*}author"),
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
                recover=False,
                remove_comments=True,
                remove_pis=True,
            )
            for _, element in events:
                name = etree.QName(element).localname
                if name == "item" and element.getroottree().docinfo.internalDTD is not None:
                    raise BadArchive("has a document type of its own, which no export has")
                yield name, element
                element.clear()
                while element.getprevious() is not None and element.getparent() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise BadArchive(f"is not well-formed XML: {error.msg} (line {error.lineno})") from error


def _child(element: Any, name: str) -> str:
    for child in element:
        if isinstance(child.tag, str) and etree.QName(child).localname == name:
            return "".join(child.itertext()).strip()
    return ""


def _post(element: Any) -> _Post:
    post = _Post()
    for child in element:
        if not isinstance(child.tag, str):
            continue
        tag = etree.QName(child)
        text = "".join(child.itertext())
        if tag.localname == "category":
            post.categories.append((child.get("domain", "category"), child.get("nicename", ""), text.strip()))
        elif tag.localname == "encoded":
            kind = "excerpt" if "excerpt" in (tag.namespace or "") else "content"
            post.texts[kind] = text
        elif tag.localname == "postmeta":
            key = _child(child, "meta_key")
            if key == "_thumbnail_id":
                post.thumbnail = _child(child, "meta_value")
            elif key == "_wp_attachment_image_alt":
                post.alt = " ".join(_child(child, "meta_value").split())
        else:
            post.texts.setdefault(tag.localname, text.strip())
    return post


def _item(post: _Post, authors: dict[str, str], options: WxrOptions) -> Item | None:
    texts = post.texts
    kind, status = texts.get("post_type", "post"), texts.get("status", "publish")
    name = texts.get("link") or texts.get("guid") or f"post {texts.get('post_id', '?')}"
    if kind in {"attachment", "nav_menu_item", "revision", "custom_css", "wp_global_styles", "wp_navigation"}:
        return None
    if kind != "post" and not (kind == "page" and options.pages):
        return Item(name, reason=f"is a {kind or 'thing'}, not a post")
    if status in _SKIPPED or texts.get("post_password"):
        return Item(name, reason="has a password" if texts.get("post_password") else f"is {status}")
    categories = [(slug, shown) for domain, slug, shown in post.categories if domain == "category"]
    category = ", ".join(shown for _, shown in categories) or "none"
    section = _section(categories, options.sections)
    if section is None:
        return Item(name, reason=f"fits no section: its categories are {category}", category=category)
    content = texts.get("content", "")
    if len(content) > _TEXT_MAX:
        return Item(name, reason=f"has a text of {len(content)} characters", category=category)
    published_at = _when(texts)
    if published_at is None and status in _LIVE:
        return Item(name, reason=f"is {status}, and its date cannot be read", category=category)
    tags = [plain(shown)[:80] for domain, _, shown in post.categories if domain == "post_tag" and plain(shown)]
    tags = list(dict.fromkeys(tags))
    headline, standfirst = plain(texts.get("title", "")), plain(texts.get("excerpt", ""))
    shortened = tuple(
        f"of its {what}, {len(held)} long, the first {most} are taken"
        for what, held, most in (
            ("headline", headline, _HEADLINE_MAX),
            ("standfirst", standfirst, _STANDFIRST_MAX),
            ("tags", tags, _TAGS_MAX),
        )
        if len(held) > most
    )
    content, shown_in_text = without_pictures(_BLOCK.sub("\n", content), texts.get("link", ""))
    article: dict[str, Any] = {
        "headline": headline[:_HEADLINE_MAX],
        "standfirst": standfirst[:_STANDFIRST_MAX],
        "body": {"format": "html", "text": clean(content)},
        "section": section,
        "status": "live" if status in _LIVE else "draft",
        "tags": tags[:_TAGS_MAX],
        "bylines": [plain(authors.get(texts["creator"], texts["creator"]))[:120]] if texts.get("creator") else [],
        "notify": False,
        # Some sites give one guid to several posts.
        "origin": f"wxr:{texts.get('post_id', '')} {texts.get('guid') or name}"[:300],
    }
    if options.language:
        article["language"] = options.language
    slug = unquote(texts.get("post_name", ""))
    if _SLUG.fullmatch(slug) and len(slug) <= 80:
        article["slug"] = slug
    if published_at is not None:
        article["embargo" if status == "future" else "published_at"] = published_at
    if old := _old_paths(texts, kind):
        article["old_paths"] = old
    pictures: list[PictureElsewhere] = []
    if options.pictures is not None:
        leading = options.pictures.get(post.thumbnail)
        # WordPress's themes show the picture that leads once more where the text has it.
        pictures = [
            *([leading] if leading else []),
            *(one for one in shown_in_text if one.url != (leading and leading.url)),
        ]
    return Item(name, article, category=category, pictures=tuple(pictures), shortened=shortened)


def _section(categories: list[tuple[str, str]], sections: dict[str, str]) -> str | None:
    for slug, shown in categories:
        for one in (slug, shown, unquote(slug)):
            if key := sections.get(one.lower()):
                return key
    return sections.get("*")


def _when(texts: dict[str, str]) -> str | None:
    """When it was, or is to be, published: by WordPress's own field, else by RSS's; None when neither is a date."""
    with suppress(ValueError):
        return datetime.fromisoformat(texts.get("post_date_gmt", "")).replace(tzinfo=UTC).isoformat()
    if _RFC_822.match(texts.get("pubDate", "")):
        with suppress(ValueError):
            found = parsedate_to_datetime(texts["pubDate"])
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC).isoformat()
    return None


def _old_paths(texts: Mapping[str, str], kind: str) -> list[str]:
    """Where WordPress showed it: below its link, and below its number, as in short links (wp_get_shortlink)."""
    found = []
    if (path := _old_path(texts.get("link", ""))) is not None:
        found.append(path)
    if re.fullmatch(r"[1-9][0-9]{0,17}", number := texts.get("post_id", "")):
        found.append(f"/?{'page_id' if kind == 'page' else 'p'}={number}")
    return found


def _old_path(link: str) -> str | None:
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.query or parts.path in {"", "/"}:
        return None
    path = quote(unquote(parts.path), safe="/~!$&'()*+,;=:@-._")
    return path if len(path) <= 600 and "//" not in path else None


# Texts


def clean(text: str) -> str:
    """A post's content as HTML: blocks' comments and shortcodes out, what they enclose kept, paragraphs at blank lines.

    text: without its pictures, see illustrations. What no article may hold is taken away by the API itself, which
    reports it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _BLOCK.sub("\n", text)
    text = _CAPTION.sub(lambda found: found[1], text)
    text = _EMBED.sub(lambda found: _link(found[1].strip()), text)
    text = _EMBED_BLOCK.sub(_embedded, text)
    text = _SHORTCODE.sub(_without_shortcode, text)
    return paragraphs(text).strip()


def _link(url: str) -> str:
    return f'<p><a href="{url}">{url}</a></p>'


def _embedded(found: re.Match[str]) -> str:
    # What the site of somebody else would show here: its address, and what the editor wrote below it.
    captions = " ".join(_FIGCAPTION.findall(found[1])).strip()
    url = plain(_FIGCAPTION.sub("", found[1]))
    if not re.fullmatch(r"https?://\S+", url):
        return found[0]
    return f"\n\n{_link(html.escape(url))}\n\n" + (f"<p>{captions}</p>\n\n" if captions else "")


def _without_shortcode(found: re.Match[str]) -> str:
    # What WordPress knows nothing of is an editor's own remark, such as [sic].
    name = found[1].lower()
    known = name in _KNOWN_SHORTCODES or "_" in name or "=" in found[0]
    return "" if known else found[0]


def paragraphs(text: str) -> str:
    """Paragraphs at blank lines and breaks at line ends, as WordPress makes them, where the text has none yet."""
    parts = []
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\n\n\x00{len(kept) - 1}\x00\n\n"

    # Blank lines of what is preformatted are its own; a quotation's paragraphs stand inside of it.
    text = _PREFORMATTED.sub(keep, text.replace("\x00", ""))
    text = _QUOTE_ENDS.sub(lambda found: f"\n\n{found[0]}\n\n", text)
    for part in re.split(r"\n\s*\n", text):
        stripped = part.strip()
        if not stripped:
            continue
        if stripped.startswith("\x00"):
            parts.append(kept[int(stripped.strip("\x00"))])
        elif _STARTS_BLOCK.match(stripped):
            parts.append(stripped)
        else:
            parts.append(f"<p>{stripped.replace(chr(10), '<br>')}</p>")
    return "\n".join(parts)
