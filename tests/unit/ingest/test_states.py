"""The table of states and moves."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from services.ingest.domain.states import (
    RULES,
    AlreadyKilled,
    Move,
    MoveRefused,
    Role,
    RoleMissing,
    Rule,
    Status,
    allow,
    rule_for,
)
from shared.event_schemas import SCHEMAS


def test_each_move_from_each_state_has_one_rule_at_most() -> None:
    assert len({(rule.before, rule.move) for rule in RULES}) == len(RULES)


def test_out_of_killed_leads_only_a_restore_by_a_chief() -> None:
    out = [rule for rule in RULES if rule.before is Status.KILLED]

    assert {rule.move for rule in out if rule.after is not Status.KILLED} == {Move.RESTORE, Move.REOPEN}
    assert {rule.role for rule in out} == {Role.CHIEF}
    for move in set(Move) - {Move.RESTORE, Move.REOPEN, Move.KILL}:
        with pytest.raises(AlreadyKilled):
            rule_for("killed", move)


def test_everything_that_is_not_killed_can_be_killed_by_a_chief() -> None:
    for status in set(Status) - {Status.KILLED}:
        rule = rule_for(status, Move.KILL)
        assert (rule.after, rule.role) == (Status.KILLED, Role.CHIEF)


def test_readers_hear_of_every_move_that_touches_what_is_public_and_of_no_other() -> None:
    unseen = {Status.DRAFT, Status.SCHEDULED, None}
    for rule in RULES:
        hidden = (rule.before in unseen and rule.after in unseen) or rule.move in {Move.EDIT, Move.REOPEN}
        hidden = hidden or rule.before is rule.after is Status.KILLED
        assert (rule.event is None) == (hidden or (rule.before in unseen and rule.move is Move.KILL)), rule
        assert rule.event is None or rule.event in SCHEMAS


@pytest.mark.parametrize(
    ("status", "move", "least"),
    [
        ("draft", Move.EDIT, "reporter"),
        ("draft", Move.PUBLISH, "editor"),
        ("draft", Move.SCHEDULE, "editor"),
        ("live", Move.REFILE, "editor"),
        ("live", Move.CORRECT, "editor"),
        ("live", Move.RETRACT, "chief"),
        ("live", Move.KILL, "chief"),
        ("killed", Move.RESTORE, "chief"),
    ],
)
def test_each_move_has_its_least_role(status: str, move: Move, least: str) -> None:
    roles = ["reporter", "editor", "chief"]
    for role in roles:
        if roles.index(role) < roles.index(least):
            with pytest.raises(RoleMissing):
                allow(status, move, role)
        else:
            assert allow(status, move, role).move is move
    with pytest.raises(RoleMissing):
        allow(status, move, "operator")
    assert allow(status, move, "all").move is move


def test_a_flash_is_for_chiefs() -> None:
    with pytest.raises(RoleMissing, match="flash"):
        allow("draft", Move.PUBLISH, "editor", flash=True)
    assert allow("draft", Move.PUBLISH, "chief", flash=True)


def test_a_refused_move_names_those_that_are_allowed() -> None:
    with pytest.raises(MoveRefused, match="delete, edit, kill, publish, restore, schedule"):
        rule_for("draft", Move.CORRECT)


def test_what_has_no_rule_is_refused() -> None:
    ruled = {(rule.before, rule.move) for rule in RULES}
    for status, move in set(product(Status, Move)) - ruled:
        with pytest.raises((MoveRefused, AlreadyKilled)):
            rule_for(status, move)


def test_the_table_of_the_docs_is_the_table_of_the_rules() -> None:
    text = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
    table = text.partition("| from | move | to | who | event |\n|---|---|---|---|---|\n")[2].partition("\n\n")[0]

    def row(rule: Rule) -> str:
        event = f"`{rule.event.rpartition('.')[0]}`" if rule.event else "–"
        return f"| {rule.before} | {rule.move} | {rule.after or 'deleted'} | {rule.role} | {event} |"

    assert table.splitlines() == [row(rule) for rule in RULES]
