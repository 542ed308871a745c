"""What a text may hold and how long it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.texts import BadText, check_length, clean_block, clean_line, length_for_people


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("école", 5),
        ("e\u0301cole", 5),
        ("كِتَابٌ", 4),
        ("👨\u200d👩\u200d👧", 1),
        ("👍🏽", 1),
        ("🇫🇷🇪🇺", 2),
        ("\u200b", 0),
        ("", 0),
    ],
)
def test_length_is_what_people_count(text: str, length: int) -> None:
    assert length_for_people(text) == length


@pytest.mark.parametrize("bad", ["a\x00b", "a\x07b", "a\x85b", "a\ud800b", "a\uffffb", "a\x1bb"])
def test_what_is_no_text_is_refused_in_lines_and_blocks(bad: str) -> None:
    with pytest.raises(BadText) as line:
        clean_line(bad)
    with pytest.raises(BadText):
        clean_block(bad)

    assert line.value.code == "control-character"
    assert "character 2" in str(line.value)


def test_a_line_is_composed_and_its_blanks_are_single_but_french_spaces_stay() -> None:
    assert clean_line("  L'e\u0301te\u0301 \n\t arrive\u202f! \ufeff") == "L'été arrive\u202f!"


def test_overrides_of_direction_are_taken_out_and_arabic_stays_as_it_is() -> None:
    assert clean_line("\u202eevil\u202c مرحبا") == "evil مرحبا"


def test_marks_without_end_are_too_long_though_people_count_one_character() -> None:
    with pytest.raises(BadText, match="marks"):
        check_length("e" + "\u0317" * 5000, most=200)


@given(st.text(max_size=60))
def test_a_clean_line_is_already_clean(text: str) -> None:
    try:
        once = clean_line(text)
    except BadText:
        return
    assert clean_line(once) == once
    assert "\n" not in once
