"""Requests to recommend that are repeated with their Idempotency-Key: each of its POSTs, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from services.recommend.app import create_app
from services.recommend.settings import RecommendSettings
from shared import clock, migrate
from shared.tables import jobs as jobs_table
from tests.integration.recommend.desk import Desk
from tests.wiring.test_repeats import ONLY_READ

KEY = {"Authorization": "Bearer the-first-key-of-the-tests", "Idempotency-Key": "once"}


@pytest.fixture
def settings(database_url: str, settings_for: Callable[..., RecommendSettings]) -> RecommendSettings:
    migrate.upgrade(database_url, "recommend")
    return settings_for("recommend", database_url, cls=RecommendSettings)


@pytest.fixture
def desk(settings: RecommendSettings) -> Iterator[Desk]:
    desk = Desk(settings)
    desk.finish()

    desk.finish()
    yield desk
    desk.node.close()


def test_every_post_is_done_once_and_its_repetition_gets_the_first_answer(desk: Desk) -> None:
    app = create_app(desk.settings)
    with desk.node.unit_of_work() as session:
        values = {"kind": "place", "reference": "x", "lane": "normal", "state": "dead", "run_at": clock.now()}
        values |= {"attempts": 1, "failed": 1, "crashed": 0, "alone": False, "trace": "", "created_at": clock.now()}
        session.execute(jobs_table.insert().values(values))
        dead = session.scalars(select(jobs_table.c.id).where(jobs_table.c.state == "dead")).one()
    rules = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.rule.startswith("/v1/") and rule.rule not in ONLY_READ
    }
    assert len(rules) >= 3
    for rule in sorted(rules):
        path = re.sub("<[^>]*>", str(dead), rule)
        first = app.test_client().post(path, headers=KEY)
        again = app.test_client().post(path, headers=KEY)

        assert 200 <= first.status_code < 300, (rule, first.text)
        assert (again.status_code, again.data) == (first.status_code, first.data), rule
        assert "Idempotent-Replay" not in first.headers
        assert again.headers["Idempotent-Replay"] == "true", rule
    app.extensions["rotative"].close()
