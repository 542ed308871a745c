"""The rules of publish: lists, filters, and when a failed delivery is tried again."""

from __future__ import annotations

from services.publish import domain
from shared.newsroom import load_newsroom

NEWSROOM = load_newsroom()


def test_an_article_stands_in_its_editions_lists_and_its_sections() -> None:
    assert domain.lists_of(NEWSROOM, "fr", "sport") == {"/", "/feed.xml", "/sport", "/sport/feed.xml"}
    assert domain.lists_of(NEWSROOM, "ar", "sport") == {"/ar", "/ar/feed.xml", "/ar/sport", "/ar/sport/feed.xml"}


def test_every_list_has_one_path() -> None:
    lists = domain.list_pages(NEWSROOM)
    assert len(lists) == len(NEWSROOM.languages) * (1 + len(NEWSROOM.sections)) * 2
