"""Which letters leave at once, and which wait for others."""

from __future__ import annotations

from typing import Any

from shared.dispatcher import LONGEST_HOLD_S, leaving, messages
from shared.outbox import Letter


def letter(number: int, **values: Any) -> Letter:
    given = {"listener": "publish", "lane": "normal", "type": "article.published.v1", **values}
    return Letter(seq=number, subject="", trace="", envelope={}, size=1000, **given)


def test_letters_for_an_idle_queue_leave_at_once():
    go, held = leaving([(0.0, letter(1)), (0.0, letter(2))], 0.0, lambda queue: False)

    assert [one.seq for one in go] == [1, 2]
    assert held == []


def test_letters_for_a_busy_queue_wait_and_those_for_others_do_not():
    go, held = leaving(
        [(0.0, letter(1)), (0.0, letter(2, listener="recommend"))], 0.0, lambda queue: queue == "publish.normal"
    )

    assert [one.seq for one in go] == [2]
    assert [one.seq for _, one in held] == [1]


def test_once_the_first_has_waited_long_enough_all_of_its_queue_leave_in_one_message():
    waiting = [(0.0, letter(1)), (0.5, letter(2)), (0.9, letter(3))]

    before, _ = leaving(waiting, LONGEST_HOLD_S - 0.01, lambda queue: True)
    after, held = leaving(waiting, LONGEST_HOLD_S, lambda queue: True)

    assert before == []
    assert held == []
    assert [[one.seq for one in message] for message in messages(after)] == [[1, 2, 3]]


def test_urgent_letters_and_copies_sent_again_are_never_held():
    go, held = leaving([(0.0, letter(1, lane="urgent")), (0.0, letter(2, again=True))], 0.0, lambda queue: True)

    assert [one.seq for one in go] == [1, 2]
    assert held == []
