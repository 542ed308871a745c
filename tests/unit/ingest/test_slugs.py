"""Addresses from headlines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.slugs import SLUG, SLUG_MAX, first_free, numbered, slug_from


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("L’OTAN à l’œuvre : « très » cher, 50 % de hausse", "l-otan-a-l-oeuvre-tres-cher-50-de-hausse"),
        ("Ça y est, l'été arrive !", "ca-y-est-l-ete-arrive"),
        ("الحرب في غزة: مجلس الأمن يصوّت على قرار", "alhrb-fy-ghza-mjls-alamn-yswt-ala-qrar"),
        ("كِتَابٌ جـديد", "ktab-jdyd"),
        ("Straße", "strasse"),
        ("北京", "beijing"),
        ("!!!", "article"),
        ("\u202e../../etc/passwd\u202c", "etc-passwd"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
    ],
)
def test_a_headline_gives_a_readable_address(headline: str, slug: str) -> None:
    assert slug_from(headline) == slug


def test_a_long_headline_is_cut_at_a_word() -> None:
    slug = slug_from("Le gouvernement présente son projet de budget " * 4)

    assert len(slug) <= SLUG_MAX
    assert slug == "le-gouvernement-presente-son-projet-de-budget-le-gouvernement-presente-son"


def test_a_single_endless_word_is_cut_inside() -> None:
    assert slug_from("a" * 300) == "a" * SLUG_MAX


@given(st.text(max_size=250))
def test_any_headline_gives_a_slug_that_an_address_may_hold(headline: str) -> None:
    slug = slug_from(headline)

    assert SLUG.fullmatch(slug)
    assert len(slug) <= SLUG_MAX
    assert SLUG.fullmatch(numbered(slug, 12_345))
    assert len(numbered(slug, 12_345)) <= SLUG_MAX


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 17, 9_999])
def test_the_first_free_number_is_found_in_few_questions(taken: int) -> None:
    asked = []

    def is_taken(number: int) -> bool:
        asked.append(number)
        return number <= taken

    assert first_free(is_taken, 2) == max(2, taken + 1)
    assert len(asked) <= 30


def test_with_gaps_any_free_number_will_do() -> None:
    taken = {2, 3, 5, 9}

    assert first_free(taken.__contains__, 2) not in taken
