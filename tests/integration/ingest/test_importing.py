"""Archives brought in through the real API: WordPress exports, ninjs, JSON lines, and an agency's wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from rotative.client import Client
from rotative.importing import runner
from rotative.importing.items import BadArchive, Item
from rotative.importing.start import items_of, read_mapping
from rotative.importing.wxr import WxrOptions, clean, read_wxr
from tests.integration.ingest.conftest import Newsroom

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>L’ancien</title><wp:wxr_version>1.2</wp:wxr_version>
<wp:author><wp:author_login><![CDATA[ines]]></wp:author_login>
<wp:author_display_name><![CDATA[Inès Maurel]]></wp:author_display_name></wp:author>
"""


def post(number: int, **values: str) -> str:
    fields = {
        "title": f"Le pont &amp; le quai {number}",
        "link": f"https://old.example/2019/03/pont-{number}/",
        "content": "Première ligne.\nSuite.\n\nSecond paragraphe [sic].\n\n[gallery ids=&quot;1&quot;]<h3>Inter</h3>",
        "excerpt": "Un <b>chapeau</b>",
        "post_name": f"pont-{number}",
        "status": "publish",
        "post_type": "post",
        "post_date_gmt": "2019-03-04 09:30:00",
        "category": "Vie locale",
        **values,
    }
    content = fields["content"].replace("&quot;", '"')
    return f"""<item><title>{fields["title"]}</title><link>{fields["link"]}</link>
<dc:creator><![CDATA[ines]]></dc:creator><guid isPermaLink="false">https://old.example/?p={number}</guid>
<content:encoded><![CDATA[{content}]]></content:encoded>
<excerpt:encoded><![CDATA[{fields["excerpt"]}]]></excerpt:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date_gmt><![CDATA[{fields["post_date_gmt"]}]]></wp:post_date_gmt>
<wp:post_name><![CDATA[{fields["post_name"]}]]></wp:post_name><wp:status><![CDATA[{fields["status"]}]]></wp:status>
<wp:post_type><![CDATA[{fields["post_type"]}]]></wp:post_type>
<category domain="category" nicename="vie-locale"><![CDATA[{fields["category"]}]]></category>
<category domain="post_tag" nicename="pont"><![CDATA[Pont]]></category></item>
"""


def export(folder: Path, *posts: str, head: str = HEAD) -> Path:
    file = folder / "export.xml"
    file.write_text(head + "".join(posts) + "</channel></rss>", "utf-8")
    return file


def client_of(newsroom: Newsroom) -> Client:
    return Client("http://test", "the-first-key-of-the-tests", transport=httpx.WSGITransport(newsroom.app))


def bring_in(newsroom: Newsroom, items: Any, progress: Path | None = None, dry_run: bool = False) -> runner.Report:
    with client_of(newsroom) as client:
        return runner.run(client, items, progress=progress, dry_run=dry_run, tell=lambda _: None, pause=lambda _: None)


SECTIONS = {"vie locale": "societe"}


def wxr(file: Path, **options: Any) -> Any:
    return read_wxr(file, WxrOptions(**{"sections": SECTIONS, **options}))


def test_a_wordpress_post_becomes_an_article_told_to_nobody(newsroom: Newsroom, tmp_path: Path) -> None:
    report = bring_in(newsroom, wxr(export(tmp_path, post(1))))

    assert (report.read, report.added, report.refused) == (1, 1, [])
    (said,) = newsroom.said()
    public = said["data"]["article"]
    assert (said["lane"], public["notify"]) == ("bulk", False)
    assert (public["headline"], public["standfirst"]) == ("Le pont & le quai 1", "Un chapeau")
    assert (public["path"], public["old_paths"]) == ("/societe/pont-1", ["/2019/03/pont-1/"])
    assert (public["bylines"][0]["name"], public["tags"]) == ("Inès Maurel", ["Pont"])
    assert public["first_published_at"] == "2019-03-04T09:30:00+00:00"
    assert public["body_html"] == ("<p>Première ligne.<br>Suite.</p>\n<p>Second paragraphe [sic].</p>\n<h3>Inter</h3>")


def test_importing_again_adds_nothing_and_an_interrupted_import_goes_on(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(tmp_path, *(post(n) for n in range(250)))
    progress = tmp_path / "progress"

    def interrupted() -> Any:
        for number, item in enumerate(wxr(file)):
            if number == 220:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        bring_in(newsroom, interrupted(), progress)
    assert progress.read_text() == "200\n"
    rest = bring_in(newsroom, wxr(file), progress)
    again = bring_in(newsroom, wxr(file))

    assert (rest.read, rest.added) == (250, 50)
    assert (again.added, again.known, again.refused) == (0, 250, [])
    assert len(newsroom.said()) == 250


def test_what_is_no_article_is_reported_with_its_reason(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(
        tmp_path,
        post(1, status="trash"),
        post(2, post_type="page"),
        post(3, post_type="attachment"),
        post(4, category="Inconnue"),
        post(5, title=""),
        post(6, status="draft"),
        post(7, post_name="pont-6", post_date_gmt="0000-00-00 00:00:00"),
        post(8, link="https://old.example/?p=8", content="<script>alert(1)</script><p>Reste.</p>"),
    )

    report = bring_in(newsroom, wxr(file))
    dry = bring_in(newsroom, wxr(file), dry_run=True)

    reasons = {name.rpartition("pont-")[2].strip("/"): reason for name, reason in report.refused}
    assert reasons.keys() == {"1", "2", "4", "5"}
    assert "trash" in reasons["1"]
    assert "page" in reasons["2"]
    assert "Inconnue" in reasons["4"]
    assert "/headline" in reasons["5"]
    assert (report.added, report.warned, report.unmapped) == (3, 1, {"Inconnue": 1})
    assert dry.known == 3
    listed = newsroom.send("GET", "/v1/articles").get_json()["items"]
    assert {one["slug"]: one["status"] for one in listed}["pont-6"] == "draft"
    assert any(one["slug"].startswith("le-pont-le-quai-7") for one in listed)
    runner.write_report(tmp_path / "report.jsonl", report)
    assert len((tmp_path / "report.jsonl").read_text("utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    "text",
    [
        "not xml at all",
        HEAD + "<item><title>unfinished",
        '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        + HEAD.partition("\n")[2]
        + post(1)
        + "</channel></rss>",
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        + HEAD.partition("\n")[2]
        + post(1, title="&x;")
        + "</channel></rss>",
    ],
    ids=["text", "cut", "entities", "external"],
)
def test_an_archive_that_is_broken_or_built_to_harm_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.xml"
    file.write_text(text, "utf-8")

    with pytest.raises(BadArchive):
        list(wxr(file))


def test_blocks_captions_and_shortcodes_leave_clean_html() -> None:
    text = (
        '<!-- wp:paragraph {"a":1} --><p>Un.</p><!-- /wp:paragraph -->\n\n'
        '[caption id="x"]<img src="a.jpg"> Légende[/caption]'
        "\n\n[embed]https://example.org/v[/embed]\n\nIl a dit « [le pont] » [vc_row a=1]ici[/vc_row]."
    )

    assert clean(text) == (
        '<p>Un.</p>\n<figure><img src="a.jpg"> Légende</figure>\n'
        '<p><a href="https://example.org/v">https://example.org/v</a></p>\n<p>Il a dit « [le pont] » ici.</p>'
    )


NINJS = {
    "uri": "urn:agence:1",
    "type": "text",
    "language": "fr-FR",
    "headlines": [{"role": "main", "value": "Le port rouvre"}],
    "descriptions": [{"role": "summary", "value": "Lundi."}],
    "bodies": [{"contentType": "text/html", "value": "<p>Le port rouvre lundi.</p>"}],
    "subjects": [{"name": "Société", "uri": "medtop:1"}],
    "by": "Agence",
    "versionCreated": "2026-01-02T03:04:05Z",
    "pubStatus": "usable",
}


def send_ninjs(newsroom: Newsroom, **fields: Any) -> Any:
    return newsroom.client.post(
        "/v1/articles",
        data=json.dumps({**NINJS, **fields}),
        content_type="application/ninjs+json",
        headers=newsroom.headers,
    )


def test_an_agencys_article_is_posted_refiled_and_killed_by_its_uri(newsroom: Newsroom) -> None:
    first = send_ninjs(newsroom)
    second = send_ninjs(newsroom, headlines=[{"value": "Le port rouvre mardi"}])
    canceled = send_ninjs(newsroom, pubStatus="canceled")
    unknown = send_ninjs(newsroom, uri="urn:agence:9", pubStatus="canceled")

    article = first.get_json()
    assert (first.status_code, article["section"], article["status"]) == (201, "societe", "live")
    assert (article["headline"], article["standfirst"]) == ("Le port rouvre", "Lundi.")
    assert (second.status_code, second.get_json()["id"], second.get_json()["revision"]) == (200, article["id"], 2)
    assert (canceled.status_code, canceled.get_json()["status"], unknown.status_code) == (200, "killed", 404)
    assert [said["type"] for said in newsroom.said()][-1] == "article.killed.v1"


@pytest.mark.parametrize(
    "fields",
    [
        {"uri": 5},
        {"type": "picture"},
        {"pubStatus": "withheld"},
        {"headlines": []},
        {"bodies": [{"value": 5}]},
        {"subjects": [{"name": "Inconnu"}]},
        {"headlines": "x"},
        {"urgency": 99},
        {"versionCreated": "yesterday"},
    ],
    ids=repr,
)
def test_ninjs_that_is_no_article_here_is_422(newsroom: Newsroom, fields: dict[str, Any]) -> None:
    assert send_ninjs(newsroom, **fields).status_code == 422


def test_files_of_ninjs_and_of_json_lines_are_brought_in(newsroom: Newsroom, tmp_path: Path) -> None:
    ninjs = tmp_path / "a.json"
    ninjs.write_text(json.dumps([NINJS, {**NINJS, "uri": "urn:2", "type": "video"}], indent=1))
    lines = tmp_path / "b.jsonl"
    good = {"headline": "Un", "section": "Locale", "body": {"format": "text", "text": "a"}}
    lines.write_text(json.dumps(good) + "\nnot json\n[]\n" + json.dumps({**good, "colour": 1}) + "\n")
    mapping = tmp_path / "map.toml"
    mapping.write_text('"Locale" = "societe"\n"*" = "sport"\n')
    sections = read_mapping(mapping)

    one = bring_in(newsroom, items_of("ninjs", ninjs, {"société": "societe"}, language=None, pages=False))
    two = bring_in(newsroom, items_of("jsonl", lines, sections, language=None, pages=False))
    again = bring_in(newsroom, items_of("jsonl", lines, sections, language=None, pages=False))

    assert (one.added, len(one.refused), two.added, len(two.refused), again.known) == (1, 1, 1, 3, 1)
    assert not any(said["data"]["article"]["notify"] for said in newsroom.said())


def test_what_fails_for_a_moment_is_sent_again() -> None:
    class Flaky:
        def __init__(self) -> None:
            self.sent: list[int] = []

        def post_batch(self, articles: list[Any], *, dry_run: bool) -> list[dict[str, Any]]:
            self.sent.append(len(articles))
            return [{"status": 503 if len(self.sent) < 3 and n == 1 else 201} for n in range(len(articles))]

    flaky, paused = Flaky(), []
    items = iter([Item(str(n), {"headline": str(n)}) for n in range(3)])

    report = runner.run(
        flaky,  # type: ignore[arg-type]
        items,
        progress=None,
        dry_run=False,
        tell=lambda _: None,
        pause=paused.append,
    )

    assert (report.added, report.refused) == (3, [])
    assert flaky.sent == [3, 1]
    assert paused == [1.0]
