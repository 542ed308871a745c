"""An article in every form: its page, its related set for scripts, and ninjs for partners' programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from services.publish import lists
from services.publish.lists import Listing
from services.publish.pictures import FULL, renditions_of
from services.publish.renderers import ninjs, rss, structured
from services.publish.renderers.editions import Edition
from services.publish.renderers.fragments import Fragments, Press
from services.publish.renderers.looks import OPENING_SIZES, RELATED
from services.publish.renderers.pictures import preload_html, srcset
from services.publish.renderers.safe import absolute_links, clean_text
from services.publish.renderers.texts import data_block, og_locale, set_text
from services.publish.renderers.typography import style_of
from services.publish.views import Teaser, shortened, summary_of
from shared.events import PublicArticle

DESCRIPTION_LENGTH = 300
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class ArticlePages(Fragments):
    """Writes what stands at an article's own address and beside it."""

    def __init__(self, press: Press) -> None:
        super().__init__(press)
        self._article = press.theme.templates.get_template("article.html")
        self._item = lru_cache(1024)(self._write_item)

    def article_page(
        self,
        article: PublicArticle,
        related: Sequence[Teaser] = (),
        *,
        pictured: bool = False,
        translations: Mapping[str, str] | None = None,
    ) -> bytes:
        """An article's page, with its related set's teasers in their order.

        pictured: whether its pictures are ready. translations: paths of all versions by language, with its own.
        """
        article = _as_of_retraction(article)
        edition = self._edition(article.language)
        section = edition.section(self.newsroom, article.section)
        style = style_of(article.language)
        headline = set_text(article.headline, style)
        standfirst = set_text(article.standfirst.strip(), style)
        description = shortened(standfirst, DESCRIPTION_LENGTH) or set_text(summary_of(article), style)
        url = self.newsroom.url(article.path)
        dates = edition.dates
        foreign = article.language != edition.language
        retraction = article.retraction if article.status == "retracted" else None
        versions = self._versions(article, translations or {})
        authors = [self._author_path(byline.name, edition.language) for byline in article.bylines]
        pictures = article.images if pictured else ()
        body = self._body(article.body_html, style)
        return self._article.render(
            edition=edition,
            labels=edition.labels,
            header=self._header(edition.language, section.key, "article"),
            title=f"{headline} – {edition.name}",
            description=description,
            language=article.language if foreign else "",
            direction=self.newsroom.direction(article.language),
            url=url,
            canonical=article.canonical_url or url,
            path=article.path,
            og_locale=og_locale(article.language),
            versions=versions,
            section=section,
            headline=headline,
            standfirst=standfirst,
            bylines=self._bylines(article.bylines, edition.language, True),
            author_names=", ".join(clean_text(byline.name) for byline in article.bylines),
            tags=self._tags(article, edition),
            published=dates.element("date_time", article.first_published_at),
            published_iso=dates.iso(article.first_published_at),
            updated=(
                dates.element("date_time", article.updated_at)
                if _minute(article.updated_at) > _minute(article.first_published_at)
                else ""
            ),
            updated_iso=dates.iso(article.updated_at),
            picture=self._figure(pictures[0], style, lead=True) if pictures else "",
            preload=preload_html(pictures[0], crop=FULL, sizes=OPENING_SIZES, forms=self.forms) if pictures else "",
            preview=self._shared(pictures[0]) if pictures else None,
            gallery=[self._figure(one, style) for one in pictures[1:]],
            body=body,
            source=set_text(article.source, style),
            retraction=(
                {
                    "date": dates.element("date_time", retraction.retracted_at),
                    "note": set_text(retraction.note, style),
                }
                if retraction
                else None
            ),
            noindex=article.status != "live",
            draft=article.status not in {"live", "retracted"},
            corrections=[
                {"date": dates.element("date_time", correction.corrected_at), "note": set_text(correction.note, style)}
                for correction in article.corrections
            ],
            related=[self._teaser(teaser, edition.language, RELATED) for teaser in related],
            structured=data_block(
                structured.article(
                    article,
                    self.newsroom,
                    edition,
                    section=section.name,
                    headline=headline,
                    description=description,
                    url=url,
                    logo=self._logo,
                    pictured=pictured,
                    author_urls=[
                        byline.url or (self.newsroom.url(path) if path else "")
                        for byline, path in zip(article.bylines, authors, strict=True)
                    ],
                )
            ),
        ).encode("utf-8")

    def related_json(self, article: PublicArticle, related: Sequence[Teaser]) -> bytes:
        """An article's related set for scripts: what its page shows, and where the next sets are."""
        edition = self._edition(article.language)
        items = [self._item(teaser, edition.language) for teaser in related]
        return (_ENCODER.encode({"items": items}) + "\n").encode("utf-8")

    def _write_item(self, teaser: Teaser, language: str) -> dict[str, Any]:
        edition = self._editions[language]
        style = style_of(teaser.language)
        found: dict[str, Any] = {
            "path": teaser.path,
            "related": f"{teaser.path}/related.json",
            "headline": set_text(teaser.headline, style),
            "excerpt": set_text(teaser.summary, style),
            "section": edition.section(self.newsroom, teaser.section).name,
            "language": teaser.language,
            "direction": self.newsroom.direction(teaser.language),
            "published_at": edition.dates.iso(teaser.first_published_at),
            "date": edition.dates.text("date", teaser.first_published_at),
        }
        if (picture := teaser.picture) is not None:
            shown = renditions_of(picture, "16x9", "jpg")
            found["picture"] = {
                "src": shown[0].path,
                "srcset": srcset(picture, "16x9", self.forms[-2] if len(self.forms) > 1 else "jpg"),
                "thumb": renditions_of(picture, "thumb", "jpg")[0].path,
                "width": shown[-1].width,
                "height": shown[-1].height,
                "alt": set_text(picture.alt, style),
            }
        return found

    def ninjs(self, article: PublicArticle, *, pictured: bool = False) -> bytes:
        """The article as ninjs 3.1."""
        article = _as_of_retraction(article)
        edition = self._edition(article.language)
        body = self._body(article.body_html, "")
        pictures: list[dict[str, object]] = []
        for number, one in enumerate(article.images if pictured else (), start=1):
            pictures.append(
                {
                    "name": f"picture-{number}",
                    "rel": "lead" if number == 1 else "illustration",
                    "uri": self.newsroom.url(renditions_of(one, FULL, "jpg")[-1].path),
                    "type": "picture",
                    **({"by": one.credit} if one.credit else {}),
                    "descriptions": [
                        {"role": role, "value": text}
                        for role, text in (("caption", one.caption), ("alt", one.alt))
                        if text
                    ],
                    "renditions": [
                        {
                            "name": f"{found.width}w",
                            "href": self.newsroom.url(found.path),
                            "contentType": "image/jpeg",
                            "width": found.width,
                            "height": found.height,
                        }
                        for found in renditions_of(one, FULL, "jpg")
                    ],
                }
            )
        return ninjs.document(
            article,
            uri=rss.guid_of(self.newsroom, article),
            url=self.newsroom.url(article.path),
            section=self._section_name(article),
            provider=edition.name,
            body_html=absolute_links(str(body), self.newsroom.base_url),
            pictures=pictures,
        )

    def _tags(self, article: PublicArticle, edition: Edition) -> list[tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for tag in article.tags:
            if key := lists.term_key(tag):
                path = self._path(Listing("tag", edition.language, key))
                found.setdefault(key, (path, set_text(tag, style_of(article.language))))
        return list(found.values())

    def _versions(self, article: PublicArticle, translations: Mapping[str, str]) -> list[dict[str, Any]]:
        """The article's versions in all languages, with itself; [] when there is only one."""
        if article.status != "live" or len(translations) < 2 or translations.get(article.language) != article.path:
            return []
        return [
            {
                "language": language,
                "locale": og_locale(language),
                "direction": self.newsroom.direction(language),
                "name": self._edition(language).labels.language_name,
                "path": path,
                "url": self.newsroom.url(path),
                "here": path == article.path,
            }
            for language, path in sorted(translations.items(), key=self._by_edition)
        ]

    def _by_edition(self, version: tuple[str, str]) -> int:
        return self.newsroom.languages.index(self.newsroom.edition(version[0]))


def _as_of_retraction(article: PublicArticle) -> PublicArticle:
    """The article with the date of its last change to readers, which a retraction is."""
    if article.status != "retracted" or article.retraction is None:
        return article
    return replace(article, updated_at=max(article.updated_at, article.retraction.retracted_at))


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)
