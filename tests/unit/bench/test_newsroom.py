"""A newsroom with the languages of the articles."""

from __future__ import annotations

from pathlib import Path

from bench import newsroom
from services.publish.renderers.theme import load_theme
from shared.newsroom import load_newsroom


def test_nothing_is_changed_when_the_default_newsroom_has_every_language(tmp_path: Path):
    assert newsroom.environment_for(["fr", "ar"], tmp_path / "made") == {}
    assert not (tmp_path / "made").exists()


def test_languages_that_it_does_not_have_are_added_with_their_sections_and_labels(tmp_path: Path):
    variables = newsroom.environment_for(["fr", "es", "de"], tmp_path)

    made = load_newsroom(Path(variables["ROTATIVE_NEWSROOM"]))
    assert made.languages == ("fr", "en", "ar", "es", "de")
    assert made.section_name("es", "sport") == made.section_name("en", "sport")
    assert load_theme([Path(variables["ROTATIVE_THEME"])], made.languages).labels["de"].locale == "de"
