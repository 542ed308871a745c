"""The newsroom file: what it decides about addresses, and how a broken one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.newsroom import RESERVED_SEGMENTS, NewsroomFileError, load_newsroom

WHOLE = """
name = "Le Fanal"
time_zone = "Europe/Paris"
languages = ["fr", "en"]
{more}
[[sections]]
key = "ports"
names = {{ fr = "Ports", en = "Harbours" }}
"""


def a_file(folder: Path, text: str) -> Path:
    file = folder / "newsroom.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(folder: Path, text: str) -> str:
    with pytest.raises(NewsroomFileError) as caught:
        load_newsroom(a_file(folder, text))
    assert str(caught.value).count(str(folder / "newsroom.toml")) == len(caught.value.faults)
    return str(caught.value)


def test_the_demo_newspaper_is_the_default_and_complete() -> None:
    newsroom = load_newsroom()
    assert newsroom.languages == ("fr", "en", "ar")
    assert [section.key for section in newsroom.sections] == [
        "international",
        "politique",
        "economie",
        "societe",
        "culture",
        "sport",
        "sciences",
        "opinions",
    ]
    for section in newsroom.sections:
        assert set(section.names) == {"fr", "en", "ar"}
    assert newsroom.base_url == "http://127.0.0.1:8000"
    assert newsroom.name_in("ar") != newsroom.name_in("fr") == newsroom.name


def test_the_default_language_is_at_the_root_and_others_below_their_own_name() -> None:
    newsroom = load_newsroom(base_url="https://a.example/")
    assert newsroom.front_path("fr") == "/"
    assert newsroom.front_path("en") == "/en/"
    assert newsroom.section_path("fr", "politique") == "/politique/"
    assert newsroom.section_path("ar", "politique") == "/ar/politique/"
    assert newsroom.article_path("fr", "sport", "un-match") == "/sport/un-match"
    assert newsroom.article_path("en", "sport", "a-match") == "/en/sport/a-match"
    assert newsroom.url("/en/sport/a-match") == "https://a.example/en/sport/a-match"
    assert newsroom.id_domain == "a.example"


def test_a_text_belongs_to_the_edition_of_its_main_language() -> None:
    newsroom = load_newsroom()
    assert [newsroom.edition(tag) for tag in ("fr-CA", "en", "AR", "ar-TN", "de")] == ["fr", "en", "ar", "ar", "fr"]
    assert newsroom.article_path("fr-CA", "sport", "x") == "/sport/x"
    assert newsroom.section_name("ar-TN", "sport") == "رياضة"
    assert (newsroom.direction("ar-TN"), newsroom.direction("fr")) == ("rtl", "ltr")
    with pytest.raises(KeyError):
        newsroom.section_name("fr", "meteo")


def test_a_newsroom_may_choose_its_addresses(tmp_path: Path) -> None:
    more = (
        'article_pattern = "/{section}/lire/{slug}.html"\n'
        'base_url = "https://fanal.example:8443"\n'
        'id_domain = "old.example"'
    )
    file = a_file(tmp_path, WHOLE.format(more=more))
    newsroom = load_newsroom(file)
    assert newsroom.article_path("en", "ports", "s") == "/en/ports/lire/s.html"
    assert newsroom.base_url == "https://fanal.example:8443"
    assert newsroom.id_domain == "old.example"
    assert load_newsroom(file, "http://x.example").base_url == "http://x.example"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("colour = 'red'", "colour: is not known"),
        ("article_pattern = '/{section}/'", "article_pattern: should be a path that holds {slug} once"),
        ("article_pattern = '{slug}'", "article_pattern: should be a path"),
        ("article_pattern = '/{slug}/{slug}'", "article_pattern: should be a path"),
        ("article_pattern = '/{year}/{slug}'", "article_pattern: should be a path"),
        ("article_pattern = '/{slug}/'", "article_pattern: should be a path"),
        ("base_url = 'example.org'", "base_url: should be an address without a path"),
        ("base_url = 'https://example.org/news'", "base_url: should be an address without a path"),
        ("base_url = 'https://example.org:port'", "base_url: should be an address without a path"),
        ("base_url = 'javascript:alert(1)'", "base_url: should be"),
        ("ai_opt_out = 'yes'", "ai_opt_out: should be true or false"),
        ("newsletter_sender = 'nobody'", "newsletter_sender: should be an address"),
        ("id_domain = 'a b'", "id_domain: should be a domain name"),
        ("tagline = 'x'", "tagline: should be a table of texts by language"),
        ("tagline = { de = 'x' }", "tagline.de: should be one of the languages fr, en"),
        ("names = { fr = 3 }", "names.fr: should be a text"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_what_it_should_be(tmp_path: Path, more: str, said: str) -> None:
    assert said in refused(tmp_path, WHOLE.format(more=more))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Le Fanal"', "", "name: should be a text of 1 to 200 characters"),
        ('"Le Fanal"', '"Le\\nFanal"', "name: should be a text"),
        ("Europe/Paris", "Europe/Atlantis", "time_zone: should be a zone of the IANA database"),
        ("Europe/Paris", "../../etc", "time_zone: should be a zone of the IANA database"),
        ('["fr", "en"]', "[]", "languages: should be a list of languages"),
        ('["fr", "en"]', '["fr_FR", "en"]', '"fr_FR" is not a language code'),
        ('["fr", "en"]', '["fr", "en", "fr"]', "languages: should name each language once"),
        ('["fr", "en"]', '["fr", "en", "ar"]', "sections[1].names.ar: should be there"),
        ("[[sections]]", "[[rubriques]]", "sections: should be one or more [[sections]] tables"),
        ('"ports"', '"Les ports"', "sections[1].key: should be small letters"),
        ('"ports"', '"assets"', 'sections[1].key: should not be "assets"'),
        ('"ports"', '"en"', 'sections[1].key: should not be "en"'),
        ('en = "Harbours"', 'en = ""', "sections[1].names.en: should be a text"),
        ('key = "ports"', 'key = "ports"\ncolour = "red"', "sections[1].colour: is not known"),
        ("[[sections]]", "[[sections", "should be TOML"),
    ],
)
def test_every_part_of_the_file_is_checked(tmp_path: Path, old: str, new: str, said: str) -> None:
    whole = WHOLE.format(more="")
    assert old in whole
    assert said in refused(tmp_path, whole.replace(old, new))


def test_two_sections_cannot_share_an_address(tmp_path: Path) -> None:
    twice = WHOLE.format(more="") + '[[sections]]\nkey = "ports"\nnames = { fr = "a", en = "b" }\n'
    assert 'sections[2].key: should not be "ports" again' in refused(tmp_path, twice)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = refused(tmp_path, 'name = ""\ntime_zone = "x"\nlanguages = "fr"\nsections = 3\n')
    assert [line.split(": ")[1] for line in text.splitlines()] == ["languages", "name", "time_zone", "sections"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(NewsroomFileError, match=r"missing\.toml: cannot be read"):
        load_newsroom(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(NewsroomFileError, match=r"latin\.toml: should be UTF-8"):
        load_newsroom(tmp_path / "latin.toml")


def test_a_wrong_address_from_the_environment_is_named_as_such() -> None:
    with pytest.raises(NewsroomFileError, match="ROTATIVE_BASE_URL"):
        load_newsroom(base_url="ftp://example.org")


def test_no_section_can_hide_a_path_of_the_system() -> None:
    assert {"v1", "assets", "media", "search", "docs", "healthz", "feed.xml"} <= RESERVED_SEGMENTS
