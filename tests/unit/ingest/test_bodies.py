"""What of a body is kept, what is taken away, and that both are told."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from services.ingest.domain import nesting
from services.ingest.domain.bodies import BODY_MAX, Body, make_body
from services.ingest.domain.texts import BadText


def codes(body: Body) -> list[str]:
    return [notice.code for notice in body.notices]


def test_clean_html_stays_as_it_is_and_warns_of_nothing() -> None:
    body = make_body("html", '<p>Un <em>mot</em> et <a href="https://example.org/">un lien</a>.</p>')

    assert body.html == (
        '<p>Un <em>mot</em> et <a href="https://example.org/" rel="noopener noreferrer">un lien</a>.</p>'
    )
    assert body.notices == ()


@pytest.mark.parametrize(
    ("sent", "kept", "warned"),
    [
        ("<p>a<script>alert(1)</script></p>", "<p>a</p>", ["element-removed"]),
        ('<p onclick="alert(1)">a</p>', "<p>a</p>", ["attribute-removed"]),
        ('<p style="position:fixed" id="x">a</p>', "<p>a</p>", ["attribute-removed", "attribute-removed"]),
        (
            '<p><a href="javascript:alert(1)">a</a></p>',
            '<p><a rel="noopener noreferrer">a</a></p>',
            ["address-removed"],
        ),
        (
            '<p><a href=" java&#10;script:alert(1)">a</a></p>',
            '<p><a rel="noopener noreferrer">a</a></p>',
            ["address-removed"],
        ),
        (
            '<p><a href="data:text/html,x">a</a></p>',
            '<p><a rel="noopener noreferrer">a</a></p>',
            ["address-removed"],
        ),
        ('<q cite="javascript:alert(1)">a</q>', "<q>a</q>", ["address-removed"]),
        ('<blockquote cite="data:text/html,x">a</blockquote>', "<blockquote>a</blockquote>", ["address-removed"]),
        ('<a href="//example.org/">a</a>', '<a rel="noopener noreferrer">a</a>', ["address-removed"]),
        ('<a href="/\\example.org/">a</a>', '<a rel="noopener noreferrer">a</a>', ["address-removed"]),
        ('<a href="/&#9;/example.org/">a</a>', '<a rel="noopener noreferrer">a</a>', ["address-removed"]),
        ("<p>a<svg><a xlink:href='javascript:x'>b</a></svg></p>", "<p>a</p>", None),
        ("<p>a<math><mi>x</mi></math></p>", "<p>a</p>", None),
        ("<p>a<iframe src=https://example.org></iframe></p>", "<p>a</p>", ["element-removed"]),
        ("<p>a</p><style>p{display:none}</style>", "<p>a</p>", ["element-removed"]),
        ("<p>a</p><!-- b -->", "<p>a</p>", ["comment-removed"]),
        ("<p>a<img src=x onerror=alert(1)></p>", "<p>a</p>", ["element-removed"]),
        ("<p>a&#x202e;b</p>", "<p>ab</p>", ["direction-override-removed"]),
        ("<p>a\u202eb</p>", "<p>ab</p>", ["direction-override-removed"]),
    ],
)
def test_what_could_harm_is_taken_out_and_told(sent: str, kept: str, warned: list[str] | None) -> None:
    body = make_body("html", sent)

    assert body.html == kept
    assert body.text == kept
    assert codes(body) == warned if warned is not None else "element-removed" in codes(body)
    assert all(notice.pointer == "/body/text" for notice in body.notices)


def test_the_same_removal_is_told_once_with_its_count() -> None:
    body = make_body("html", "<p>a</p>" + '<p class="x">b</p>' * 40)

    assert [notice.detail for notice in body.notices] == ["class was taken out of <p> (40 times)."]


def test_warnings_are_bounded() -> None:
    body = make_body("html", "<p>a</p>" + "".join(f"<x{n}>b</x{n}>" for n in range(50)))

    assert len(body.notices) == 21


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("<h1>A</h1><h2>B</h2>", "<h2>A</h2><h3>B</h3>"),
        ("<h2>A</h2><h5>B</h5>", "<h2>A</h2><h4>B</h4>"),
        ("<h1>A</h1><h4>B</h4>", "<h2>A</h2><h4>B</h4>"),
    ],
)
def test_headings_end_below_the_headline(sent: str, kept: str) -> None:
    body = make_body("html", sent)

    assert body.html == kept
    assert codes(body) == ["headings-moved"]


def test_plain_text_becomes_paragraphs_at_blank_lines_and_holds_no_markup() -> None:
    body = make_body("text", "Un\r\ndeux <b>\r\n\r\n   \r\nTrois & quatre\n")

    assert body.html == "<p>Un<br>deux &lt;b&gt;</p>\n<p>Trois &amp; quatre</p>"
    assert body.text.startswith("Un\ndeux <b>")


def test_markdown_has_tables_and_its_html_is_sanitised() -> None:
    body = make_body("markdown", "# Titre\n\nUn **mot** <script>x</script>\n\n|a|b|\n|-|-|\n|1|2|\n")

    assert "<h2>Titre</h2>" in body.html
    assert "<strong>mot</strong>" in body.html
    assert "<td>2</td>" in body.html
    assert "script" not in body.html
    assert body.text.startswith("# Titre")
    assert codes(body) == ["element-removed", "headings-moved"]


@pytest.mark.parametrize("format", ["html", "markdown", "text"])
@pytest.mark.parametrize("text", ["", "  \n ", "\ufeff"])
def test_a_body_that_shows_nothing_is_refused(format: str, text: str) -> None:
    with pytest.raises(BadText):
        make_body(format, text)


@pytest.mark.parametrize("text", ["<p>&nbsp;</p>", "<p></p><br>", "<script>x</script>", "<!-- x -->"])
def test_html_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(BadText):
        make_body("html", text)


@pytest.mark.parametrize("text", ["<p>a\x00b</p>", "<p>a&#1;b</p>", "<p>a\ud800b</p>"])
def test_control_characters_are_refused_also_as_references(text: str) -> None:
    with pytest.raises(BadText):
        make_body("html", text)


def test_a_body_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadText) as refused:
        make_body("text", "a" * (BODY_MAX + 1))

    assert refused.value.code == "too-long"


@pytest.mark.parametrize(
    "text",
    [
        "<div>" * 80_000,
        "<b>" * 19_000,
        "<ul><li>" * 9_000,
        "".join(f"<b a{n}><p>" for n in range(5_000)),
        "<div><table><td></div></td></table>" * 4_000,
        """<div ' x="' ></div>" >""" * 9_000 + "a",
        "<svg>" + "<div></div>" * 5_000,
        "<b>x</b>" * 200 + "<!-- " * 70_000,
        "<b>x</b>" * 200 + "<a" + " " * 380_000,
        "<" * 390_000,
    ],
)
def test_html_built_to_keep_a_parser_busy_does_not(text: str) -> None:
    began = time.thread_time()

    with suppress(BadText):
        make_body("html", text)

    assert time.thread_time() - began < 2


@pytest.mark.parametrize("text", ["[" * 390_000, "![" * 190_000, "*a " * 130_000, "> " * 190_000 + "a", "`" * 390_000])
def test_markdown_built_to_keep_a_reader_busy_does_not(text: str) -> None:
    began = time.thread_time()

    with suppress(BadText):
        make_body("markdown", text)

    assert time.thread_time() - began < 3


@pytest.mark.parametrize(
    "html",
    [
        "<p>a" * 3_000,
        "<ul>" + "<li>a" * 3_000 + "</ul>",
        "<table>" + "<tr><td>a<td>b" * 2_000 + "</table>",
        "<p>a <b>b</b> <a href='/x'>c</a></p>" * 2_000,
        '<p title="</p>">a <em class=x data-y=\'"\'>b</em></p>' * 2_000,
        "<blockquote><p>a</p></blockquote>" * 2_000,
        "<dl>" + "<dt>a<dd>b" * 2_000 + "</dl>",
    ],
)
def test_long_articles_of_ordinary_html_are_not_mistaken_for_deep_ones(html: str) -> None:
    nesting.check_nesting(html)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("<div>Un</div><div>Deux</div>", "<p>Un</p><p>Deux</p>"),
        ("<div class=x><p>Un</p><p>Deux</p></div>", "<p>Un</p><p>Deux</p>"),
        ("<DETAILS><summary>Un</summary>deux</DETAILS>", "<p>Un</p>deux"),
        ("<ul><li><div>Un</div></li></ul>", "<ul><li><p>Un</p></li></ul>"),
    ],
)
def test_blocks_that_are_taken_out_leave_their_paragraphs(sent: str, kept: str) -> None:
    body = make_body("html", sent)

    assert body.html == kept
    assert "element-removed" in codes(body)
    assert make_body("html", kept).html == kept
