"""How texts and queries are read for search, and what is shown of a hit."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.recommend import domain
from services.recommend.search.excerpts import excerpt
from services.recommend.search.queries import Part, as_fts5, as_tsquery, as_tsvector, parse
from services.recommend.search.words import searched, words
from shared.errors import TooManyRequests
from shared.pace import Pace, address_of


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("fr", "L'ÉCOLE", "l’école"),
        ("fr", "cœurs", "coeur"),
        ("fr", "e\u0301lections", "élection"),
        ("ar", "الأَخْبَار", "الاخبار"),
        ("ar", "مدرســة", "مدرسه"),
        ("ar", "٢٠٢٦", "2026"),
        ("de", "Straßen", "STRASSE"),
        ("es", "elección", "ELECCIONES"),
        ("tr", "Işık", "ışık"),
    ],
)
def test_case_accents_and_endings_do_not_matter(language: str, one: str, other: str) -> None:
    assert searched(language, one) == searched(language, other)


def test_scripts_without_spaces_are_found_by_any_part() -> None:
    assert words("東京都") == ["東京", "京都"]
    assert parse("京都", None).parts[0].wanted[0] == (("京都",),)


def test_quotes_minus_and_hyphens_are_understood() -> None:
    (query,) = parse('ferry "pont du port" -grève -"rive nord" porte-avions', "fr").parts

    assert [way[0] for way in query.wanted] == [("ferry",), ("pont", "du", "port"), ("port", "avion")]
    assert [way[0] for way in query.unwanted] == [("grev",), ("riv", "nord")]


def test_words_that_say_nothing_are_left_out_unless_they_are_all_there_is() -> None:
    assert [way[0] for way in parse("le pont de l'Alma", "fr").parts[0].wanted] == [("pont",), ("alma",)]
    assert [way[0] for way in parse("il est là", "fr").parts[0].wanted] == [("il",), ("est",), ("la",)]


def test_without_a_language_a_word_is_looked_for_as_each_language_would_stem_it() -> None:
    query = parse("nations", None)

    assert query.marks("fr-CA") == {"nation"}
    assert query.marks("it") == {"nations"}
    (french,) = (part for part in query.parts if "fr" in part.languages)
    assert french.wanted == ((("nation",),),)
    assert parse("pont", None).parts == (Part(((("pont",),),)),)


def test_the_stems_of_one_language_do_not_find_articles_of_another() -> None:
    """German reads "oe" as "ö": by its stems the French "œuvre" would be "ouvre"."""
    query = parse("œuvre", None)

    assert query.marks("fr").isdisjoint(parse("ouvre", "fr").marks("fr"))


@pytest.mark.parametrize("nothing", ["", "   ", "!!! ???", '"', "-", '-""', "-pont", "\x00"])
def test_what_asks_for_no_word_finds_nothing(nothing: str) -> None:
    assert parse(nothing, None).parts == ()


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60), language=st.sampled_from(["fr", "ar", "xx", None]))
@example(text="⑴ ﷺ ㈱会社", language="ar")
def test_whatever_is_typed_becomes_a_query_of_bare_words(text: str, language: str | None) -> None:
    query = parse(text, language)
    for part in query.parts:
        for term in (*part.wanted, *part.unwanted):
            for way in term:
                assert not any(sign in stem for stem in way for sign in "'\"\\ ():*^&|!<>\x00")
    if query.parts:
        assert as_fts5(query, ["lfr"], in_headline=False)
        assert as_tsquery(query, ["lfr"], in_headline=True)


def test_no_phrase_reaches_from_the_headline_into_the_text() -> None:
    assert as_tsvector(["pont"], ["port", "pont"], ["lfr"]) == "'pont':1A,12 'port':11 '=lfr'"


def test_an_excerpt_shows_what_was_asked_for_and_nothing_of_the_markup() -> None:
    text = "Un début sans rapport. " * 30 + "La mairie a rouvert le pont <du port> après l'École. " + "Une fin. " * 60

    shown = excerpt("fr", text, parse("ecoles pont", "fr").marks("fr"))

    assert "le <mark>pont</mark> &lt;du port&gt; après l&#x27;<mark>École</mark>" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 360


def test_an_excerpt_of_a_hit_in_the_headline_is_the_beginning() -> None:
    assert excerpt("fr", "Le premier mot.\nLe second & le reste.", frozenset({"absent"})) == (
        "Le premier mot. Le second &amp; le reste."
    )


def test_a_cursor_comes_back_as_it_was_and_nonsense_is_none() -> None:
    for number in (0, 1, -5, (1 << 63) - 1):
        for in_headline in (True, False):
            assert domain.after_cursor(domain.cursor(in_headline, number)) == (in_headline, number)
    assert domain.after_cursor("hxyz") is None
    assert domain.after_cursor("tffffffffffffffff") is None


@pytest.mark.parametrize("nonsense", ["", "hier", "2026-13-01", "0001-01-01T00:00:00+23:59", "9" * 400])
def test_a_day_that_is_none_is_passed_over(nonsense: str) -> None:
    assert domain.day_or_instant(nonsense) is None


def test_an_address_that_asks_too_often_waits_and_others_do_not() -> None:
    now = [100.0]
    pace = Pace(per_second=2, burst=3, clock=lambda: now[0])
    for _ in range(3):
        pace.take("one")
    with pytest.raises(TooManyRequests):
        pace.take("one")
    pace.take("another")

    now[0] += 0.5

    pace.take("one")


class Asked:
    def __init__(self, peer: str, forwarded: str = "") -> None:
        self.remote_addr = peer
        self.headers = {"X-Forwarded-For": forwarded} if forwarded else {}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("8.8.8.8", "198.51.100.1", "8.8.8.8"),
        ("2001:4860:4860::8888", "", "2001:4860:4860::/64"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
    ],
)
def test_a_forwarded_address_counts_only_from_a_private_network(peer: str, forwarded: str, address: str) -> None:
    assert address_of(Asked(peer, forwarded)) == address  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        # A reader, the cache of others in front of us, and our gateway.
        ("10.0.0.2", "93.184.216.34, 203.0.114.7", "93.184.216.34"),
        ("203.0.114.7", "93.184.216.34", "93.184.216.34"),
        # What a reader wrote himself counts for nothing, whether he came by the cache or past it.
        ("10.0.0.2", "1.1.1.1, 93.184.216.34, 203.0.114.7", "93.184.216.34"),
        ("10.0.0.2", "1.1.1.1, 93.184.216.34", "93.184.216.34"),
        ("93.184.216.34", "1.1.1.1", "93.184.216.34"),
        # One of our own network is not stepped over.
        ("127.0.0.1", "1.1.1.1, 10.0.0.9", "10.0.0.9"),
        ("10.0.0.2", "nonsense, 203.0.114.7", "203.0.114.7"),
        ("10.0.0.2", "2001:4860:4860::/64, 203.0.114.7", "2001:4860:4860::/64"),
    ],
)
def test_the_proxies_of_the_settings_are_stepped_over(peer: str, forwarded: str, address: str) -> None:
    proxies = [ipaddress.ip_network("203.0.114.0/24")]
    assert address_of(Asked(peer, forwarded), proxies) == address  # type: ignore[arg-type]
