"""The three feeds of a list. An article's item is made once for each format and put into every feed that carries it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from services.publish.pictures import FULL, renditions_of
from services.publish.renderers import atom, json_feed, rss
from services.publish.renderers.safe import absolute_links, clean_text
from services.publish.renderers.texts import set_text
from services.publish.renderers.typography import Style, style_of
from services.publish.views import Entry, summary_of
from shared.events import PublicArticle
from shared.newsroom import Newsroom

DESCRIPTION_LENGTH = 300
# Longer bodies (characters) are written anew each time, so that the caches stay within a few megabytes.
KEPT_BODY = 20_000


class Feed(NamedTuple):
    """What a feed says of itself: plain texts, absolute URLs. folder: the URL path in which its files stand."""

    title: str
    about: str
    language: str
    name: str
    link: str
    folder: str
    icon: str


class Items(NamedTuple):
    """One article in each format."""

    rss: bytes
    atom: bytes
    json: bytes


class FeedWriter:
    """Writes feeds for one newsroom. body_of: a body as pages show it; extra_of: what follows it. hubs: WebSub's."""

    def __init__(
        self,
        newsroom: Newsroom,
        body_of: Callable[[str, Style], str],
        extra_of: Callable[[PublicArticle], str],
        section_name: Callable[[PublicArticle], str],
        hubs: Sequence[str] = (),
    ) -> None:
        self._hubs = tuple(hubs)
        self._newsroom = newsroom
        self._body_of = body_of
        self._extra_of = extra_of
        self._section_name = section_name
        self._kept = lru_cache(400)(self._items)

    def feeds(self, feed: Feed, entries: Sequence[Entry]) -> Mapping[str, bytes]:
        """RSS, Atom and JSON Feed by file name; entries: newest first."""
        items = [self._kept(one) if len(one.article.body_html) <= KEPT_BODY else self._items(one) for one in entries]
        newest = max((one.article.updated_at for one in entries), default=None)
        url = self._newsroom.url

        about: dict[str, Any] = {"title": feed.title, "link": feed.link, "language": feed.language, "hubs": self._hubs}
        return {
            "feed.xml": b"".join(
                [
                    _bytes(
                        rss.head(
                            **about, description=feed.about, self_url=url(f"{feed.folder}feed.xml"), built_at=newest
                        )
                    ),
                    *[one.rss for one in items],
                    _RSS_END,
                ]
            ),
            "atom.xml": b"".join(
                [
                    _bytes(
                        atom.head(
                            **about,
                            subtitle=feed.about,
                            self_url=url(f"{feed.folder}atom.xml"),
                            updated=newest,
                            author=feed.name,
                        )
                    ),
                    *[one.atom for one in items],
                    _ATOM_END,
                ]
            ),
            "feed.json": b"".join(
                [
                    _bytes(
                        json_feed.head(
                            **about, description=feed.about, self_url=url(f"{feed.folder}feed.json"), icon=feed.icon
                        )
                    ),
                    *[part for one in items for part in (_BETWEEN, one.json)][1:],
                    _JSON_END,
                ]
            ),
        }

    def _items(self, entry: Entry) -> Items:
        article = entry.article
        newsroom = self._newsroom
        style = style_of(article.language)
        body = absolute_links(str(self._body_of(article.body_html, style)), newsroom.base_url)
        content = body + str(self._extra_of(article))
        title = set_text(article.headline, style)
        summary = set_text(summary_of(article, DESCRIPTION_LENGTH), style)
        link = newsroom.url(article.path)
        guid = rss.guid_of(newsroom, article)
        names = [clean_text(byline.name) for byline in article.bylines]
        tags = [self._section_name(article), *(clean_text(tag) for tag in article.tags)]
        media = None
        if entry.pictured and article.images:
            picture = article.images[0]
            shown = renditions_of(picture, FULL, "jpg")[-1]
            media = rss.Media(
                newsroom.url(shown.path),
                "image/jpeg",
                shown.width,
                shown.height,
                clean_text(picture.caption or picture.alt),
                clean_text(picture.credit),
            )
        common: Any = {"title": title, "content_html": content}
        dates: Any = {"published": article.first_published_at, "updated": article.updated_at}
        return Items(
            _bytes(
                rss.item(
                    **common,
                    link=link,
                    guid=guid,
                    published_at=article.first_published_at,
                    creators=names,
                    categories=tags,
                    description=summary,
                    media=media,
                )
            ),
            _bytes(
                atom.entry(
                    **common,
                    **dates,
                    link=link,
                    entry_id=guid,
                    language=article.language,
                    authors=names,
                    categories=tags,
                    summary=summary,
                )
            ),
            _bytes(
                json_feed.item(
                    **common,
                    **dates,
                    item_id=guid,
                    url=link,
                    summary=summary,
                    language=article.language,
                    authors=names,
                    tags=tags,
                    image=media.url if media else None,
                )
            ),
        )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8")


_RSS_END, _ATOM_END = _bytes(rss.END), _bytes(atom.END)
_JSON_END, _BETWEEN = _bytes(json_feed.END), _bytes(json_feed.BETWEEN)
