"""Timelines in plain words."""

from __future__ import annotations

from string import Formatter

import pytest

from services.ingest.domain import journey


def test_a_step_is_a_sentence_made_of_what_its_detail_has() -> None:
    assert journey.sentence("killed", {"by": "desk", "reason": "faux"}) == "It was killed by desk: faux."
    assert journey.sentence("killed", {"by": "desk"}) == "It was killed by desk."
    assert journey.sentence("page_written", {}) == "Its page was written."


def test_an_unknown_step_goes_by_its_name() -> None:
    assert journey.sentence("printed_on_paper", {"x": 1}) == "Printed on paper."


def test_a_detail_with_braces_is_only_text() -> None:
    assert journey.sentence("killed", {"reason": "{by.__class__}"}) == "It was killed: {by.__class__}."


def test_the_same_fact_has_the_same_mark_and_others_another() -> None:
    mark = journey.mark("delivered", 3, {"a": 1, "b": None})

    assert mark == journey.mark("delivered", 3, {"b": None, "a": 1})
    assert mark != journey.mark("delivered", 4, {"a": 1, "b": None})
    assert len(mark) == 16


def test_every_step_is_told_in_every_language_with_the_same_details() -> None:
    def names(parts: tuple[str, ...]) -> set[str]:
        return {name for part in parts for _, name, _, _ in Formatter().parse(part) if name}

    english = journey.SENTENCES["en"]
    for language, sentences in journey.SENTENCES.items():
        assert sentences.keys() == english.keys()
        for step, parts in sentences.items():
            assert names(parts) == names(english[step]), (language, step)
    assert journey.sentence("killed", {"by": "desk"}, "fr") == "Il a été supprimé par desk."
    assert journey.sentence("restored", {"by": "desk", "revision": 2}, "ar") == "استُعيدت مراجعته 2 من قِبل desk."


@pytest.mark.parametrize(
    ("language", "count", "says"),
    [
        ("en", 0, "It was announced: 0 deliveries."),
        ("en", 1, "It was announced: 1 delivery."),
        ("fr", 0, "Il a été annoncé : 0 envoi."),
        ("fr", 1, "Il a été annoncé : 1 envoi."),
        ("fr", 2, "Il a été annoncé : 2 envois."),
        ("ar", 2, "أُعلن عنه، عدد الإرسالات: 2."),
    ],
)
def test_a_number_has_the_noun_that_fits_it(language: str, count: int, says: str) -> None:
    assert journey.sentence("announced", {"deliveries": count}, language) == says


def test_why_a_delivery_had_no_answer_is_said_in_every_language() -> None:
    reasons = journey._REASONS
    assert reasons["en"].keys() == reasons["fr"].keys() == reasons["ar"].keys()
    for why in reasons["en"]:
        detail = {"channel": "webhook", "count": 1, "status": None, "why": why, "next_try": None}
        said = {language: journey.sentence("delivery_failed", detail, language) for language in ("en", "fr", "ar")}
        assert all(reasons[language][why] in said[language] for language in said)
        assert why not in said["fr"]
    detail = {"channel": "webhook", "count": 2, "status": None, "why": "closed", "next_try": None}
    assert journey.sentence("delivery_failed", detail, "fr") == (
        "Un envoi a échoué par webhook à 2 abonnés : connexion refusée."
    )
