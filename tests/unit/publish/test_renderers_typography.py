"""French spaces: where they go, where they must not, and that setting them twice changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publish.renderers.typography import THIN, applies_to, french_html, french_text


def shown(text: str) -> str:
    return text.replace(THIN, "_")


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("Pourquoi ?", "Pourquoi_?"),
        ("Pourquoi?", "Pourquoi_?"),
        ("Quoi?!", "Quoi_?!"),
        ("Eau : le prix monte ; pourquoi ?", "Eau_: le prix monte_; pourquoi_?"),
        ("« Oui », dit-il", "«_Oui_», dit-il"),
        ("«Oui»", "«_Oui_»"),
        ("« Ah ! »", "«_Ah_!_»"),
        ("« »", "«_»"),
        ("un\u00a0fait\u00a0: 12\u00a0%", "un\u00a0fait_: 12_%"),
        ("de 11:05 à 12:30", "de 11:05 à 12:30"),
        ("(?) et (!)", "(?) et (!)"),
        ("voir https://a.example/?q=1;r=2 : là", "voir https://a.example/?q=1;r=2_: là"),
        ("ratio 3:2, clé:valeur", "ratio 3:2, clé:valeur"),
        ("12 000 habitants, 1 234 567 €, 4 000 %", "12_000 habitants, 1_234_567_€, 4_000_%"),
        ("à 11 h 05, vers 9 h, de 8 h à 10 h 30 !", "à 11_h_05, vers 9_h, de 8_h à 10_h_30_!"),
        ("en 2026 300 élèves, le 06 12 34 56 78, 3 4000", "en 2026 300 élèves, le 06 12 34 56 78, 3 4000"),
        ("le 1er mai, au XXe siècle", "le 1er mai, au XXe siècle"),
        ("à bord de l'« Aube »", "à bord de l’«_Aube_»"),
        ("", ""),
        ("?", "?"),
    ],
)
def test_french_text_gets_thin_no_break_spaces(typed: str, set_: str) -> None:
    assert shown(french_text(typed)) == set_


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("<p>Il dit: <em>oui</em>: «&nbsp;non&nbsp;»</p>", "<p>Il dit_: <em>oui</em>_: «_non_»</p>"),
        ("<p>Recherche &amp; développement; R&amp;D</p>", "<p>Recherche &amp; développement_; R&amp;D</p>"),
        ('<a href="/a?b=1 ; c">lien !</a>', '<a href="/a?b=1 ; c">lien_!</a>'),
        ('<p title="a > b : c ?">x ?</p>', '<p title="a > b : c ?">x_?</p>'),
        (
            "<code>a ? b : c</code> ou <pre>x ; y\n<b>z ;</b></pre>",
            "<code>a ? b : c</code> ou <pre>x ; y\n<b>z ;</b></pre>",
        ),
        ("<p>1 &lt; 2 ?</p>", "<p>1 &lt; 2_?</p>"),
        (
            "<p>Le 1er, la 1re, au XXe, la Ve, le 21e, les 2es : François Ier</p>",
            "<p>Le 1<sup>er</sup>, la 1<sup>re</sup>, au XX<sup>e</sup>, la V<sup>e</sup>, le 21<sup>e</sup>, "
            "les 2<sup>es</sup>_: François I<sup>er</sup></p>",
        ),
        (
            "<p>Ce, Le, Vers, Xérès, 1e, A4e, 3euros, 1ers</p>",
            "<p>Ce, Le, Vers, Xérès, 1e, A4e, 3euros, 1<sup>ers</sup></p>",
        ),
        ('<p title="au XXe">12 000</p><code>12 000 XXe</code>', '<p title="au XXe">12_000</p><code>12 000 XXe</code>'),
    ],
)
def test_markup_code_addresses_and_references_stay_as_they_are(typed: str, set_: str) -> None:
    assert shown(french_html(typed)) == set_


@given(st.text(alphabet=st.sampled_from("abe1230hXVIr \u00a0\u202f\n«»;:!?%().,…'\"/&<>é"), max_size=40))
def test_setting_spaces_twice_changes_nothing(text: str) -> None:
    once = french_text(text)
    assert french_text(once) == once
    html = french_html(text)
    assert french_html(html) == html


@given(st.text(max_size=60))
def test_only_blanks_and_apostrophes_change(text: str) -> None:
    assert "".join(french_text(text).split()).replace("’", "'") == "".join(text.split()).replace("’", "'")


def test_an_apostrophe_inside_a_word_is_a_typographic_one_and_markup_keeps_its_own() -> None:
    assert french_text("L'eau d'Orvane, 'dit-on'") == "L’eau d’Orvane, 'dit-on'"
    assert french_html("<a title='l&apos;eau'>l'eau</a> <code>a'b</code>") == (
        "<a title='l&apos;eau'>l’eau</a> <code>a'b</code>"
    )


def test_only_french_is_set_the_french_way() -> None:
    assert applies_to("fr")
    assert applies_to("fr-BE")
    assert not applies_to("fro")
    assert not applies_to("en")
