"""Archives brought in through the real API: WordPress exports, ninjs, JSON lines, and an agency's wire."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from rotative.client import Client
from rotative.importing import command, runner
from rotative.importing.command import Wish
from rotative.importing.illustrations import without_pictures
from rotative.importing.items import BadArchive, Item, PictureElsewhere
from rotative.importing.pictures import AT_ONCE, FAILURES_MOST, NotTaken, Pictures
from rotative.importing.start import items_of, read_mapping
from rotative.importing.wxr import WxrOptions, clean, read_attachments, read_wxr
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
<pubDate>{fields.get("date", "")}</pubDate>
<dc:creator><![CDATA[ines]]></dc:creator><guid isPermaLink="false">https://old.example/?p={number}</guid>
<content:encoded><![CDATA[{content}]]></content:encoded>
<excerpt:encoded><![CDATA[{fields["excerpt"]}]]></excerpt:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date_gmt><![CDATA[{fields["post_date_gmt"]}]]></wp:post_date_gmt>
<wp:post_name><![CDATA[{fields["post_name"]}]]></wp:post_name><wp:status><![CDATA[{fields["status"]}]]></wp:status>
<wp:post_type><![CDATA[{fields["post_type"]}]]></wp:post_type>
<category domain="category" nicename="vie-locale"><![CDATA[{fields["category"]}]]></category>
<category domain="post_tag" nicename="pont"><![CDATA[Pont]]></category>
<wp:attachment_url>{fields.get("attachment_url", "")}</wp:attachment_url>
{meta("_thumbnail_id", fields.get("thumbnail", ""))}{meta("_wp_attachment_image_alt", fields.get("alt", ""))}</item>
"""


def meta(key: str, value: str) -> str:
    return f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value>{value}</wp:meta_value></wp:postmeta>"


def export(folder: Path, *posts: str, head: str = HEAD) -> Path:
    file = folder / "export.xml"
    file.write_text(head + "".join(posts) + "</channel></rss>", "utf-8")
    return file


def client_of(newsroom: Newsroom) -> Client:
    return Client("http://test", "the-first-key-of-the-tests", transport=httpx.WSGITransport(newsroom.app))


def bring_in(newsroom: Newsroom, items: Any, mark: runner.Mark | None = None, **options: Any) -> runner.Report:
    given = {"dry_run": False, "tell": lambda _: None, "pause": lambda _: None, "leave_out": lambda _: None, **options}
    with client_of(newsroom) as client:
        return runner.run(client, items, mark=mark, **given)


SECTIONS = {"vie locale": "societe"}


def wxr(file: Path, **options: Any) -> Any:
    return read_wxr(file, WxrOptions(**{"sections": SECTIONS, **options}))


def test_a_wordpress_post_becomes_an_article_told_to_nobody(newsroom: Newsroom, tmp_path: Path) -> None:
    report = bring_in(newsroom, wxr(export(tmp_path, post(1))))

    assert (report.read, report.added, report.refused) == (1, 1, 0)
    (said,) = newsroom.said()
    public = said["data"]["article"]
    assert (said["lane"], public["notify"]) == ("bulk", False)
    assert (public["headline"], public["standfirst"]) == ("Le pont & le quai 1", "Un chapeau")
    assert (public["path"], public["old_paths"]) == ("/societe/pont-1", ["/2019/03/pont-1/", "/?p=1"])
    assert (public["bylines"][0]["name"], public["tags"]) == ("Inès Maurel", ["Pont"])
    assert public["first_published_at"] == "2019-03-04T09:30:00+00:00"
    assert public["body_html"] == ("<p>Première ligne.<br>Suite.</p>\n<p>Second paragraphe [sic].</p>\n<h3>Inter</h3>")


def test_importing_again_adds_nothing_and_an_interrupted_import_goes_on(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(tmp_path, *(post(n) for n in range(250)))
    mark = runner.Mark(tmp_path / "progress", "this file")

    def interrupted() -> Any:
        for number, item in enumerate(wxr(file)):
            if number == 220:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        bring_in(newsroom, interrupted(), mark)
    assert (mark.read().read, runner.Mark(mark.file, "another").read().read) == (200, 0)
    sent: list[int] = []
    whole = bring_in(newsroom, wxr(file), mark, tell=lambda report: sent.append(report.read))
    again = bring_in(newsroom, wxr(file))

    assert (whole.read, whole.added, sent) == (250, 250, [250])
    assert not mark.file.exists()
    assert (again.added, again.known, again.refused) == (0, 250, 0)
    assert len(newsroom.said()) == 250


def wish(file: Path, **options: Any) -> Wish:
    return Wish(**{"kind": "wxr", "file": file, "pictures": False, **options})


def test_a_second_import_reports_again_what_is_not_taken_and_takes_what_was_put_right(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    file = export(tmp_path, post(1), post(2, category="Inconnue"), post(3, status="trash"))
    mapping, report = tmp_path / "map.toml", tmp_path / "export.xml.report.jsonl"
    mapping.write_text('"Vie locale" = "societe"\n')
    said: list[str] = []

    with client_of(newsroom) as client:
        first = command.bring_in(client, wish(file, mapping=mapping), said.append)
        told = report.read_text("utf-8")
        second = command.bring_in(client, wish(file, mapping=mapping), said.append)
        dry = command.bring_in(client, wish(file, mapping=mapping, dry_run=True), said.append)
        assert (first, report.read_text("utf-8")) == (second, told)
        mapping.write_text('"Vie locale" = "societe"\n"Inconnue" = "culture"\n')
        third = command.bring_in(client, wish(file, mapping=mapping), said.append)

    assert first is not None
    assert first.startswith("2 items not taken; ")
    assert dry is not None
    assert third is not None
    assert third.startswith("1 item not taken; ")
    assert [line for line in said if "read:" in line] == [
        "3 items read: 1 added, 0 there already.",
        "3 items read: 0 added, 1 there already.",
        "3 items read: 0 would be added, 1 there already.",
        "3 items read: 1 added, 1 there already.",
    ]
    assert len(report.read_text("utf-8").splitlines()) == 1
    assert not (tmp_path / "export.xml.progress").exists()


@pytest.mark.parametrize(
    ("options", "says"), [({"mapping": '"Vie" = "societé"'}, "societé"), ({"language": "de"}, "language de")]
)
def test_a_section_or_language_that_there_is_not_is_told_before_anything_is_sent(
    newsroom: Newsroom, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    file = export(tmp_path, post(1))
    if "mapping" in options:
        mapping = tmp_path / "map.toml"
        mapping.write_text(options["mapping"], "utf-8")
        options = {"mapping": mapping}

    with client_of(newsroom) as client, pytest.raises(BadArchive, match=says) as bad:
        command.bring_in(client, wish(file, **options), lambda _: None)

    assert "Must be one of" in str(bad.value)
    assert newsroom.send("GET", "/v1/articles").get_json()["items"] == []


def test_a_line_with_half_of_a_surrogate_pair_is_refused_by_itself(newsroom: Newsroom, tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    good = '{"headline": "%s", "section": "sport", "body": {"format": "text", "text": "a"}}'
    lines.write_text(good % "Un" + "\n" + good % "\\ud800" + "\n" + good % "Trois" + "\n")

    report = bring_in(newsroom, items_of("jsonl", lines, {}, language=None, pages=False))

    assert (report.added, report.refused) == (2, 1)


def test_what_is_no_article_is_reported_with_its_reason(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(
        tmp_path,
        post(1, status="trash"),
        post(2, post_type="page"),
        post(3, post_type="attachment"),
        post(4, category="Inconnue"),
        post(5, title=""),
        post(6, status="draft"),
        post(7, post_name="pont-6", post_date_gmt="0000-00-00 00:00:00", date="Mon, 04 Mar 2019 10:30:00 +0100"),
        post(8, link="https://old.example/?p=8", content="<script>alert(1)</script><p>Reste.</p>"),
        post(9, status="future", post_date_gmt="0000-00-00 00:00:00", date="Wed, 30 Nov -0001 00:00:00 +0000"),
        post(10, post_date_gmt="2019-13-45 99:99:99"),
    )

    left_out: list[dict[str, str]] = []
    written = runner.ReportFile(tmp_path / "report.jsonl", goes_on=False)

    def leave_out(line: dict[str, str]) -> None:
        left_out.append(line)
        written.add(line)

    report = bring_in(newsroom, wxr(file), leave_out=leave_out)
    dry = bring_in(newsroom, wxr(file), dry_run=True)

    reasons = {one["item"].rpartition("pont-")[2].strip("/"): one["reason"] for one in left_out if "reason" in one}
    assert reasons.keys() == {"1", "2", "4", "5", "9", "10"}
    assert reasons["9"] == "is future, and its date cannot be read"
    assert [one["warning"] for one in left_out if "warning" in one] == ["<script> was taken out."]
    assert "trash" in reasons["1"]
    assert "page" in reasons["2"]
    assert "Inconnue" in reasons["4"]
    assert "/headline" in reasons["5"]
    assert (report.added, report.warned, report.unmapped) == (3, 1, {"Inconnue": 1})
    assert dry.known == 3
    listed = newsroom.send("GET", "/v1/articles").get_json()["items"]
    assert {one["slug"]: one["status"] for one in listed}["pont-6"] == "draft"
    assert any(one["slug"].startswith("le-pont-le-quai-7") for one in listed)
    assert len((tmp_path / "report.jsonl").read_text("utf-8").splitlines()) == 7
    (dated,) = [one for one in listed if one["slug"].startswith("le-pont-le-quai-7")]
    assert dated["published_at"].startswith("2019-03-04T09:30:00")


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

    without, pictures = without_pictures(text, "https://old.example/2019/un/")

    assert pictures == [PictureElsewhere("https://old.example/2019/un/a.jpg", "", "Légende")]
    assert clean(without) == (
        "<p>Un.</p>\n"
        '<p><a href="https://example.org/v">https://example.org/v</a></p>\n<p>Il a dit « [le pont] » ici.</p>'
    )


def test_quotations_preformatted_texts_and_what_others_sites_show_keep_their_form() -> None:
    text = (
        "Un.\n\n<pre>a\n\nb</pre>\n\n<blockquote>Premier.\n\nSecond.</blockquote>\n\n"
        '<!-- wp:embed {"url":"x"} --><figure class="wp-block-embed is-type-video"><div class="w">\n'
        "https://video.example/?v=1&amp;t=2\n</div><figcaption>La <em>fête</em></figcaption></figure><!-- /wp:embed -->"
    )

    assert clean(text) == (
        "<p>Un.</p>\n<pre>a\n\nb</pre>\n<blockquote>\n<p>Premier.</p>\n<p>Second.</p>\n</blockquote>\n"
        '<p><a href="https://video.example/?v=1&amp;t=2">https://video.example/?v=1&amp;t=2</a></p>\n'
        "<p>La <em>fête</em></p>"
    )


def test_a_picture_whose_text_looks_like_a_tag_is_taken() -> None:
    without, pictures = without_pictures('Ici <img src="a.jpg" alt="<b>Le pont</b>"> et là', "https://old.example/")

    assert without == "Ici  et là"
    assert pictures == [PictureElsewhere("https://old.example/a.jpg", "Le pont", "")]


def test_posts_of_one_guid_are_several(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(tmp_path, post(1), post(2).replace("?p=2", "?p=1"))

    report = bring_in(newsroom, wxr(file))

    assert report.added == 2


def test_lines_after_one_that_is_no_json_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.ninjs"
    file.write_text(f"{json.dumps(NINJS)}\n{{oops}}\n{json.dumps({**NINJS, 'uri': 'urn:3'})}\n{{", "utf-8")

    found = list(items_of("ninjs", file, {"société": "societe"}, language=None, pages=False))

    assert [one.name for one in found] == [NINJS["uri"], "item 2", "urn:3", "item 4"]
    assert [one.reason.startswith("is not JSON") for one in found] == [False, True, False, True]


def test_pictures_leave_the_text_with_their_captions_and_nothing_empty_behind() -> None:
    text = (
        '<p>Avant.</p><figure class="wp-block-image"><a href="x"><img src="/a.jpg" alt="Le &quot;pont&quot;"/></a>'
        "<figcaption>Vu du <em>nord</em> &amp; de loin</figcaption></figure>"
        '<figure class="wp-block-gallery"><figure><img src="https://cdn.example/b.png?w=640" /></figure>'
        '<ul><li><figure><img src="data:image/png;base64,AA"/></figure></li></ul>'
        "<figcaption>Toutes</figcaption></figure>"
        '<p><a href="https://old.example/c.jpg"><img alt="C" src=\'c.jpg\'></a></p>'
        '[caption id="d" align="left"]<img src="d.webp" /> Le quai[/caption]'
        '<figure class="wp-block-table"><table><tr><td>1</td></tr></table><figcaption>Chiffres</figcaption></figure>'
        "<p>Après.</p>"
    )

    without, pictures = without_pictures(text, "https://old.example/p/")

    assert without == (
        '<p>Avant.</p><figure class="wp-block-table"><table><tr><td>1</td></tr></table>'
        "<figcaption>Chiffres</figcaption></figure><p>Après.</p>"
    )
    assert [(one.url, one.alt, one.caption) for one in pictures] == [
        ("https://old.example/a.jpg", 'Le "pont"', "Vu du nord & de loin"),
        ("https://cdn.example/b.png?w=640", "", ""),
        ("https://old.example/p/c.jpg", "C", ""),
        ("https://old.example/p/d.webp", "", "Le quai"),
    ]


@pytest.mark.parametrize(
    "piece",
    [
        *("<figure>", "[caption]", "[embed]", "<!-- wp:x ", "<img ", '<img "', "<p>", "<figcaption>", "[a "),
        *("<pre>", "<blockquote", '<figure class="wp-block-embed">'),
    ],
)
def test_what_is_opened_and_never_closed_costs_no_more_than_its_length(piece: str) -> None:
    text = "<img src=a.jpg>" + piece * (1_000_000 // len(piece))
    began = time.process_time()

    clean(without_pictures(text, "https://old.example/")[0])

    # Reading to the end again and again would take minutes.
    assert time.process_time() - began < 20


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
    newsroom.send("POST", f"/v1/articles/{first.get_json()['id']}/kill", {"reason": "Diffamation"})
    canceled = send_ninjs(newsroom, pubStatus="canceled")
    unknown = send_ninjs(newsroom, uri="urn:agence:9", pubStatus="canceled")

    article = first.get_json()
    assert (first.status_code, article["section"], article["status"]) == (201, "societe", "live")
    assert (article["headline"], article["standfirst"]) == ("Le port rouvre", "Lundi.")
    assert (second.status_code, second.get_json()["id"], second.get_json()["revision"]) == (200, article["id"], 2)
    assert (canceled.status_code, canceled.get_json()["status"], unknown.status_code) == (200, "killed", 404)
    assert canceled.get_json()["kill_reason"] == "Diffamation"
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

    assert (one.added, one.refused, two.added, two.refused, again.known) == (1, 1, 1, 3, 1)
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
        mark=None,
        dry_run=False,
        tell=lambda _: None,
        pause=paused.append,
        leave_out=lambda _: None,
    )

    assert (report.added, report.refused) == (3, 0)
    assert flaky.sent == [3, 1]
    assert paused == [1.0]


def jpeg(colour: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (colour, 80, 120)).save(out, "JPEG")
    return out.getvalue()


def test_posts_lead_with_their_pictures_where_these_can_be_reached(newsroom: Newsroom, tmp_path: Path) -> None:
    asked: list[str] = []
    answers: dict[str, Any] = {
        "/a.jpg": (200, jpeg(1)),
        "/b.jpg": (200, jpeg(9)),
        "/gone.jpg": (404, b""),
        "/no.png": (200, b"<html>"),
    }

    def get(url: str) -> tuple[int, bytes]:
        asked.append(url)
        if "away" in url:
            raise NotTaken("no answer in time")
        return answers[url.partition("example")[2]]

    in_text = '<figure><img src="https://old.example/b.jpg"><figcaption>La halle</figcaption></figure><p>Texte.</p>'
    urls = ("http://old.example/a.jpg", "https://old.example/gone.jpg", "https://old.example/no.png")
    away = tuple(f"https://away.example/{n}.jpg" for n in range(6))
    file = export(
        tmp_path,
        post(0, thumbnail="100", content=in_text),
        *(post(n, thumbnail=str(100 + n)) for n in range(1, 9)),
        # Attachments stand behind the posts that lead with them.
        *(
            post(100 + n, post_type="attachment", attachment_url=url, alt="Le pont", excerpt="Vu du nord")
            for n, url in enumerate((*urls, *away))
        ),
        post(300, post_type="attachment", attachment_url="https://old.example/unused.jpg"),
    )
    left_out: list[dict[str, str]] = []
    with client_of(newsroom) as client, Pictures(client, get=get) as pictures:
        items = items_of("wxr", file, SECTIONS, language=None, pages=False, pictures=True)
        report = runner.run(
            client,
            items,
            mark=None,
            dry_run=False,
            tell=lambda _: None,
            pause=lambda _: None,
            leave_out=left_out.append,
            pictures=pictures,
        )

    assert (report.added, report.refused, report.pictures, report.lost_pictures) == (9, 0, 2, 8)
    assert "https://old.example/a.jpg" in asked
    assert not any("unused" in url for url in asked)
    # The host that never answers is not asked for ever.
    assert len([url for url in asked if "away" in url]) <= FAILURES_MOST + AT_ONCE
    assert all(one["picture"] and one["reason"] for one in left_out)
    leading = [said["data"]["article"]["images"] for said in newsroom.said()]
    ((image, second),) = [images for images in leading if images]
    assert (image["alt"], image["caption"], image["width"]) == ("Le pont", "Vu du nord", 640)
    assert second["caption"] == "La halle"
    assert newsroom.said()[0]["data"]["article"]["body_html"] == "<p>Texte.</p>"


def test_a_picture_in_a_private_network_is_never_asked_for(newsroom: Newsroom) -> None:
    wanted = [Item(str(n), {"headline": "x"}, pictures=(PictureElsewhere(url),)) for n, url in enumerate(PRIVATE)]
    reasons: list[str] = []

    with client_of(newsroom) as client, Pictures(client) as pictures:
        taken = pictures.put_into(wanted, lambda _item, _picture, reason: reasons.append(reason))

    assert (taken, len(reasons)) == (0, len(PRIVATE))


PRIVATE = ("http://127.0.0.1/a.jpg", "https://10.0.0.1/a.jpg", "http://[::1]:9/a.jpg", "https://169.254.169.254/a.jpg")


@pytest.mark.parametrize("shape", ["list", "lines", "one", "indented"])
def test_files_of_ninjs_are_read_one_item_at_a_time(tmp_path: Path, shape: str) -> None:
    many = [{**NINJS, "uri": f"urn:{n}", "note": "é" * 1000} for n in range(1 if shape == "one" else 900)]
    file = tmp_path / "a.json"
    texts = {
        "list": json.dumps(many, ensure_ascii=False),
        "lines": "\n".join(json.dumps(one) for one in many),
        "one": json.dumps(many[0], indent=1),
        "indented": "\ufeff" + json.dumps(many, indent=2),
    }
    file.write_text(texts[shape], "utf-8")

    found = list(items_of("ninjs", file, {"société": "societe"}, language=None, pages=False))

    assert [one.name for one in found] == [one["uri"] for one in many]
    assert all(one.article is not None for one in found)


@pytest.mark.parametrize("text", ["[{}, {", "[1", "x {}", "[" * 200_000, '{"a": "\ud800"', "\x00"])
def test_what_is_not_json_is_said_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))

    with pytest.raises(BadArchive):
        list(items_of("ninjs", file, {}, language=None, pages=False))


def test_uris_that_differ_only_at_their_end_are_two_articles_and_an_empty_one_is_none(newsroom: Newsroom) -> None:
    long = "urn:agence:" + "x" * 400
    first = send_ninjs(newsroom, uri=f"{long}1")
    second = send_ninjs(newsroom, uri=f"{long}2")
    again = send_ninjs(newsroom, uri=f"{long}1")

    assert (first.status_code, second.status_code, again.status_code) == (201, 201, 200)
    assert first.get_json()["id"] == again.get_json()["id"] != second.get_json()["id"]
    assert send_ninjs(newsroom, uri=" ").status_code == 422
    assert send_ninjs(newsroom, uri="", pubStatus="canceled").status_code == 422


def test_an_older_version_that_comes_late_changes_nothing(newsroom: Newsroom) -> None:
    send_ninjs(newsroom, versionCreated="2026-01-02T10:00:00Z")
    newer = send_ninjs(newsroom, versionCreated="2026-01-02T10:20:00Z", headlines=[{"value": "Rouvert"}]).get_json()
    older = send_ninjs(newsroom, versionCreated="2026-01-02T12:10:00+02:00", headlines=[{"value": "Fermé"}])

    assert (newer["headline"], newer["change"]) == ("Rouvert", 2)
    assert (older.status_code, older.get_json()["headline"], older.get_json()["change"]) == (200, "Rouvert", 2)
    assert "older-version" in [one["code"] for one in older.get_json()["warnings"]]


def test_signs_that_no_xml_holds_do_not_end_an_export(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(tmp_path, post(1), post(2, title="Le pont\x0b du\x01 port"), post(3))
    file.write_bytes(file.read_bytes().replace(b"Suite.", b"Suite\xff.", 1))

    items = list(read_wxr(file, WxrOptions({"*": "societe"})))

    assert [item.reason for item in items] == [""] * 3
    assert items[1].article is not None
    assert items[1].article["headline"] == "Le pont du port"
    assert bring_in(newsroom, iter(items)).added == 3


def test_an_export_in_another_encoding_is_read_in_it(tmp_path: Path) -> None:
    file = export(tmp_path, post(1, title="Été"))
    text = file.read_text("utf-8").replace("UTF-8", "ISO-8859-15").replace("’", "'")
    file.write_bytes(text.encode("iso-8859-15"))

    (item,) = read_wxr(file, WxrOptions({"*": "societe"}))

    assert item.article is not None
    assert item.article["headline"] == "Été"


def test_of_an_export_that_breaks_off_the_posts_before_are_taken(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(tmp_path, *(post(number, thumbnail="9") for number in range(1, 40)))
    file.write_bytes(file.read_bytes()[:-500])

    assert read_attachments(file) == {}
    with pytest.raises(BadArchive, match="not well-formed"):
        bring_in(newsroom, read_wxr(file, WxrOptions({"*": "societe"})))
    assert len(newsroom.send("GET", "/v1/articles?limit=100").get_json()["items"]) == 38


def test_what_is_shortened_or_taken_out_is_said_of_which_post(newsroom: Newsroom, tmp_path: Path) -> None:
    file = export(
        tmp_path, post(1, title="Pont " * 80, content="<p onclick='x()'>Texte.</p>"), post(2, content="Texte.")
    )
    said: list[dict[str, str]] = []

    report = bring_in(newsroom, read_wxr(file, WxrOptions({"*": "societe"})), leave_out=said.append)

    assert (report.added, report.warned) == (2, 1)
    (line,) = said
    assert "of its headline, 399 long, the first 200 are taken" in line["warning"]
    assert "onclick" in line["warning"]
