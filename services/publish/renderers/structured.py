"""Articles and pages as schema.org describes them (JSON-LD). All that is marked up is also visible on the page."""

from __future__ import annotations

from collections.abc import Sequence

from services.publish.pictures import renditions_of
from services.publish.renderers.editions import Edition
from services.publish.renderers.safe import clean_text
from shared.events import PublicArticle
from shared.newsroom import Newsroom

# Sections whose articles give opinions, by key: readers and search engines are told so.
OPINION_SECTIONS = frozenset({"opinion", "opinions", "tribunes", "editorial", "editoriaux"})


def publisher(newsroom: Newsroom, edition: Edition, logo: str) -> dict[str, object]:
    """The newspaper as an organisation."""
    found: dict[str, object] = {
        "@type": "NewsMediaOrganization",
        "name": edition.name,
        "url": newsroom.url(newsroom.front_path(newsroom.default_language)),
        "logo": {"@type": "ImageObject", "url": logo, "width": 512, "height": 512},
    }
    for name, path in edition.policies.items():
        found[name] = newsroom.url(path)
    return found


def article(
    one: PublicArticle,
    newsroom: Newsroom,
    edition: Edition,
    *,
    section: str,
    headline: str,
    description: str,
    url: str,
    logo: str,
    pictured: bool,
    author_urls: Sequence[str],
) -> list[dict[str, object]]:
    """An article, and the trail that leads to it. headline, description: as the page shows them."""
    dates = edition.dates
    kind = "OpinionNewsArticle" if one.section in OPINION_SECTIONS else "NewsArticle"
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": kind,
        "mainEntityOfPage": url,
        "url": url,
        "headline": headline,
        "description": description,
        "datePublished": dates.iso(one.first_published_at),
        "dateModified": dates.iso(one.updated_at),
        "inLanguage": one.language,
        "articleSection": section,
        "isAccessibleForFree": True,
        "publisher": publisher(newsroom, edition, logo),
    }
    if one.bylines:
        data["author"] = [
            {"@type": "Person", "name": clean_text(byline.name), **({"url": link} if link else {})}
            for byline, link in zip(one.bylines, author_urls, strict=True)
        ]
    else:
        data["author"] = [{"@type": "Organization", "name": edition.name, "url": newsroom.url(edition.front_path)}]
    if pictured and one.images:
        data["image"] = [
            {
                "@type": "ImageObject",
                "url": newsroom.url(found.path),
                "width": found.width,
                "height": found.height,
                **({"caption": clean_text(one.images[0].caption)} if one.images[0].caption else {}),
                **({"creditText": clean_text(one.images[0].credit)} if one.images[0].credit else {}),
            }
            for found in (renditions_of(one.images[0], crop, "jpg")[-1] for crop in ("16x9", "4x3", "1x1"))
        ]
    if one.tags:
        data["keywords"] = [clean_text(tag) for tag in one.tags]
    if one.corrections:
        data["correction"] = [
            {
                "@type": "CorrectionComment",
                "text": clean_text(correction.note),
                "datePublished": dates.iso(correction.corrected_at),
            }
            for correction in one.corrections
        ]
    if one.retraction is not None:
        data["creativeWorkStatus"] = "Retracted"
    trail = [(edition.name, edition.url), (section, newsroom.url(newsroom.section_path(one.language, one.section)))]
    return [data, breadcrumbs([*trail, (headline, url)])]


def breadcrumbs(trail: Sequence[tuple[str, str]]) -> dict[str, object]:
    """The way from the front page: names and absolute URLs."""
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": url}
            for number, (name, url) in enumerate(trail, start=1)
        ],
    }


def website(newsroom: Newsroom, edition: Edition, logo: str) -> dict[str, object]:
    """An edition's front page."""
    return {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": edition.name,
        "url": edition.url,
        "inLanguage": edition.language,
        "publisher": publisher(newsroom, edition, logo),
        "potentialAction": {
            "@type": "SearchAction",
            "target": f"{newsroom.url('/search')}?lang={edition.language}&q={{search_term_string}}",
            "query-input": "required name=search_term_string",
        },
    }
