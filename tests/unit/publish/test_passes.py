"""How long lists wait for their next pass."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.publish.passes import Passes, Wait
from tests.factories import today


@pytest.mark.parametrize("wait", ["soon", "slowly", "seldom"])
def test_after_a_pause_every_list_has_an_article_within_half_a_second(wait: Wait) -> None:
    passes, now = Passes(), today("09:00:00.100")
    passes.note(1, now)

    assert now < passes.next_at(now, wait) <= now + timedelta(seconds=0.5)


def test_the_more_comes_in_the_longer_a_pass_waits_and_no_longer_than_five_seconds() -> None:
    now = today("09:00:00.100")
    waits: list[dict[str, timedelta]] = []
    for count in (1, 3, 30, 300):
        passes = Passes()
        passes.note(count, now)
        waits.append({wait: passes.next_at(now, wait) - now for wait in ("soon", "slowly", "seldom")})

    for wait in ("soon", "slowly", "seldom"):
        lengths = [one[wait] for one in waits]
        assert lengths == sorted(lengths)
        assert lengths[-1] <= timedelta(seconds=5)


def test_processes_that_ask_at_about_one_time_ask_for_the_same_pass() -> None:
    one, other, now = Passes(), Passes(), today("09:00:00.100")
    one.note(40, now)
    other.note(40, now + timedelta(milliseconds=50))

    assert one.next_at(now, "slowly") == other.next_at(now + timedelta(milliseconds=50), "slowly")


def test_what_came_in_long_ago_counts_no_more() -> None:
    passes, now = Passes(), today("09:00")
    passes.note(300, now)

    assert not passes.is_calm(now)
    assert passes.is_calm(now + timedelta(seconds=30))
