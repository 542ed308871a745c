"""What is put into sentences of other languages: names that the API uses are said with what they mean."""

from __future__ import annotations

import pytest

from services.ingest.domain.states import Move, Role, Status
from shared.words import _terms, translated

_REFUSED = "An article that is live cannot take the move cancel; it can take: correct, kill."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("en ligne (live)", "annuler la programmation (cancel)", "corriger (correct), supprimer (kill)")),
        ("ar", ("منشور (live)", "إلغاء الجدولة (cancel)", "تصحيح (correct)، حذف (kill)")),
    ],
)
def test_states_and_moves_are_said_in_the_language_of_the_reader(language: str, said: tuple[str, ...]) -> None:
    found = translated(_REFUSED, language)
    assert all(one in found for one in said), found


def test_english_stays_as_the_code_says_it() -> None:
    assert translated(_REFUSED, "en") == _REFUSED


def test_every_state_move_and_role_has_its_words() -> None:
    people = {*Status, *Move, *Role} - {Role.CLOCK}
    assert {str(one) for one in people} <= _terms().keys()
