"""The states of an article and the moves between them, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Conflict


class Status(StrEnum):
    """Where an article is in its life."""

    DRAFT = "draft"
    LIVE = "live"
    KILLED = "killed"


class Move(StrEnum):
    """What can be done to an article."""

    EDIT = "edit"
    PUBLISH = "publish"
    REFILE = "refile"
    CORRECT = "correct"
    KILL = "kill"


class Role(StrEnum):
    """Who may do it; each role may do what those before it may."""

    REPORTER = "reporter"
    EDITOR = "editor"
    CHIEF = "chief"


@dataclass(frozen=True)
class Rule:
    """One allowed move. event: the type of the public event that it makes, or None when readers see no change."""

    move: Move
    before: Status
    after: Status
    role: Role
    event: str | None


# A draft's kill says nothing in public, for readers never saw it; but nothing leads out of killed.
RULES: tuple[Rule, ...] = (
    Rule(Move.EDIT, Status.DRAFT, Status.DRAFT, Role.REPORTER, None),
    Rule(Move.PUBLISH, Status.DRAFT, Status.LIVE, Role.EDITOR, "article.published.v1"),
    Rule(Move.REFILE, Status.LIVE, Status.LIVE, Role.EDITOR, "article.published.v1"),
    Rule(Move.CORRECT, Status.LIVE, Status.LIVE, Role.EDITOR, "article.corrected.v1"),
    Rule(Move.KILL, Status.DRAFT, Status.KILLED, Role.CHIEF, None),
    Rule(Move.KILL, Status.LIVE, Status.KILLED, Role.CHIEF, "article.killed.v1"),
)
_RULES = {(rule.before, rule.move): rule for rule in RULES}


class MoveRefused(Conflict):
    """The article's state does not allow this move."""

    code = "move-refused"


class AlreadyKilled(Conflict):
    """A killed article is never used again: it is not changed but replaced by a new one."""

    code = "article-killed"
    title = "The article has been killed"


def rule_for(status: str, move: Move) -> Rule:
    """The rule of a move from a state. Raises AlreadyKilled, or MoveRefused naming the moves that are allowed."""
    rule = _RULES.get((Status(status), move))
    if rule is not None:
        return rule
    if status == Status.KILLED:
        raise AlreadyKilled("This article has been killed and stays so; post a new article instead.")
    allowed = ", ".join(sorted(rule.move for rule in RULES if rule.before == status))
    raise MoveRefused(f"An article that is {status} cannot take the move {move}; it can take: {allowed}.")
