"""A newsroom's theme, changed while the site stands: taken over when it is good, refused by file and line when not."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from services.publish import upkeep
from services.publish.kinds import BUILD_PAGE
from services.publish.service import create_service, make_builder
from services.publish.settings import PublishSettings
from shared import clock, jobs
from shared.sweeper import Sweeper
from shared.tables import jobs as jobs_table
from tests.conftest import wait_for
from tests.factories import killed, public_article, published
from tests.integration.publish.house import House

EXAMPLE = Path(__file__).parents[3] / "docs" / "theme-example"
NEWS = {"headline": "Le pont ferme"}


@pytest.fixture
def theme(tmp_path: Path) -> Path:
    """The example of the docs, as a newsroom's own folder."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "theme"))


@pytest.fixture
def start(
    sqlite_url: str,
    settings_for: Callable[..., PublishSettings],
    migrated: Callable[[str, str], str],
    theme: Path,
) -> Iterator[Callable[[], House]]:
    """publish as a process that has just started; called again, as one that was started again."""
    shutil.copy(migrated("sqlite", "publish"), sqlite_url.removeprefix("sqlite:///"))
    houses: list[House] = []

    def make() -> House:
        make_builder.cache_clear()
        settings = settings_for(
            "publish",
            sqlite_url,
            cls=PublishSettings,
            ROTATIVE_BASE_URL="https://journal.test",
            ROTATIVE_THEME=str(theme),
        )
        houses.append(House(create_service(settings), settings))
        with houses[-1].node.unit_of_work() as session:
            upkeep.look_after(session, builder=houses[-1].publish.builder, now=clock.now())
        houses[-1].finish()
        return houses[-1]

    yield make
    for one in houses:
        one.node.close()


def write(theme: Path, name: str, text: str) -> None:
    """An edit in place: its time differs, as it does when a person saves a file."""
    file = theme / name
    times = file.stat().st_mtime_ns if file.exists() else 0
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    if times:
        os.utime(file, ns=(times + 5_000_000, times + 5_000_000))


def sweep(house: House) -> None:
    """What the sweeper does every second."""
    assert house.publish.service.watch is not None
    house.publish.service.watch(house.node)
    house.finish()


def build(house: House) -> None:
    """Build what waits; what cannot be announced, because its page is not there, goes on waiting."""
    with house.node.unit_of_work() as session:
        waiting = (jobs_table.c.state == "ready") & (jobs_table.c.kind == BUILD_PAGE)
        session.execute(update(jobs_table).where(waiting).values(run_at=clock.now()))
    for lane in ("urgent", "normal"):
        house.node.run_jobs(lane)


def dead(house: House) -> dict[str, str]:
    with house.node.reading() as session:
        return {f"{row.kind} {row.reference}": row.error for row in jobs.dead(session)}


def retry_all(house: House) -> None:
    with house.node.unit_of_work() as session:
        for row in jobs.dead(session):
            jobs.retry_dead(session, row.id, now=clock.now())
    house.finish()


def test_the_example_of_the_docs_overrides_a_template_a_static_file_and_a_word(
    start: Callable[[], House], theme: Path
) -> None:
    write(theme, "static/icon.svg", '<svg xmlns="http://www.w3.org/2000/svg"><title>Nôtre</title></svg>')
    house = start()
    other = public_article(slug="autre")
    house.hear(published(**NEWS), published(**vars(other)))
    house.finish()
    page = house.page("/societe/le-pont-du-port-ferme")

    assert '<footer class="foot">\n<div class="inner">\n<p class="name">' in page
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert (EXAMPLE / "static" / "brand.css").read_text("utf-8").strip() in house.page(style)
    icon = page.partition('type="image/svg+xml"')[0].rpartition('href="')[2].partition('"')[0]
    assert "Nôtre" in house.page(icon)
    assert house.publish.builder.renderer._editions["fr"].labels.related == "Dans le même sillage"
    assert house.differences() == []
    assert dead(house) == {}


def test_a_change_of_the_theme_is_on_every_page_without_a_new_start(start: Callable[[], House], theme: Path) -> None:
    house = start()
    house.hear(published(**NEWS))
    house.finish()

    write(theme, "templates/footer.html", "<footer>Imprimé à Valbourg</footer>")
    sweep(house)

    for path in ("/", "/societe", "/societe/le-pont-du-port-ferme", "/404.html"):
        assert "Imprimé à Valbourg" in house.page(path), path


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("templates/article.html", "<p>\n{% if %}", "templates/article.html, line 2"),
        ("templates/teaser.html", "<p>\n\n{{ nobody_knows_me }}", "templates/teaser.html, line 3"),
        ("templates/footer.html", "{{ 1 / 0 }}", "templates/footer.html, line 1"),
        ("labels/fr.toml", "related =", "labels/fr.toml"),
    ],
)
def test_a_broken_theme_keeps_the_last_good_pages_and_is_a_dead_letter_until_it_is_mended(
    start: Callable[[], House], theme: Path, name: str, text: str, place: str
) -> None:
    house = start()
    article = public_article(**NEWS)
    house.hear(published(**vars(article)))
    house.finish()
    good, before = house.page(article.path), house.builds()
    whole = (theme / name).read_text("utf-8") if (theme / name).exists() else None

    write(theme, name, text)
    sweep(house)

    assert place in dead(house)["take_theme theme"]
    assert house.page(article.path) == good
    assert house.builds() == before
    assert house.publish.service.status is not None
    with house.node.reading() as session:
        status = house.publish.service.status(session)
    assert status["theme_broken"] == 1
    assert place in str(status["theme"])
    # The newspaper goes on, as it last looked well; also after a new start.
    for slug in ("suite", "fin"):
        house.hear(published(slug=slug, headline="La suite"))
        house.finish()
        assert "La suite" in house.page(f"/societe/{slug}")
        assert '<p class="name">' in house.page(f"/societe/{slug}")
        assert place in dead(house)["take_theme theme"]
        house = start()
    house.hear(killed(**{**vars(article), "status": "killed", "change": 2, "body_html": ""}), lane="urgent")
    assert house.site.tombstone(article.path) is not None

    if whole is None:
        (theme / name).unlink()
    else:
        write(theme, name, whole)
    retry_all(house)

    assert dead(house) == {}
    assert house.differences() == []


def test_a_theme_that_was_never_good_leaves_the_built_in_one_in_force(start: Callable[[], House], theme: Path) -> None:
    write(theme, "templates/front.html", "{% block")
    house = start()
    house.hear(published(**NEWS))
    house.finish()

    assert "Le pont ferme" in house.page("/")
    assert "templates/front.html, line 1" in dead(house)["take_theme theme"]
    assert "built-in" in dead(house)["take_theme theme"]

    (theme / "templates" / "front.html").unlink()
    sweep(house)

    assert dead(house) == {}
    assert '<p class="name">' in house.page("/")


def test_a_template_that_fails_for_one_article_only_keeps_its_page_and_names_the_line(
    start: Callable[[], House], theme: Path
) -> None:
    source = (Path(upkeep.__file__).parent / "theme" / "templates" / "article.html").read_text("utf-8")
    at = "{% block head %}"
    broken = source.replace(at, at + '\n{% if "Gruyère" in title %}{{ nobody_knows_me }}{% endif %}', 1)
    assert broken != source
    write(theme, "templates/article.html", broken)
    house = start()
    assert dead(house) == {}
    article = public_article(headline="Le fromage")
    house.hear(published(**vars(article)))
    house.finish()
    good = house.page(article.path)

    house.hear(published(**{**vars(article), "change": 2, "headline": "Le Gruyère"}), published(slug="b"))
    house.hear(published(slug="neuf", headline="Gruyère neuf"))
    build(house)

    assert house.page(article.path) == good
    line = source.partition(at)[0].count("\n") + 2
    assert f"templates/article.html, line {line}" in dead(house)[f"build_page {article.path}"]
    assert house.page("/societe/b")
    assert "Gruyère" in house.page("/societe/neuf"), "a new article has no last good page: the built-in theme shows it"
    assert "Le Gruyère" in house.page("/")

    write(theme, "templates/article.html", source)
    sweep(house)
    retry_all(house)

    assert "Le Gruyère" in house.page(article.path)
    assert dead(house) == {}
    assert house.differences() == []


def test_the_sweeper_itself_looks_at_the_theme(start: Callable[[], House], theme: Path) -> None:
    house = start()
    stop = threading.Event()
    thread = threading.Thread(target=Sweeper([house.node]).run, args=(stop,))
    thread.start()
    try:
        write(theme, "templates/footer.html", "{% if %}")
        wait_for(lambda: house.publish.builder.themes.fault, "the sweeper to notice")
    finally:
        stop.set()
        thread.join()
