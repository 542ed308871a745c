"""The table of states and moves."""

from __future__ import annotations

from itertools import product

import pytest

from services.ingest.domain.states import RULES, AlreadyKilled, Move, MoveRefused, Role, Status, rule_for
from shared.event_schemas import SCHEMAS


def test_each_move_from_each_state_has_one_rule_at_most() -> None:
    assert len({(rule.before, rule.move) for rule in RULES}) == len(RULES)


def test_nothing_leads_out_of_killed() -> None:
    for move in Move:
        with pytest.raises(AlreadyKilled):
            rule_for("killed", move)


def test_everything_that_is_not_killed_can_be_killed_by_a_chief() -> None:
    for status in set(Status) - {Status.KILLED}:
        rule = rule_for(status, Move.KILL)
        assert (rule.after, rule.role) == (Status.KILLED, Role.CHIEF)


def test_readers_hear_of_every_move_that_touches_what_is_live_and_of_no_other() -> None:
    for rule in RULES:
        assert (rule.event is not None) == (Status.LIVE in (rule.before, rule.after))
        assert rule.event is None or rule.event in SCHEMAS


def test_a_refused_move_names_those_that_are_allowed() -> None:
    with pytest.raises(MoveRefused, match="edit, kill, publish"):
        rule_for("draft", Move.CORRECT)


def test_what_has_no_rule_is_refused() -> None:
    ruled = {(rule.before, rule.move) for rule in RULES}
    for status, move in set(product(Status, Move)) - ruled:
        with pytest.raises((MoveRefused, AlreadyKilled)):
            rule_for(status, move)
