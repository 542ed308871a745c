"""What programs would complain of: feeds, sitemaps, ninjs, and the files at the root of the site.

The schemas in `schemas/` are Rotative's own reading of sitemaps.org, of Google's news sitemap and of IPTC ninjs 3.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.robotparser import RobotFileParser

import feedparser
from jsonschema import Draft202012Validator
from lxml import etree

from checks.crawl import SITEMAP, Site, locations

SCHEMAS = Path(__file__).parent / "schemas"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
ATOM = "{http://www.w3.org/2005/Atom}"
JSON_FEED = "https://jsonfeed.org/version/1.1"
FEED_TYPES = {
    "feed.xml": "application/rss+xml",
    "atom.xml": "application/atom+xml",
    "feed.json": "application/feed+json",
}
_NINJS = Draft202012Validator(json.loads((SCHEMAS / "ninjs-3.1.json").read_text()))
_SITEMAPS = etree.XMLSchema(etree.parse(SCHEMAS / "sitemap.xsd"))


def judge_machines(site: Site) -> None:
    """Everything that is not for eyes."""
    for judge in (_sitemaps, _robots, _mining, _manifests, _feeds, _ninjs):
        try:
            judge(site)
        except (ValueError, KeyError, AttributeError, TypeError, SyntaxError) as error:
            site.fault("/", f"what programs are given cannot be read: {judge.__name__}: {error!r}")


def ninjs_faults(document: Any) -> list[str]:
    """What is wrong with an article as ninjs 3.1."""
    return [f"{one.json_path}: {one.message}" for one in _NINJS.iter_errors(document)]


def sitemap_faults(content: bytes) -> list[str]:
    """What is wrong with a sitemap, a news sitemap or an index of sitemaps."""
    if len(content) > 52_428_800:
        return ["is larger than 50 MiB"]
    _SITEMAPS.validate(etree.fromstring(content))
    return [one.message for one in _SITEMAPS.error_log]


def _sitemaps(site: Site) -> None:
    named: dict[str, str] = {}
    for url in [f"{site.base}/sitemap.xml", *locations(site.get("/sitemap.xml").content)]:
        content = site.get(url).content
        for fault in sitemap_faults(content):
            site.fault(url, fault)
        root = etree.fromstring(content)
        entries = root.findall(f"{SITEMAP}url")
        if len(entries) > 1000:
            site.fault(url, f"has {len(entries)} addresses")
        for entry in entries:
            address = entry.findtext(f"{SITEMAP}loc")
            page = site.pages.get(address)
            if page is None or "noindex" in page.meta("robots"):
                site.fault(url, f"names {address}, which is no page for search engines")
                continue
            news = entry.find(f"{NEWS}news")
            if news is None:
                named[address] = entry.findtext(f"{SITEMAP}lastmod") or ""
                continue
            born = datetime.fromisoformat(news.findtext(f"{NEWS}publication_date"))
            if datetime.now(UTC) - born > timedelta(hours=49):
                site.fault(url, f"still names {address}")
            if born != datetime.fromisoformat(page.meta("article:published_time")):
                site.fault(url, f"has another date than {address}")
            if news.findtext(f"{NEWS}title") != "".join(page.all("//h1//text()")):
                site.fault(url, f"has another title than {address}")
    for url, page in site.pages.items():
        if page.meta("og:type") == "article" and page.status == 200 and "noindex" not in page.meta("robots"):
            changed = page.meta("article:modified_time")
            if url not in named:
                site.fault(url, "stands in no sitemap")
            elif datetime.fromisoformat(named[url]) != datetime.fromisoformat(changed).replace(microsecond=0):
                site.fault(url, f"was changed at {changed}, and its sitemap says {named[url]}")
    print(f"{len(named)} addresses in sitemaps")


def _robots(site: Site) -> None:
    answer = site.get("/robots.txt")
    if answer.type != "text/plain" or len(answer.content) > 500 * 1024:
        site.fault(answer.url, f"is {answer.type} of {len(answer.content)} bytes")
    robots = RobotFileParser()
    robots.parse(answer.content.decode().splitlines())
    sitemaps = robots.site_maps() or []
    if not sitemaps:
        site.fault(answer.url, "names no sitemap")
    for url in sitemaps:
        site.get(url)
    for url, page in site.pages.items():
        for one in [*page.loads, *([] if "noindex" in page.meta("robots") else [url])]:
            if site.own(one) and not robots.can_fetch("Googlebot-News", one):
                site.fault(answer.url, f"keeps search engines from {one}")


def _mining(site: Site) -> None:
    reserved = any(page.meta("tdm-reservation") == "1" for page in site.pages.values())
    answer = site.get("/.well-known/tdmrep.json", expected=200 if reserved else 404)
    rules = json.loads(answer.content) if reserved and answer.status == 200 else []
    if reserved != any(one["tdm-reservation"] == 1 for one in rules if one["location"]):
        site.fault(answer.url, "does not say of text and data mining what pages say")
    for url, page in site.pages.items():
        said = {page.meta("tdm-reservation"), site.answers[url].headers.get("tdm-reservation", "")}
        if said != {"1" if reserved else ""}:
            site.fault(url, "does not say of text and data mining what others say")


def _manifests(site: Site) -> None:
    manifests = {str(one) for page in site.pages.values() for one in page.all("//link[@rel='manifest']/@href")}
    for path in sorted(manifests):
        answer = site.get(path)
        found = json.loads(answer.content)
        if answer.type != "application/manifest+json" or not {"name", "start_url", "icons", "lang"} <= found.keys():
            site.fault(answer.url, f"is {answer.type} with {', '.join(found)}")
        for icon in found["icons"]:
            site.get(icon["src"])
        site.get(found["start_url"])


def _feeds(site: Site) -> None:
    kinds = "@type='application/rss+xml' or @type='application/atom+xml' or @type='application/feed+json'"
    found = {str(one) for page in site.pages.values() for one in page.all(f"//link[@rel='alternate'][{kinds}]/@href")}
    folders: dict[str, dict[str, list[str]]] = {}
    for path in sorted(found):
        answer = site.get(path)
        folder, _, name = answer.url.rpartition("/")
        if answer.type != FEED_TYPES[name]:
            site.fault(answer.url, f"is {answer.type}")
        try:
            ids = list(_ids(site, answer.url, answer.content))
        except (ValueError, KeyError, AttributeError, TypeError, etree.XMLSyntaxError) as error:
            site.fault(answer.url, f"cannot be read: {error!r}")
            continue
        folders.setdefault(folder, {})[name] = ids
    for folder, three in folders.items():
        if set(three) != set(FEED_TYPES) or len({tuple(one) for one in three.values()}) != 1:
            site.fault(folder, f"its feeds do not hold the same articles: { ({n: len(i) for n, i in three.items()}) }")
    print(f"{len(found)} feeds")


def _ids(site: Site, url: str, content: bytes) -> Iterable[str]:
    if url.endswith(".json"):
        feed = json.loads(content)
        if feed["version"] != JSON_FEED or feed["feed_url"] != url or not feed["title"]:
            site.fault(url, "is no JSON Feed 1.1 of its own address")
        for item in feed["items"]:
            if not item["content_html"] or not item["title"] or not item["date_published"]:
                site.fault(url, f"its item {item['id']} is not whole")
            yield item["id"]
        return
    read = feedparser.parse(content)
    if read.bozo or not read.feed.get("title") or not read.feed.get("link"):
        site.fault(url, f"cannot be read: {read.get('bozo_exception')}")
    root = etree.fromstring(content)
    own = [one.get("href") for one in root.iter(f"{ATOM}link") if one.get("rel") == "self"]
    if own != [url]:
        site.fault(url, f"calls itself {own}")
    for entry, item in zip(read.entries, root.iter("item", f"{ATOM}entry"), strict=True):
        if not entry.get("title") or not entry.get("content") or re.search(r"<script|<style", entry.content[0].value):
            site.fault(url, f"its entry {entry.id} is not whole")
        if re.search(r"""(?:href|src)=["']/""", entry.content[0].value):
            site.fault(url, f"its entry {entry.id} has links without a host")
        if entry.link not in site.pages:
            site.fault(url, f"leads to {entry.link}, which is no page")
        if url.endswith("feed.xml"):
            parsedate_to_datetime(item.findtext("pubDate"))
        elif datetime.fromisoformat(item.findtext(f"{ATOM}updated")).tzinfo is None:
            site.fault(url, f"its entry {entry.id} has no zone in its date")
        yield entry.id


def _ninjs(site: Site) -> None:
    paths = {str(one) for page in site.pages.values() for one in page.all("//link[contains(@title, 'ninjs')]/@href")}
    for path in sorted(paths):
        answer = site.get(path)
        document = json.loads(answer.content)
        for fault in ninjs_faults(document):
            site.fault(answer.url, fault)
        for picture in document.get("associations", ()):
            for rendition in picture["renditions"]:
                site.get(rendition["href"])
    print(f"{len(paths)} articles as ninjs")
