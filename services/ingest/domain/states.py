"""The states of an article and the moves between them: one table, read by the actions, the tests and the docs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Conflict, Forbidden
from shared.roles import has_role


class Status(StrEnum):
    """Where an article is in its life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    RETRACTED = "retracted"
    KILLED = "killed"
    EXPIRED = "expired"


class Move(StrEnum):
    """What can be done to an article."""

    EDIT = "edit"
    DELETE = "delete"
    SCHEDULE = "schedule"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    PUBLISH = "publish"
    RELEASE = "release"
    REFILE = "refile"
    CORRECT = "correct"
    RETRACT = "retract"
    EXPIRE = "expire"
    RESTORE = "restore"
    REOPEN = "reopen"
    KILL = "kill"


class Role(StrEnum):
    """Who may do it: each newsroom role may do what those before it may; the clock acts by itself."""

    REPORTER = "reporter"
    EDITOR = "editor"
    CHIEF = "chief"
    CLOCK = "the clock"


@dataclass(frozen=True)
class Rule:
    """One allowed move. after: None when the article is no more.

    event: the type of the public event that it makes, or None when readers see no change.
    """

    move: Move
    before: Status
    after: Status | None
    role: Role
    event: str | None = None


_PUBLISHED, _KILLED = "article.published.v1", "article.killed.v1"

# What readers never saw goes without a public event. Out of killed leads a chief's explicit restore and nothing else:
# to live what was public once, to draft what was not (that is called reopen). What is retracted or killed once more
# with another reason keeps that one.
RULES: tuple[Rule, ...] = (
    Rule(Move.EDIT, Status.DRAFT, Status.DRAFT, Role.REPORTER),
    Rule(Move.RESTORE, Status.DRAFT, Status.DRAFT, Role.REPORTER),
    Rule(Move.DELETE, Status.DRAFT, None, Role.REPORTER),
    Rule(Move.SCHEDULE, Status.DRAFT, Status.SCHEDULED, Role.EDITOR),
    Rule(Move.PUBLISH, Status.DRAFT, Status.LIVE, Role.EDITOR, _PUBLISHED),
    Rule(Move.KILL, Status.DRAFT, Status.KILLED, Role.CHIEF),
    Rule(Move.EDIT, Status.SCHEDULED, Status.SCHEDULED, Role.EDITOR),
    Rule(Move.RESTORE, Status.SCHEDULED, Status.SCHEDULED, Role.EDITOR),
    Rule(Move.RESCHEDULE, Status.SCHEDULED, Status.SCHEDULED, Role.EDITOR),
    Rule(Move.CANCEL, Status.SCHEDULED, Status.DRAFT, Role.EDITOR),
    Rule(Move.PUBLISH, Status.SCHEDULED, Status.LIVE, Role.EDITOR, _PUBLISHED),
    Rule(Move.RELEASE, Status.SCHEDULED, Status.LIVE, Role.CLOCK, _PUBLISHED),
    Rule(Move.KILL, Status.SCHEDULED, Status.KILLED, Role.CHIEF),
    Rule(Move.REFILE, Status.LIVE, Status.LIVE, Role.EDITOR, _PUBLISHED),
    Rule(Move.CORRECT, Status.LIVE, Status.LIVE, Role.EDITOR, "article.corrected.v1"),
    Rule(Move.RESTORE, Status.LIVE, Status.LIVE, Role.EDITOR, _PUBLISHED),
    Rule(Move.EXPIRE, Status.LIVE, Status.EXPIRED, Role.CLOCK, "article.expired.v1"),
    Rule(Move.RETRACT, Status.LIVE, Status.RETRACTED, Role.CHIEF, "article.retracted.v1"),
    Rule(Move.KILL, Status.LIVE, Status.KILLED, Role.CHIEF, _KILLED),
    Rule(Move.RESTORE, Status.RETRACTED, Status.LIVE, Role.CHIEF, _PUBLISHED),
    Rule(Move.RETRACT, Status.RETRACTED, Status.RETRACTED, Role.CHIEF, "article.retracted.v1"),
    Rule(Move.KILL, Status.RETRACTED, Status.KILLED, Role.CHIEF, _KILLED),
    Rule(Move.EDIT, Status.EXPIRED, Status.EXPIRED, Role.EDITOR),
    Rule(Move.PUBLISH, Status.EXPIRED, Status.LIVE, Role.EDITOR, _PUBLISHED),
    Rule(Move.KILL, Status.EXPIRED, Status.KILLED, Role.CHIEF, _KILLED),
    Rule(Move.KILL, Status.KILLED, Status.KILLED, Role.CHIEF),
    Rule(Move.RESTORE, Status.KILLED, Status.LIVE, Role.CHIEF, _PUBLISHED),
    Rule(Move.REOPEN, Status.KILLED, Status.DRAFT, Role.CHIEF),
)
_RULES = {(rule.before, rule.move): rule for rule in RULES}
PUBLIC = frozenset({Status.LIVE, Status.RETRACTED, Status.KILLED, Status.EXPIRED})


class MoveRefused(Conflict):
    """The article's state does not allow this move."""

    code = "move-refused"


class AlreadyKilled(Conflict):
    """A killed article is not changed: it is replaced by a new one, or restored by a chief."""

    code = "article-killed"
    title = "The article has been killed"


class RoleMissing(Forbidden):
    """The key's role does not allow this move."""

    code = "role-missing"


def rule_for(status: str, move: Move) -> Rule:
    """The rule of a move from a state. Raises AlreadyKilled, or MoveRefused naming the moves that are allowed."""
    rule = _RULES.get((Status(status), move))
    if rule is not None:
        return rule
    if status == Status.KILLED:
        raise AlreadyKilled(
            "This article has been killed: post a new one, or have a chief restore one of its revisions."
        )
    allowed = ", ".join(sorted(rule.move for rule in RULES if rule.before == status and rule.role is not Role.CLOCK))
    raise MoveRefused(f"An article that is {status} cannot take the move {move}; it can take: {allowed}.")


def allow(status: str, move: Move, role: str, *, flash: bool = False) -> Rule:
    """The rule of a move that a key of this role asks for. Raises RoleMissing, AlreadyKilled and MoveRefused.

    flash: the move makes a flash public, or what is public a flash; that is for chiefs.
    """
    rule = rule_for(status, move)
    if not has_role(role, rule.role):
        raise RoleMissing(f"The move {move} of an article that is {status} needs the role {rule.role}, not {role}.")
    if flash and not has_role(role, Role.CHIEF):
        raise RoleMissing(f"A flash (urgency 1) needs the role chief, not {role}.")
    return rule
