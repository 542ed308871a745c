"""What a search engine, a slow phone and a careful reader would complain of in a page."""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from PIL import Image

from checks.crawl import Page, Site

SCRIPTS_MOST, STYLES_MOST = 15_000, 30_000
ARTICLE_FIELDS = (
    "headline", "description", "datePublished", "dateModified", "author", "publisher", "mainEntityOfPage", "inLanguage",
    "articleSection", "isAccessibleForFree",
)  # fmt: skip
SHAPES = ((16, 9), (4, 3), (1, 1))
# French puts a thin no-break space where these have a plain blank before or after them.
_LOOSE = re.compile(r"[ \u00a0][;:!?»](?:\s|$)|«[ \u00a0]")
_SPOKEN = "//body//text()[not(ancestor::script or ancestor::pre or ancestor::code or ancestor::kbd)]"


def judge_pages(site: Site) -> None:
    """Every page by itself, then what only all of them together show."""
    for page in site.pages.values():
        _frame(site, page)
        _safety(site, page)
        _pictures(site, page)
        if page.status == 200:
            _search_engines(site, page)
        if page.root.get("lang") == "fr":
            _french(site, page)
    _versions(site)
    _sizes(site)


def _frame(site: Site, page: Page) -> None:
    if not page.root.get("lang") or page.root.get("dir") not in {"ltr", "rtl"}:
        site.fault(page.url, "does not say its language and direction")
    if (page.root.get("dir") == "rtl") != (page.root.get("lang", "").partition("-")[0] == "ar"):
        site.fault(page.url, "is written in the wrong direction")
    if (headings := len(page.all("//h1"))) != 1:
        site.fault(page.url, f"has {headings} first headings")
    if not "".join(page.all("//title/text()")).strip():
        site.fault(page.url, "has no title")
    ids = [str(one) for one in page.all("//@id")]
    if len(ids) != len(set(ids)):
        site.fault(page.url, "has an id twice")
    for one in page.all("//time/@datetime"):
        if datetime.fromisoformat(str(one)).tzinfo is None:
            site.fault(page.url, f"has a time without its zone: {one}")
    for one in page.all("//a[not(normalize-space()) and not(.//img[@alt!=''])]/@href"):
        site.fault(page.url, f"has a link without words to {one}")


def _safety(site: Site, page: Page) -> None:
    policy = page.headers.get("content-security-policy", "")
    if "default-src 'none'" not in policy or "unsafe" in policy or "*" in policy:
        site.fault(page.url, f"has the policy {policy!r}")
    if page.headers.get("x-content-type-options") != "nosniff":
        site.fault(page.url, "lets browsers guess its type")
    inline = page.all("//style | //*[@style] | //script[not(@src) and not(@type='application/ld+json')]")
    inline += [name for one in page.all("//*/@*") if (name := one.attrname).startswith("on")]
    if inline:
        site.fault(page.url, "has inline scripts, styles or handlers")
    for url in page.loads:
        if not site.own(url) and not url.startswith("data:"):
            site.fault(page.url, f"loads {url}")


def _pictures(site: Site, page: Page) -> None:
    lazy = [one.get("loading") == "lazy" for one in page.all("//main//img")]
    if sum(not one for one in lazy) > 1 or any(lazy[:1] != [False] and not one for one in lazy):
        site.fault(page.url, "loads pictures at once that are below the fold")
    for one in page.all("//img"):
        if not {"width", "height", "alt"} <= set(one.keys()):
            site.fault(page.url, "has a picture without width, height or alt")
            continue
        for each in [one, *one.xpath("ancestor::picture/source")]:
            # A source may have a shape of its own.
            sized = each if each.get("width") else one
            shape = int(sized.get("width")) / int(sized.get("height"))
            for part in (each.get("srcset") or f"{each.get('src')} {each.get('width')}w").split(","):
                path, width = part.split()
                real = _size_of(site, urljoin(page.url, path))
                if real is not None and (f"{real[0]}w" != width or abs(real[0] / real[1] - shape) > 0.02):
                    site.fault(page.url, f"shows {path} as {width} of {shape:.3f}, but it is {real[0]} x {real[1]}")
    for link in page.all("//head/link[@rel='preload'][@as='image']"):
        used = page.all("//main//img[not(@loading='lazy')]/ancestor::picture/source[1]")
        if not used or any(link.get(f"image{name}") != used[0].get(name) for name in ("srcset", "sizes")):
            site.fault(page.url, "preloads another picture than it shows first")
    if lazy[:1] == [False] and not page.all("//head/link[@rel='preload'][@as='image']"):
        site.fault(page.url, "does not preload its first picture")


def _size_of(site: Site, url: str) -> tuple[int, int] | None:
    answer = site.get(url)
    if answer.type == "image/svg+xml" or answer.status != 200:
        return None
    with Image.open(io.BytesIO(answer.content)) as picture:
        if Image.MIME[picture.format or ""] != answer.type:
            site.fault(url, f"is {picture.format}, sent as {answer.type}")
        return picture.size


def _search_engines(site: Site, page: Page) -> None:
    hidden = "noindex" in page.meta("robots")
    canonical = page.all("//head/link[@rel='canonical']/@href")
    if not hidden and canonical != [page.url] and page.meta("og:type") != "article":
        site.fault(page.url, f"names {canonical} as its address")
    if hidden:
        return
    if not page.meta("description"):
        site.fault(page.url, "has no description")
    articles = [one for one in page.structured() if str(one.get("@type", "")).endswith("NewsArticle")]
    if page.meta("og:type") == "article":
        for name in ("title", "description", "url", "locale", "site_name"):
            if not page.meta(f"og:{name}"):
                site.fault(page.url, f"has no og:{name}")
        if len(articles) != 1:
            site.fault(page.url, f"has structured data of {len(articles)} articles")
    for one in articles:
        _article(site, page, one)


def _article(site: Site, page: Page, one: dict[str, Any]) -> None:
    missing = [name for name in ARTICLE_FIELDS if one.get(name) in (None, "", [])]
    if missing:
        site.fault(page.url, f"its structured data lacks {', '.join(missing)}")
        return
    heading = "".join(page.all("//h1//text()"))
    if one["headline"] != heading:
        site.fault(page.url, f"its structured data has the headline {one['headline']!r}, not {heading!r}")
    dates = [datetime.fromisoformat(one[name]) for name in ("datePublished", "dateModified")]
    if any(each.tzinfo is None for each in dates) or dates[0] > dates[1]:
        site.fault(page.url, "its dates have no zone or the wrong order")
    for author in one["author"]:
        if author.get("@type") not in {"Person", "Organization"} or not author.get("name") or not author.get("url"):
            site.fault(page.url, f"its author is {author}")
    publisher = one["publisher"]
    if publisher.get("@type") != "NewsMediaOrganization" or not publisher.get("logo", {}).get("url"):
        site.fault(page.url, "its publisher has no logo")
    else:
        site.get(publisher["logo"]["url"])
    if not page.all("//article//figure[contains(@class, 'lead-picture')]"):
        return
    images = one.get("image", [])
    if len(images) != len(SHAPES) or not page.meta("og:image"):
        site.fault(page.url, "its picture is not offered in three shapes and to those who share it")
    for image, (across, down) in zip(images, SHAPES, strict=False):
        real = _size_of(site, image["url"])
        if real is None or real != (image["width"], image["height"]):
            site.fault(page.url, f"{image['url']} has {real} pixels, not as its structured data says")
        elif real[0] * real[1] < 50_000 or abs(real[0] / real[1] - across / down) > 0.02:
            site.fault(page.url, f"{image['url']} is too small or not {across}:{down}")


def _french(site: Site, page: Page) -> None:
    for text in page.all(_SPOKEN):
        if any(parent.get("lang", "fr") != "fr" for parent in text.getparent().iterancestors()):
            continue
        if text.getparent().get("lang", "fr") == "fr" and (found := _LOOSE.search(str(text))):
            site.fault(page.url, f"has a loose sign: {str(text)[max(0, found.start() - 20) : found.end() + 10]!r}")


def _versions(site: Site) -> None:
    for url, page in site.pages.items():
        if page.versions and url not in page.versions.values():
            site.fault(url, "does not name itself among its versions")
        if page.versions and "x-default" not in page.versions:
            site.fault(url, "names no version for all other languages")
        for language, other in page.versions.items():
            back = site.pages.get(other)
            if back is None:
                site.fault(url, f"names {other} as its {language} version, which is no page")
            elif back.versions != page.versions:
                site.fault(url, f"and its {language} version do not name the same versions")


def _sizes(site: Site) -> None:
    loads = {one for page in site.pages.values() for one in page.loads if site.own(one)}
    for ending, most in ((".js", SCRIPTS_MOST), (".css", STYLES_MOST)):
        total = sum(len(site.get(one).content) for one in loads if urlsplit(one).path.endswith(ending))
        print(f"{ending[1:]}: {total} of at most {most} bytes")
        if total > most:
            site.fault("/", f"{ending[1:]} of {total} bytes, more than {most}")
    for one in loads:
        if urlsplit(one).path.startswith("/assets/") and "immutable" not in site.get(one).headers["cache-control"]:
            site.fault(one, "is asked for again each time")
