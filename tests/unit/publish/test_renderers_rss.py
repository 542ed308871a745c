"""RSS as feed readers and validators want it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import escape
from xml.etree import ElementTree

import pytest

from services.publish.lists import Listing
from services.publish.renderers import Renderer
from services.publish.views import Entry
from shared.events import Byline, Correction, PublicArticle
from shared.newsroom import load_newsroom
from tests.factories import public_article

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
ATOM_LINK = "{http://www.w3.org/2005/Atom}link"
NARROW = "\u202f"


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(load_newsroom(base_url="https://rives.example"))


def rss(renderer: Renderer, articles: list[PublicArticle]) -> bytes:
    return renderer.feeds(Listing("front", "fr"), "", [renderer.feed_items(Entry(one)) for one in articles])["feed.xml"]


def channel_of(content: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(content)
    assert root.tag == "rss"
    assert root.get("version") == "2.0"
    (channel,) = root
    return channel


def the(element: ElementTree.Element, name: str) -> str:
    (found,) = element.findall(name)
    return found.text or ""


def test_a_feed_names_itself_its_page_and_its_language(renderer: Renderer) -> None:
    front = channel_of(rss(renderer, [public_article()]))
    assert the(front, "title") == "Les Deux Rives"
    assert the(front, "link") == "https://rives.example/"
    assert the(front, "description") == "Le monde vu de la Méditerranée"
    assert the(front, "language") == "fr"
    (link,) = front.findall(ATOM_LINK)
    assert link.attrib == {
        "rel": "self",
        "type": "application/rss+xml",
        "href": "https://rives.example/feed.xml",
    }
    section = channel_of(renderer.feeds(Listing("section", "en", "politique"), "", [])["feed.xml"])
    assert the(section, "title") == "Les Deux Rives: Politics"
    assert the(section, "link") == "https://rives.example/en/politique/"
    assert section.find(ATOM_LINK).get("href") == "https://rives.example/en/politique/feed.xml"  # type: ignore[union-attr]
    assert section.find("lastBuildDate") is None


def test_an_item_carries_the_whole_article(renderer: Renderer) -> None:
    article = public_article(
        headline="Ports: <b>qui</b> paiera ?",
        bylines=(Byline(name="Inès Vallier"), Byline(name="A & B")),
        body_html='<p>Voir <a href="/sport/x">là</a> et <a href="https://b.example/?a=1&amp;b=2">ici</a>.</p>',
        first_published_at=datetime(2026, 11, 3, 10, 5, 59, tzinfo=UTC),
        updated_at=datetime(2026, 11, 4, 10, 5, tzinfo=UTC),
        corrections=(Correction(note="Six < sept", corrected_at=datetime(2026, 11, 4, 10, 5, tzinfo=UTC)),),
        tags=("ponts",),
    )
    channel = channel_of(rss(renderer, [article]))
    item = channel.find("item")
    assert item is not None
    assert the(item, "title") == f"Ports{NARROW}: <b>qui</b> paiera{NARROW}?"
    assert the(item, "link") == "https://rives.example/societe/le-pont-du-port-ferme"
    (guid,) = item.findall("guid")
    assert guid.get("isPermaLink") == "false"
    assert guid.text == f"tag:rives.example,2026-11-03:{article.id}"
    assert the(item, "pubDate") == "Tue, 03 Nov 2026 10:05:59 GMT"
    assert parsedate_to_datetime(the(channel, "lastBuildDate")) == article.updated_at
    assert [creator.text for creator in item.findall(CREATOR)] == ["Inès Vallier", "A & B"]
    assert [category.text for category in item.findall("category")] == ["Société", "ponts"]
    assert the(item, "description").startswith("Les travaux commencent lundi")
    assert the(item, CONTENT) == (
        '<p>Voir <a href="https://rives.example/sport/x">là</a> et <a href="https://b.example/?a=1&amp;b=2">ici</a>.</p>'
        "\n<p><strong>Correction (4 novembre 2026 à 11 h 05)</strong> Six &lt; sept</p>"
    )


def test_nothing_that_an_article_holds_breaks_the_xml(renderer: Renderer) -> None:
    signs = "\x00\x0b\x1f\x85\ud800\ufffe ]]> <![CDATA[ & \U0001f4f0 \u202e"
    article = public_article(
        headline=signs,
        standfirst=signs,
        body_html=f"<p>{escape(signs)}</p><script>x</script>",
        bylines=(Byline(name=signs),),
        tags=(signs,),
    )
    item = channel_of(rss(renderer, [article])).find("item")
    assert item is not None
    for name in ("title", "description", CREATOR, CONTENT):
        assert "\U0001f4f0" in the(item, name)
    assert "script" not in the(item, CONTENT)


def test_an_articles_id_in_feeds_outlives_its_headline_section_and_address() -> None:
    newsroom = load_newsroom(base_url="https://old.example")
    moved = load_newsroom(base_url="https://new.example")
    object.__setattr__(moved, "id_domain", "old.example")
    article = public_article()
    later = public_article(id=article.id, change=9, headline="Autre", section="sport", slug="autre")
    guids = {
        channel_of(rss(Renderer(paper), [one])).findtext("item/guid")
        for paper, one in ((newsroom, article), (moved, later))
    }
    assert guids == {f"tag:old.example,2026-11-23:{article.id}"}


def test_a_feeds_items_keep_their_order_and_its_bytes_depend_on_nothing_else(renderer: Renderer) -> None:
    articles = [public_article(slug=f"a{number}") for number in range(5)]
    content = rss(renderer, articles)
    links = [link.text for link in channel_of(content).iterfind("item/link")]
    assert links == [f"https://rives.example/societe/a{number}" for number in range(5)]
    again = Renderer(load_newsroom(base_url="https://rives.example"))
    assert rss(again, articles) == content
