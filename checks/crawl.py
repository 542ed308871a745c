"""A site as a crawler reads it: every address that its sitemaps, pages and feeds name, fetched once."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import lxml.html
from lxml import etree

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
# What cannot be reached by links, and what it is to answer with: the search page in each of its moods, the letters, an
# unknown address, and the demo newspaper's killed article.
UNLINKED = {
    "/search?lang=fr&q=pont": 200,
    "/search?lang=ar&q=%D9%85%D8%A7%D8%A1": 200,
    "/search?lang=en&q=xyzzy": 200,
    "/search?lang=fr": 200,
    "/newsletter/?language=fr": 200,
    "/no/such/page": 404,
    "/en/no-such-page": 404,
}


@dataclass(frozen=True)
class Answer:
    """What one address answered with."""

    url: str
    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def type(self) -> str:
        """The media type alone."""
        return self.headers.get("content-type", "").partition(";")[0]


class Page:
    """A page as it was answered, read."""

    def __init__(self, answer: Answer) -> None:
        self.url = answer.url
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.content.decode("utf-8")
        self.root = lxml.html.document_fromstring(answer.content, parser=lxml.html.HTMLParser(encoding="utf-8"))

    def all(self, path: str) -> list[Any]:
        """What an XPath finds."""
        found: list[Any] = self.root.xpath(path)
        return found

    def meta(self, name: str) -> str:
        """The content of a meta element by its name or property; "" without one."""
        found = self.all(f"//meta[@name='{name}' or @property='{name}']/@content")
        return str(found[0]) if found else ""

    @property
    def links(self) -> set[str]:
        """Where readers may go from here."""
        hrefs = self.all("//a/@href | //link[@rel='alternate' or @rel='next' or @rel='prev' or @rel='canonical']/@href")
        return {urljoin(self.url, str(one)).partition("#")[0] for one in hrefs}

    @property
    def loads(self) -> set[str]:
        """What a browser fetches by itself."""
        sources = [str(one) for one in self.all("//img/@src | //script/@src | //iframe/@src | //video/@src")]
        sources += [
            str(one)
            for one in self.all("//link[@rel='stylesheet' or @rel='icon' or @rel='manifest' or @rel='preload']/@href")
        ]
        for one in self.all("//img/@srcset | //source/@srcset | //link/@imagesrcset"):
            sources += [part.split()[0] for part in str(one).split(",") if part.strip()]
        return {urljoin(self.url, one) for one in sources}

    @property
    def versions(self) -> dict[str, str]:
        """The page in other languages, by hreflang."""
        return {one.get("hreflang"): one.get("href") for one in self.all("//head/link[@rel='alternate'][@hreflang]")}

    def structured(self) -> list[dict[str, Any]]:
        """Its structured data."""
        found: list[dict[str, Any]] = []
        for block in self.all("//script[@type='application/ld+json']/text()"):
            data = json.loads(block)
            found += data if isinstance(data, list) else [data]
        return found


class Site:
    """A whole site. faults: what was found, in words. answers: by URL. pages: the HTML among them."""

    def __init__(self, base: str, client: httpx.Client | None = None) -> None:
        self.base = base.rstrip("/")
        self.faults: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.pages: dict[str, Page] = {}
        self._client = client or httpx.Client(timeout=30, trust_env=False)
        self._host = urlsplit(self.base).netloc

    def fault(self, url: str, what: str) -> None:
        """Note one."""
        line = f"{url.removeprefix(self.base) or '/'}: {what}"
        if line not in self.faults:
            self.faults.append(line)

    def own(self, url: str) -> bool:
        """Whether an address is of this site."""
        return urlsplit(url).netloc == self._host

    def get(self, url: str, *, expected: int = 200) -> Answer:
        """What an address answers with, asked once; a fault if the status is another one."""
        url = urljoin(f"{self.base}/", url)
        answer = self.answers.get(url)
        if answer is None:
            got = self._client.get(url)
            answer = self.answers[url] = Answer(url, got.status_code, got.headers, got.content)
            if answer.status != expected:
                self.fault(url, f"answers {answer.status}, not {expected}")
        return answer

    def crawl(self) -> None:
        """Fetch everything that can be reached, beginning with the sitemaps and the front page."""
        waiting = deque([f"{self.base}/"])
        index = self.get("/sitemap.xml")
        for url in locations(index.content):
            waiting += locations(self.get(url).content)
        for path, status in UNLINKED.items():
            answer = self.get(path, expected=status)
            self.pages[answer.url] = Page(answer)
        seen: set[str] = set()
        while waiting:
            url = waiting.popleft()
            if url in seen or not self.own(url):
                continue
            seen.add(url)
            answer = self.get(url)
            if answer.type == "text/html" and answer.status == 200:
                page = self.pages[url] = Page(answer)
                waiting += sorted(page.links | page.loads)


def locations(content: bytes) -> list[str]:
    """The addresses that a sitemap or an index of them names; none if it cannot be read, which others complain of."""
    try:
        root = etree.fromstring(content)
    except etree.XMLSyntaxError:
        return []
    return [one.text or "" for one in root.iter(f"{SITEMAP}loc")]
