"""French spaces: where they go, where they must not, and that setting them twice changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publish.renderers.typography import (
    THIN,
    arabic_html,
    arabic_text,
    english_html,
    english_text,
    french_html,
    french_text,
    style_of,
)


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
        ("12% de 3€, 100%; 5%25 et 3,5 %", "12_% de 3_€, 100_%_; 5%25 et 3,5_%"),
        ("« Il a dit « non » hier ! », « quoi ? »", "«_Il a dit «_non_» hier_!_», «_quoi_?_»"),
        ("de 9h à 11h30, 1:0, aujourd'hui, 'n' et d'1 an", "de 9h à 11h30, 1:0, aujourd’hui, 'n' et d’1 an"),
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
            "<p><em>Vraiment</em> ? <b>Oui</b>! l'<mark>eau</mark>; <i>d'</i>or",
            "<p><em>Vraiment</em>_? <b>Oui</b>_! l’<mark>eau</mark>_; <i>d’</i>or",
        ),
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


def test_each_language_is_set_by_its_own_rules() -> None:
    styles = [style_of(language) for language in ("fr", "fr-BE", "fro", "en", "en-GB", "ar-TN", "enm")]
    assert styles == ["fr", "fr", "", "en", "en", "ar", ""]


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ('"We don\'t know," she said, "yet."', "“We don’t know,” she said, “yet.”"),
        ("He is 5' 10\" tall", "He is 5' 10\" tall"),
        ("the sailors' bar, '90s rock 'n' roll", "the sailors' bar, '90s rock 'n' roll"),
        ('see https://a.example/?q="x" "there"', 'see https://a.example/?q="x" “there”'),
        ("“Already” set, it’s", "“Already” set, it’s"),
    ],
)
def test_english_quotation_marks_are_curly_in_pairs(typed: str, set_: str) -> None:
    assert english_text(typed) == set_
    assert english_text(set_) == set_


def test_english_markup_and_code_keep_their_marks_and_each_block_has_its_own_pairs() -> None:
    typed = (
        '<p>"<em>Yes</em>," he said.</p>\n<p>"It goes on</p><p>"and ends."</p>'
        '<p><a href="/a\'b" title="x">"link"</a> <code>"c" don\'t</code></p>'
    )
    assert english_html(typed) == (
        '<p>“<em>Yes</em>,” he said.</p>\n<p>"It goes on</p><p>“and ends.”</p>'
        '<p><a href="/a\'b" title="x">“link”</a> <code>"c" don\'t</code></p>'
    )


def test_a_number_of_groups_stays_one_in_arabic() -> None:
    assert arabic_text("ورقم 12 000 و3,5 %") == "ورقم 12\u00a0000 و3,5 %"
    assert arabic_text("06 12 34 56 78، 2026 300") == "06 12 34 56 78، 2026 300"
    assert arabic_html('<a href="/1 000">1 234 567</a> <code>1 000</code>') == (
        '<a href="/1 000">1\u00a0234\u00a0567</a> <code>1 000</code>'
    )
    assert arabic_html(arabic_html("12 000")) == "12\u00a0000"


@given(st.text(alphabet=st.sampled_from("abe \n“”’\"'/&<>p1.,"), max_size=40))
def test_setting_english_twice_changes_nothing(text: str) -> None:
    for set_ in (english_text, english_html):
        assert set_(set_(text)) == set_(text)
