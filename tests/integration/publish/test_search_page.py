"""The search page: hits, more of them, right to left, and kind words when recommend does not answer in time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask

from services.publish.app import create_app
from services.publish.search import search_at
from services.publish.settings import PublishSettings
from shared import migrate

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


class Stubborn:
    """A recommend that takes every connection and answers `first`, then a byte now and then, and never ends."""

    def __init__(self, first: bytes, drips: bool) -> None:
        self._first, self._drips = first, drips
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked = 0
        self._ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self.asked += 1
                try:
                    connection.sendall(self._first)
                    while not self._ended.wait(0.02):
                        if self._drips:
                            connection.sendall(b" ")
                        elif not connection.recv(65536):
                            break
                except OSError:
                    continue

    def close(self) -> None:
        self._ended.set()
        self._listening.close()


@pytest.fixture
def app(sqlite_url: str, settings_for: Callable[..., PublishSettings]) -> Iterator[Flask]:
    migrate.upgrade(sqlite_url, "publish")
    made = create_app(settings_for("publish", sqlite_url, cls=PublishSettings))
    yield made
    made.extensions["rotative"].close()


def hit(number: int, language: str) -> dict[str, Any]:
    return {
        "url": f"/societe/a-{number}",
        "headline": f"Le pont : {number} mètres ?",
        "excerpt_html": "… le <mark>pont</mark> ; 12 000 pas <script>alert(1)</script>",
        "section": "societe",
        "language": language,
        "first_published_at": "2026-11-01T09:00:00+00:00",
    }


@pytest.mark.parametrize(("first", "drips"), [(b"", False), (HEAD, False), (HEAD, True)])
def test_a_recommend_that_does_not_answer_in_time_is_passed_over_with_kind_words(
    app: Flask, first: bytes, drips: bool
) -> None:
    recommend = Stubborn(first, drips)
    app.extensions["search"] = search_at(recommend.url)

    answer = app.test_client().get("/search?q=pont&lang=fr")

    recommend.close()
    assert recommend.asked == 1
    assert answer.status_code == 200
    assert "indisponible" in answer.text
    assert 'href="/archive/"' in answer.text


def test_hits_are_shown_safely_and_lead_to_more_of_them(app: Flask) -> None:
    asked: list[Mapping[str, str]] = []

    def search(query: Mapping[str, str], address: str) -> Mapping[str, Any]:
        asked.append(query)
        return {"items": [hit(number, "fr") for number in range(20)], "next": "2 & 3" if len(asked) == 1 else None}

    app.extensions["search"] = search
    client = app.test_client()

    first = client.get("/search?q=  le   pont &lang=fr").text
    second = client.get("/search?q=le+pont&lang=fr&cursor=2+%26+3").text

    assert asked == [{"q": "le pont", "lang": "fr"}, {"q": "le pont", "lang": "fr", "cursor": "2 & 3"}]
    assert first.count("<mark>pont</mark>\u202f; 12\u202f000 pas") == 20
    assert "<script>alert" not in first
    assert 'rel="next" href="/search?q=le+pont&amp;lang=fr&amp;cursor=2+%26+3"' in first
    assert "Résultats suivants" in first
    assert 'rel="next"' not in second


def test_readers_are_told_apart_behind_our_own_gateway(app: Flask) -> None:
    asked: list[str] = []

    def search(query: Mapping[str, str], address: str) -> Mapping[str, Any]:
        asked.append(address)
        return {"items": [], "next": None}

    app.extensions["search"] = search
    for reader in ("93.184.216.34", "1.1.1.1, 2001:4860:4860::8888"):
        app.test_client().get("/search?q=pont", headers={"X-Forwarded-For": reader})
    assert asked == ["93.184.216.34", "2001:4860:4860::/64"]


def test_the_arabic_page_is_written_from_right_to_left_and_names_other_languages(app: Flask) -> None:
    app.extensions["search"] = lambda query, address: {"items": [hit(1, "ar"), hit(2, "fr")], "next": None}

    page = app.test_client().get("/search?q=جسر&lang=ar").text

    assert '<html lang="ar" dir="rtl">' in page
    assert page.count('<article class="teaser">') == 1
    assert '<article class="teaser" lang="fr" dir="ltr">' in page


def test_an_unknown_language_and_hostile_words_are_taken_as_they_can_be(app: Flask) -> None:
    app.extensions["search"] = lambda query, address: {"items": [], "next": None}

    page = app.test_client().get("/search?lang=xx&q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text

    assert '<html lang="fr"' in page
    assert "<script>alert" not in page
    assert "Aucun article" in page
