"""Themes: complete in every language, overridable file by file, and refused with a reason."""

from __future__ import annotations

import io
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from services.publish.renderers import Renderer, ThemeError
from services.publish.renderers.theme import DEFAULT_THEME, Labels, load_theme
from services.publish.views import teaser_of
from shared.newsroom import load_newsroom
from tests.factories import public_article


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_every_language_has_every_label_of_its_own(language: str) -> None:
    labels = load_theme([], ["fr", "en", "ar"]).labels
    for field in fields(Labels):
        assert getattr(labels[language], field.name).strip() or field.name == "and_", field.name
    others = {other for other in labels if other != language}
    for name in ("related", "published", "updated", "skip", "gone_title", "not_found_text", "latest", "home"):
        assert getattr(labels[language], name) not in {getattr(labels[other], name) for other in others}, name


def test_an_edition_without_labels_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match=r"labels/de\.toml: should also have .*skip"):
        load_theme([], ["fr", "de"])
    write(tmp_path, "labels/de.toml", 'skip = "Zum Inhalt"\nlocale = "de"')
    with pytest.raises(ThemeError, match=r"labels/de\.toml: should also have .*and, .*updated"):
        load_theme([tmp_path], ["fr", "de"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels/fr.toml", 'titre = "x"', "titre: is not known"),
        ("labels/fr.toml", "skip = 3", "skip: should be a text"),
        ("labels/fr.toml", "skip =", "should be TOML"),
        ("labels/fr.toml", 'locale = "klingon!"', "locale: should be a locale"),
        ("templates/footer.html", "{% if %}", "templates/footer.html"),
    ],
)
def test_a_broken_theme_is_refused_with_its_file_and_reason(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(ThemeError, match=re.escape(said)):
        load_theme([write(tmp_path, name, text)], ["fr"])


def test_a_theme_folder_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match="nowhere: should be a folder"):
        load_theme([tmp_path / "nowhere"], ["fr"])


def test_a_newsroom_replaces_single_templates_labels_and_static_files(tmp_path: Path) -> None:
    write(tmp_path, "templates/footer.html", "<footer>Imprimé à {{ edition.name }}</footer>")
    write(tmp_path, "labels/fr.toml", 'related = "Dans le même sillage"')
    write(tmp_path, "static/brand.css", ":root { --accent: rebeccapurple; }")
    write(tmp_path, "static/logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    newsroom = load_newsroom()
    plain, own = Renderer(newsroom), Renderer(newsroom, [tmp_path])
    page = own.article_page(public_article(), [teaser_of(public_article(slug="b"))]).decode()
    assert "<footer>Imprimé à Les Deux Rives</footer>" in page
    assert "Dans le même sillage" in page
    assert 'class="masthead"' in page
    (style,) = [path for path in own.installed_files() if path.endswith(".css")]
    assert style in page
    assert own.installed_files()[style].endswith(b":root { --accent: rebeccapurple; }")
    assert style not in plain.installed_files()
    assert any(re.fullmatch(r"/assets/logo\.[0-9a-f]{12}\.svg", path) for path in own.installed_files())
    assert own.version != plain.version


def test_the_version_changes_with_the_newsroom_and_stays_without_cause() -> None:
    assert Renderer(load_newsroom()).version == Renderer(load_newsroom()).version
    assert Renderer(load_newsroom()).version != Renderer(load_newsroom(base_url="https://b.example")).version


def test_the_style_sheet_is_small_asks_for_nothing_and_names_no_side() -> None:
    style = (DEFAULT_THEME / "static" / "style.css").read_text(encoding="utf-8")
    assert len(style.encode()) <= 30_000
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(
        r"(margin|padding|border)-(left|right)|text-align: (left|right)|float:|[ {;](left|right):", style
    )
    assert style.count("{") == style.count("}")
    for feature in ("prefers-color-scheme: dark", "prefers-reduced-motion", "@media print", ":focus-visible"):
        assert feature in style


def test_colours_have_enough_contrast_on_paper_and_tint_by_day_and_by_night() -> None:
    style = (DEFAULT_THEME / "static" / "style.css").read_text(encoding="utf-8")
    day = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style.partition("@media")[0]))
    night = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style.partition("@media")[2].partition("\n}")[0]))
    for name, colours in (("day", day), ("night", night)):
        for ink in ("ink", "soft", "link", "accent"):
            for paper in ("paper", "tint"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (name, ink, paper)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2 between two colours like "#16191d"."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_robots_are_told_what_the_newspaper_decided() -> None:
    newsroom = load_newsroom(base_url="https://rives.example")
    renderer = Renderer(newsroom)
    files = renderer.installed_files()
    text = files["/robots.txt"].decode()
    assert "User-agent: GPTBot\n" in text
    assert "\nSitemap: https://rives.example/sitemap.xml\n" in text
    assert text.endswith("\nSitemap: https://rives.example/sitemaps/news-ar.xml\n")
    assert json.loads(files["/.well-known/tdmrep.json"]) == [{"location": "/*", "tdm-reservation": 1}]
    object.__setattr__(newsroom, "ai_opt_out", False)
    open_to_all = Renderer(newsroom)
    files = open_to_all.installed_files()
    assert "GPTBot" not in files["/robots.txt"].decode()
    assert "tdm-reservation" not in open_to_all.article_page(public_article()).decode()
    assert "/.well-known/tdmrep.json" not in files


def test_the_example_theme_of_the_docs_changes_what_it_names_and_nothing_else() -> None:
    newsroom = load_newsroom()
    example = Path(__file__).parents[3] / "docs" / "theme-example"
    plain, own = Renderer(newsroom), Renderer(newsroom, [example])
    related = [teaser_of(public_article(slug="b"))]
    page = own.article_page(public_article(), related).decode()
    assert "Dans le même sillage" in page
    assert 'class="story"' in page
    assert own.version != plain.version
    for name in ("ink", "soft", "link", "accent"):
        assert f"--{name}" in (DEFAULT_THEME / "static" / "style.css").read_text("utf-8")


def picture(size: int, form: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (size, size), "#aa1122").save(content, form)
    return content.getvalue()


def test_every_page_names_icons_that_are_there_and_the_manifest_has_all_sizes() -> None:
    renderer = Renderer(load_newsroom(base_url="https://rives.example"))
    files = renderer.installed_files()
    page = renderer.article_page(public_article()).decode()

    for path in re.findall(r'rel="(?:icon|apple-touch-icon)" href="([^"]+)"', page):
        assert files[path]
    assert files["/favicon.ico"][:4] == b"\0\0\1\0"
    named = {
        one["sizes"]: one for one in json.loads(files["/manifest.webmanifest"])["icons"] if one["purpose"] == "any"
    }
    for sizes in ("192x192", "512x512"):
        with Image.open(io.BytesIO(files[named[sizes]["src"]])) as icon:
            assert f"{icon.width}x{icon.height}" == sizes


def test_icons_are_made_of_a_newsrooms_own_picture_else_of_its_name(tmp_path: Path) -> None:
    plain = load_theme([], ["fr"], "Le Courrier")
    assert plain.files == load_theme([], ["fr"], "Autre").files, "the built-in ones are nobody's letter"

    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", "utf-8")
    lettered = load_theme([tmp_path], ["fr"], "Le Courrier")
    assert lettered.paths["icon-192.png"] != plain.paths["icon-192.png"]
    assert lettered.paths["icon-192.png"] != load_theme([tmp_path], ["fr"], "Monde").paths["icon-192.png"]
    arabic = load_theme([tmp_path], ["fr"], "الضفّتان")
    assert arabic.paths["icon-192.png"] == plain.paths["icon-192.png"]

    (tmp_path / "static" / "icon.png").write_bytes(picture(600))
    own = load_theme([tmp_path], ["fr"], "Le Courrier")
    with Image.open(io.BytesIO(own.files[own.paths["apple-touch-icon.png"]])) as icon:
        assert (icon.size, icon.convert("RGB").getpixel((90, 90))) == ((180, 180), (170, 17, 34))
    assert "icon.png" not in own.paths

    (tmp_path / "static" / "favicon.ico").write_bytes(b"theirs")
    assert (
        load_theme([tmp_path], ["fr"], "X").files[load_theme([tmp_path], ["fr"], "X").paths["favicon.ico"]] == b"theirs"
    )


@pytest.mark.parametrize("content", [b"", b"no picture", picture(300), picture(600, "JPEG"), picture(600)[:200]])
def test_an_icon_that_cannot_be_used_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "icon.png").write_bytes(content)
    with pytest.raises(ThemeError, match=r"static/icon\.png: should be a square PNG of 512 to 4096 pixels"):
        load_theme([tmp_path], ["fr"], "Le Courrier")


def test_a_static_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "static/brand.css", "a{}")
    read = Path.read_bytes

    def refuse(file: Path) -> bytes:
        if file.name == "brand.css":
            raise PermissionError(13, "Permission denied")
        return read(file)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ThemeError, match=r"static/brand\.css: cannot be read: Permission denied"):
        load_theme([tmp_path], ["fr"])
