"""Real news and generated articles, as bodies for the API; and whether a page shows a headline."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest

from bench import articles, generator
from services.ingest.schemas.articles import ArticleBody
from shared.newsroom import load_newsroom

SECTIONS = ("politique", "societe", "sport")


def row(**fields: object) -> dict[str, object]:
    return {"id": "a1", "lang": "fr", "title": "Le pont rouvre", "body": "Premier.\nSecond.", **fields}


def test_each_line_of_a_news_file_s_text_is_a_paragraph():
    made = articles.article_of(row(), SECTIONS)

    assert made is not None
    assert made["body"] == {"format": "text", "text": "Premier.\n\nSecond."}


@pytest.mark.parametrize("section", ["Wirtschaft", None, 7])
def test_unknown_and_missing_sections_become_societe(section):
    made = articles.article_of(row(section=section), SECTIONS)

    assert made is not None
    assert made["section"] == "societe"


def test_a_long_title_is_cut_and_control_characters_are_taken_out():
    made = articles.article_of(row(title="mot\x07 " * 100), SECTIONS)

    assert made is not None
    assert len(made["headline"]) <= articles.HEADLINE_MAX
    assert made["headline"].startswith("mot mot")
    assert made["headline"].endswith("…")


@pytest.mark.parametrize("fields", [{"title": " "}, {"body": ""}, {"title": None}, {"body": 3}])
def test_a_row_without_title_or_text_is_left_out(fields):
    assert articles.article_of(row(**fields), SECTIONS) is None


def test_a_date_without_a_zone_is_taken_as_utc_and_a_wrong_one_is_left_out():
    dated = articles.article_of(row(published_at="2015-01-07T11:30:00"), SECTIONS)
    wrong = articles.article_of(row(published_at="soon"), SECTIONS)

    assert dated is not None
    assert wrong is not None
    assert dated["published_at"] == "2015-01-07T11:30:00+00:00"
    assert "published_at" not in wrong


def test_a_packed_file_begins_again_when_it_is_used_up(tmp_path: Path):
    file = tmp_path / "news.jsonl.gz"
    lines = [row(), row(title=""), row(title="Drei", lang="de"), row(title="Deux")]
    file.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))

    supply = articles.from_file(file, SECTIONS)

    taken = [supply.take(notify=False)["headline"] for _ in range(4)]
    assert taken == ["Le pont rouvre", "Drei", "Deux", "Le pont rouvre"]
    assert supply.languages == ("fr", "de")


def test_only_an_archive_keeps_its_own_dates(tmp_path: Path):
    file = tmp_path / "news.jsonl"
    file.write_text(json.dumps(row(published_at="2015-01-07T11:30:00Z")))

    supply = articles.from_file(file, SECTIONS)

    assert "published_at" not in supply.take(notify=True)
    assert "published_at" in supply.take(notify=False, dated=True)


@pytest.mark.parametrize("content", ["", "[1]\n", "{", '{"title": "no text"}'])
def test_a_file_that_is_no_news_is_refused_in_a_sentence(tmp_path: Path, content: str):
    file = tmp_path / "news.jsonl"
    file.write_text(content)

    with pytest.raises(articles.BadFile, match=r"news\.jsonl"):
        articles.from_file(file, SECTIONS)


def test_generated_articles_are_what_the_api_takes():
    schema = ArticleBody(load_newsroom())

    for article in itertools.islice(generator.articles(), 50):
        schema.load({**article, "status": "live", "notify": True})


def test_the_same_seed_generates_the_same_articles_in_three_languages():
    first, second = (list(itertools.islice(generator.articles(7), 60)) for _ in range(2))

    assert first == second
    assert {article["language"] for article in first} == {"fr", "en", "ar"}
    assert len({article["headline"] for article in first}) == 60


def test_a_page_shows_a_headline_whatever_its_typography_and_markup():
    page = "<h1>L’Otan\u202f: «\u00a0Oui&nbsp;» &amp; «\u00a0non\u00a0»</h1>".encode()

    assert articles.shows(page, "L'Otan : « Oui » & « non »")
    assert not articles.shows(page, "L'Onu : « Oui » & « non »")
