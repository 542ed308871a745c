"""Killed anywhere, its snapshot harmed, its index wanted by two: the sets are those of an undisturbed run."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.recommend import actions, store
from services.recommend.app import create_app
from services.recommend.settings import RecommendSettings
from shared import clock, jobs
from shared.events import Event, PublicArticle
from shared.ids import new_id
from tests.factories import killed
from tests.integration.recommend.desk import Desk, live
from tests.integration.recommend.test_related_sets import about

KEY = {"Authorization": "Bearer the-first-key-of-the-tests"}


class Killed(BaseException):
    """Stands for kill -9: nothing of the process's transaction is left, and nothing in it cleans up."""


@pytest.fixture
def desk_of(
    database_of: Callable[[str], str], settings_for: Callable[..., RecommendSettings], tmp_path: Path
) -> Iterator[Callable[[str], Desk]]:
    """Makes desks, each with a database and a folder of its own."""
    made: list[Desk] = []

    def make(name: str) -> Desk:
        url, folder = database_of("recommend"), tmp_path / name
        desk = Desk(settings_for("recommend", url, cls=RecommendSettings, ROTATIVE_DATA_DIR=str(folder)))
        desk.finish()
        made.append(desk)
        return desk

    yield make
    for desk in made:
        desk.node.close()


def sequence(seed: int) -> list[Event]:
    """Articles that come, change and go."""
    pick = random.Random(seed)
    held: dict[Any, PublicArticle] = {}
    events: list[Event] = []
    for number in range(40):
        chance = pick.random()
        if held and chance < 0.15:
            one = pick.choice(list(held.values()))
            held.pop(one.id)
            events.append(killed(**vars(replace(one, status="killed", change=one.change + 1, body_html=""))))
            continue
        story = pick.choice(["pont", "opéra", "budget"])
        article = about(story, number, id=new_id())
        if held and chance < 0.35:
            one = pick.choice(list(held.values()))
            article = replace(article, id=one.id, change=one.change + 1)
        held[article.id] = article
        events.append(live(article))
    return events


def with_same_weights(desk: Desk) -> dict[Any, Any]:
    with desk.node.unit_of_work() as session:
        actions.ask_for_refresh(session, now=clock.now())
    desk.finish()
    return desk.sets()


@pytest.mark.parametrize("seed", range(3))
def test_killed_anywhere_its_sets_are_those_of_an_undisturbed_run(
    desk_of: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    calm, harried = desk_of("calm"), desk_of("harried")
    pick = random.Random(seed)
    armed: list[str] = []
    for name in ("save_articles", "save_sets", "end_turn", "related_sets", "locked_state", "mark_placed"):
        real = getattr(store, name)

        def dying(*args: Any, _name: str = name, _real: Any = real, **values: Any) -> Any:
            if armed == [_name]:
                armed.clear()
                raise Killed(_name)
            return _real(*args, **values)

        monkeypatch.setattr(store, name, dying)
    for event in sequence(seed):
        calm.hear(event)
        if pick.random() < 0.4:
            armed[:] = [pick.choice(("save_articles", "save_sets", "end_turn", "related_sets", "locked_state"))]
            with contextlib.suppress(Killed):
                harried.hear(event)
            armed.clear()
            if pick.random() < 0.7:
                harried.restart()
        harried.hear(event)
        if pick.random() < 0.2:
            with harried.node.unit_of_work() as session:
                jobs.add(session, actions.SNAPSHOT, actions.ALL, lane="bulk")
            harried.finish()
    harried.finish()

    assert with_same_weights(harried) == with_same_weights(calm)


@pytest.mark.parametrize("harm", ["cut", "zeros", "older", "gone"])
def test_a_harmed_snapshot_is_noticed_and_the_index_made_from_the_database(
    desk_of: Callable[[str], Desk], harm: str
) -> None:
    desk = desk_of("one")
    desk.hear(*(live(about("pont", number)) for number in range(12)))
    desk.finish()
    file = desk.settings.snapshot_file
    with desk.node.unit_of_work() as session:
        jobs.add(session, actions.SNAPSHOT, actions.ALL, lane="bulk")
    desk.finish()
    content = file.read_bytes()
    if harm == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "zeros":
        file.write_bytes(content[:300] + bytes(64) + content[364:])
    elif harm == "older":
        file.write_bytes(content.replace(b"rotative index ", b"rotative index 0", 1))
    else:
        file.unlink()

    desk.restart()
    desk.finish()
    article = about("pont", 50)
    desk.hear(live(article))

    assert len(desk.shown(article)) == 6
    before = desk.sets()
    assert with_same_weights(desk).keys() == before.keys()


def test_an_index_is_rebuilt_on_request_by_whoever_keeps_it(desk_of: Callable[[str], Desk]) -> None:
    desk = desk_of("one")
    articles = [about("pont", number) for number in range(12)]
    desk.hear(*(live(one) for one in articles))
    desk.finish()
    with desk.node.unit_of_work() as session:
        store.save_sets(
            session, [{"article_id": articles[0].id, "set_number": 10**6, "entries": [], "made_at": clock.now()}]
        )
        store.change_state(session, set_number=10**6)

    assert create_app(desk.settings).test_client().post("/v1/recommend/rebuild", headers=KEY).status_code == 202
    desk.finish()

    assert len(desk.shown(articles[0])) == 6
    assert desk.said("related.changed.v1")[-1]["sets"]


def test_two_processes_that_both_believe_they_keep_the_index_never_both_write(desk_of: Callable[[str], Desk]) -> None:
    first = desk_of("one")
    first.hear(live(about("pont", 1)))
    second = Desk(first.settings)
    pick = random.Random(1)
    for number in range(2, 30):
        one = pick.choice((first, second))
        one.forget_lease()
        one.hear(live(about("pont", number)))
        if pick.random() < 0.5:
            one.finish()
    first.forget_lease()
    first.finish()

    numbers = [one["set_number"] for said in first.said("related.changed.v1") for one in said["sets"]]
    assert len(numbers) == len(set(numbers))
    kept = with_same_weights(first)
    second.forget_lease()
    with second.node.unit_of_work() as session:
        actions.rebuild_index(session)
    second.finish()
    assert second.sets() == kept
    second.node.close()
