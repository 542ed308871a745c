"""Reads a whole running site as crawlers, feed readers and validators do, and lists what they complain of.

`python -m checks.site URL`. It starts from the sitemaps and the front pages and follows every internal link. What is
not installed (feedparser, the Nu HTML checker) is passed over, and said to be.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import httpx

SCRIPTS_MOST, STYLES_MOST = 15_000, 30_000
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
ARTICLE_FIELDS = ("headline", "datePublished", "dateModified", "author", "publisher", "mainEntityOfPage", "inLanguage")
# What a page may load; a link may lead anywhere.
LOADING = {"img": ("src", "srcset"), "script": ("src",), "source": ("src", "srcset"), "iframe": ("src",)}


@dataclass
class Page(HTMLParser):
    """One page as a crawler reads it."""

    url: str
    text: str
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    alternates: dict[str, str] = field(default_factory=dict)
    feeds: set[str] = field(default_factory=set)
    data: list[str] = field(default_factory=list)
    pictures_without_size: int = 0
    inline: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._in_data = self._in_script = False
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in got:
            self.links.add(urljoin(self.url, got["href"]).partition("#")[0])
        if tag == "link":
            rels = got.get("rel", "").split()
            if "alternate" in rels and "hreflang" in got:
                self.alternates[got["hreflang"]] = got["href"]
            elif "alternate" in rels:
                self.feeds.add(urljoin(self.url, got["href"]))
            elif {"stylesheet", "icon", "manifest", "preload"} & set(rels) and "href" in got:
                self.loads.add(urljoin(self.url, got["href"]))
        for name in LOADING.get(tag, ()):
            for one in got.get(name, "").split(","):
                if one.strip():
                    self.loads.add(urljoin(self.url, one.split()[0]))
        if tag == "img" and not {"width", "height", "alt"} <= got.keys():
            self.pictures_without_size += 1
        self._in_data = tag == "script" and got.get("type") == "application/ld+json"
        self._in_script = tag == "script" and "src" not in got and not self._in_data
        if tag == "style" or any(name.startswith("on") or name == "style" for name in got):
            self.inline += 1

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data.append(data)
            self._in_data = False
        elif self._in_script and data.strip():
            self.inline += 1


class Check:
    """One look at one site. faults: what was found, in words."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.pages: dict[str, Page] = {}
        self._client = httpx.Client(timeout=20, trust_env=False)
        self._host = urlsplit(self.base).netloc

    def run(self) -> None:
        """Everything."""
        self.sitemaps()
        self.crawl()
        self.alternates()
        self.feeds()
        self.sizes()
        self.nu()

    def fault(self, url: str, what: str) -> None:
        """Note one."""
        self.faults.append(f"{url.removeprefix(self.base) or '/'}: {what}")

    def sitemaps(self) -> None:
        """The index, what it names, and that every address in it answers."""
        index = self._xml(f"{self.base}/sitemap.xml")
        robots = self._client.get(f"{self.base}/robots.txt").text
        if f"Sitemap: {self.base}/sitemap.xml" not in robots:
            self.fault("/robots.txt", "does not name the sitemap")
        self._waiting = {f"{self.base}/"}
        for name in index.iter(f"{SITEMAP}loc"):
            url = name.text or ""
            root = self._xml(url)
            if root.tag != f"{SITEMAP}urlset":
                self.fault(url, f"is no sitemap but {root.tag}")
            entries = list(root.iter(f"{SITEMAP}url"))
            if len(entries) > 1000:
                self.fault(url, f"has {len(entries)} addresses")
            for entry in entries:
                self._waiting.add(entry.findtext(f"{SITEMAP}loc") or "")
                news = entry.find(f"{NEWS}news")
                if news is not None:
                    order = [one.tag.removeprefix(NEWS) for one in news]
                    if order != ["publication", "publication_date", "title"]:
                        self.fault(url, f"has its elements in the order {order}")

    def crawl(self) -> None:
        """Every page that can be reached."""
        seen: set[str] = set()
        while self._waiting:
            url = self._waiting.pop()
            if url in seen or urlsplit(url).netloc != self._host:
                continue
            seen.add(url)
            answer = self._client.get(url)
            if answer.status_code != 200:
                self.fault(url, f"answers {answer.status_code}")
                continue
            policy = answer.headers.get("content-security-policy", "")
            if answer.headers.get("content-type", "").startswith("text/html"):
                if "default-src 'none'" not in policy or "unsafe" in policy:
                    self.fault(url, f"has the policy {policy!r}")
                self._read(url, answer.text)
        print(f"{len(seen)} addresses, {len(self.pages)} pages")

    def _read(self, url: str, text: str) -> None:
        page = self.pages[url] = Page(url, text)
        self._waiting |= {link for link in page.links if link.startswith(f"{self.base}/")}
        self._waiting |= {one for one in page.loads if urlsplit(one).netloc == self._host}
        for one in page.loads:
            if urlsplit(one).netloc != self._host:
                self.fault(url, f"loads {one}")
        if page.inline:
            self.fault(url, "has inline scripts, styles or handlers")
        if page.pictures_without_size:
            self.fault(url, f"has {page.pictures_without_size} pictures without width, height or alt")
        for block in page.data:
            found = json.loads(block)
            for one in found if isinstance(found, list) else [found]:
                if one.get("@type", "").endswith("NewsArticle"):
                    missing = [name for name in ARTICLE_FIELDS if not one.get(name)]
                    if missing:
                        self.fault(url, f"its structured data lacks {', '.join(missing)}")
                    if "<picture>" in text.partition("</article>")[0] and len(one.get("image", ())) != 3:
                        self.fault(url, "its structured data lacks the picture in three shapes")

    def alternates(self) -> None:
        """Sets of translations name each other, and themselves."""
        for url, page in self.pages.items():
            for language, other in page.alternates.items():
                if language == "x-default":
                    continue
                back = self.pages.get(other)
                if back is None:
                    self.fault(url, f"names {other} as its {language} version, which is no page")
                elif url not in back.alternates.values():
                    self.fault(url, f"is not named by its {language} version")
            if page.alternates and url not in page.alternates.values():
                self.fault(url, "does not name itself among its versions")

    def feeds(self) -> None:
        """Every feed can be read, and so can its entries."""
        try:
            import feedparser
        except ImportError:
            self.notes.append("feedparser is not installed: feeds were only parsed")
            feedparser = None
        feeds = {feed for page in self.pages.values() for feed in page.feeds if not feed.endswith("ninjs.json")}
        for url in sorted(feeds):
            content = self._client.get(url).content
            if url.endswith(".json"):
                found = json.loads(content)
                if found.get("version") != "https://jsonfeed.org/version/1.1" or found.get("feed_url") != url:
                    self.fault(url, "is no JSON Feed 1.1 of its own address")
                if any(not item.get("id") or not item.get("content_html") for item in found["items"]):
                    self.fault(url, "has items without id or content")
            else:
                ElementTree.fromstring(content)  # noqa: S314
                read = feedparser.parse(content) if feedparser else None
                if read is not None and (read.bozo or not read.feed.get("title")):
                    self.fault(url, f"cannot be read: {read.get('bozo_exception')}")
        print(f"{len(feeds)} feeds")

    def sizes(self) -> None:
        """Scripts and styles are small."""
        loads = {one for page in self.pages.values() for one in page.loads}
        for ending, most in ((".js", SCRIPTS_MOST), (".css", STYLES_MOST)):
            total = sum(len(self._client.get(one).content) for one in loads if urlsplit(one).path.endswith(ending))
            print(f"{ending[1:]}: {total} bytes")
            if total > most:
                self.fault("/", f"{ending[1:]} of {total} bytes, more than {most}")

    def nu(self) -> None:
        """The Nu HTML checker, where vnu.jar (VNU_JAR) or vnu is installed."""
        command = _nu_command()
        if command is None:
            self.notes.append("the Nu HTML checker is not installed: HTML was not validated")
            return
        with tempfile.TemporaryDirectory() as folder:
            for number, page in enumerate(self.pages.values()):
                Path(folder, f"{number}.html").write_text(page.text, "utf-8")
            done = subprocess.run(  # noqa: S603 (a checker, on our own files)
                [*command, "--errors-only", "--format", "json", *map(str, sorted(Path(folder).glob("*.html")))],
                capture_output=True,
                text=True,
                check=False,
            )
        urls = list(self.pages)
        for message in json.loads(done.stderr or done.stdout).get("messages", ()):
            name = Path(urlsplit(message.get("url", "")).path).stem
            self.fault(urls[int(name)] if name.isdigit() else "?", f"HTML: {message['message']}")
        print(f"Nu HTML checker: {len(urls)} pages")

    def _xml(self, url: str) -> ElementTree.Element:
        answer = self._client.get(url)
        if answer.status_code != 200:
            self.fault(url, f"answers {answer.status_code}")
            return ElementTree.Element("nothing")
        return ElementTree.fromstring(answer.content)  # noqa: S314 (the site that is looked at)


def _nu_command() -> list[str] | None:
    if (jar := os.environ.get("VNU_JAR")) and shutil.which("java"):
        return ["java", "-Xss4m", "-jar", jar]
    return ["vnu"] if shutil.which("vnu") else None


def lines(check: Check) -> Iterator[str]:
    """What was found, one line each."""
    yield from (f"note: {note}" for note in check.notes)
    yield from sorted(set(check.faults))


def main() -> int:
    """Exit status 1 when there is anything to complain of."""
    check = Check(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
    check.run()
    for line in lines(check):
        print(line)
    print("Nothing to complain of." if not check.faults else f"{len(set(check.faults))} faults.")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())
