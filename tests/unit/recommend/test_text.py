"""What is read out of a text: stems, names, and how much each counts by its place."""

from __future__ import annotations

import pytest

from services.recommend.index.text import READ_UNIT, plain_text, terms


def test_french_elisions_are_no_part_of_a_word() -> None:
    found = terms("fr", "L'accord d’Orvane", "Qu'il s'agisse de l'eau ou d'énergie.")

    assert {"accord", "eau", "énerg"} <= set(found.stems)
    assert "orvane" in found.names
    assert not {"l", "d", "qu", "s"} & set(found.stems)


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("fr", "Hier, Charles de Gaulle a parlé", "charles gaulle"),
        ("fr", "Hier, Jean-Luc Martin a parlé", "jean luc martin"),
        ("fr", "La présidente Ursula von der Leyen a parlé", "ursula leyen"),
        ("es", "Ayer habló José de la Torre en la plaza", "jose torre"),
        ("en", "The mayor, Mary Ann Lee, spoke", "mary ann lee"),
        ("de", "Gestern sprach Otto von Hagen im Hafen", "otto hagen"),
    ],
)
def test_compound_names_are_one_name(language: str, text: str, name: str) -> None:
    assert name in terms(language, "Nouvelle", text).names


def test_names_whose_capitals_lost_their_accents_are_the_same() -> None:
    with_accents = terms("fr", "Nouvelle", "Hier à l'Élysée, puis avec l'État.").names
    without = terms("fr", "Nouvelle", "Hier à l'ELYSEE, puis avec l'Etat.").names

    assert {"elysee", "etat"} <= set(with_accents) & set(without)


def test_a_capital_that_only_opens_a_sentence_is_no_name() -> None:
    assert terms("fr", "nouvelle", "Marché ouvert hier. Pluie annoncée.").names == {}


def test_arabic_is_unified_and_pairs_of_words_stand_for_names() -> None:
    one = terms("ar", "", "أَكَّدَ الرئيس في المدرسةِ الجديدة")
    other = terms("ar", "", "اكد الرئيس في المدرسه الجديده")

    assert one.stems == other.stems
    assert one.names == other.names
    assert one.names


def test_other_languages_are_read_as_words_and_runs_of_letters() -> None:
    found = terms("pl", "Most", "mosty zamknięte")

    assert {"most", "mosty", "zamknięte"} <= set(found.stems)
    assert "most" in found.names
    assert "東京" in terms("ja", "", "東京都").stems


def test_the_opening_of_an_article_counts_for_more() -> None:
    text = " ".join(["pont", *(f"mot{number}" for number in range(150)), "tunnel"])
    stems = terms("fr", "", text).stems

    assert stems["pont"] > 8 * READ_UNIT
    assert stems["tunnel"] == READ_UNIT


def test_markup_is_no_text() -> None:
    assert plain_text("<p>Le <em>pont</em> &amp; le port</p><p>Fin</p>").split() == [
        "Le",
        "pont",
        "&",
        "le",
        "port",
        "Fin",
    ]
