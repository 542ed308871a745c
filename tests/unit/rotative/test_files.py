from datetime import UTC, datetime
from pathlib import Path

import pytest

from rotative.files import BadFile, read_articles

MARKDOWN = """---
headline: Le pont rouvre
language: fr
section: societe
tags: [pont, tramway]
embargo: 2026-03-01 08:00:00+01:00
---

Un **premier** paragraphe.
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_front_matter_becomes_fields_and_the_rest_the_body(tmp_path):
    [article] = read_articles(written(tmp_path, "a.md", MARKDOWN))

    assert article == {
        "status": "live",
        "headline": "Le pont rouvre",
        "language": "fr",
        "section": "societe",
        "tags": ["pont", "tramway"],
        "embargo": "2026-03-01T08:00:00+01:00",
        "body": {"format": "markdown", "text": "Un **premier** paragraphe."},
    }


def test_a_date_without_a_zone_is_utc(tmp_path):
    [article] = read_articles(written(tmp_path, "a.md", "---\npublished_at: 2026-03-01\n---\nText"))

    assert datetime.fromisoformat(article["published_at"]) == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_windows_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes(b"\xef\xbb\xbf---\r\nheadline: Un\r\n---\r\nTexte\r\n")

    [article] = read_articles(path)

    assert article["headline"] == "Un"
    assert article["body"]["text"] == "Texte"


def test_a_status_in_the_file_wins(tmp_path):
    [article] = read_articles(written(tmp_path, "a.json", '{"headline": "Un", "status": "draft"}'))

    assert article["status"] == "draft"


def test_a_json_file_may_hold_several_articles(tmp_path):
    articles = read_articles(written(tmp_path, "a.json", '[{"headline": "Un"}, {"headline": "Deux"}]'))

    assert [article["headline"] for article in articles] == ["Un", "Deux"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.md", "Un texte sans rien", "should begin with front matter"),
        ("a.md", "---\nheadline: Un\n", "should close its front matter"),
        ("a.md", "---\nheadline: 'Un\n---\nTexte", "line 3: the front matter is not YAML"),
        ("a.md", "---\npublished_at: 2026-02-31\n---\nTexte", "the front matter is not YAML"),
        ("a.md", "---\n- headline\n---\nTexte", "lines of the form"),
        ("a.md", "---\nbody: Un\n---\nTexte", "the body should follow"),
        ("a.json", "{", "is not JSON"),
        ("a.json", "[" * 100_000, "is n"),
        ("a.json", '["Un"]', "number 1 is none"),
        ("a.txt", "Un", "should be a Markdown file"),
    ],
)
def test_a_file_that_holds_no_article_says_why(tmp_path, name, text, says):
    path = written(tmp_path, name, text)

    with pytest.raises(BadFile, match=says):
        read_articles(path)


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path):
    binary = tmp_path / "a.md"
    binary.write_bytes(b"---\n\xff")

    with pytest.raises(BadFile, match="not UTF-8"):
        read_articles(binary)
    with pytest.raises(BadFile, match="cannot be read: No such file"):
        read_articles(tmp_path / "b.md")
