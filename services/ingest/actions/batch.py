"""Many articles in one request: read line by line, committed in groups, a verdict for each; no line spoils another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.db import Database, gathering, savepoint
from shared.errors import NewsroomError, Unavailable

log = logging.getLogger(__name__)

# What commits together: enough that the disk is not asked for each line, so little that no editor waits for it (20 ms).
GROUP_LINES = 20
GROUP_BYTES = 1_000_000


@dataclass(frozen=True)
class Line:
    """One line of a batch. number: from 1; work: does it in a transaction; refused: why it cannot be."""

    number: int
    size: int
    work: Callable[[Session], dict[str, Any]] | None = None
    refused: NewsroomError | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a line: an answer, or an error."""

    number: int
    answer: dict[str, Any] | None = None
    error: NewsroomError | None = None


def verdicts(
    db: Database, lines: Iterator[Line], *, keep: bool = True, rest: Callable[[float], None] | None = None
) -> Iterator[Verdict]:
    """Do the lines in groups, each group in one transaction; their verdicts in order, once they are on disk.

    keep: False to check only. rest: called after each group with the seconds that it took, so that an archive lets
    the news pass.
    """
    group: list[Line] = []
    size = 0
    for line in lines:
        group.append(line)
        size += line.size
        if len(group) == GROUP_LINES or size >= GROUP_BYTES:
            began = time.monotonic()
            yield from _do(db, group, keep)
            if rest is not None:
                rest(time.monotonic() - began)
            group, size = [], 0
    if group:
        yield from _do(db, group, keep)


def _do(db: Database, group: Sequence[Line], keep: bool) -> list[Verdict]:
    try:
        return _do_together(db, group, keep)
    except NewsroomError:
        pass  # then each in a savepoint of its own
    except SQLAlchemyError:
        log.exception("a group of a batch failed", extra={"first": group[0].number, "lines": len(group)})
    try:
        return _do_apart(db, group, keep)
    except SQLAlchemyError:
        log.exception("a group of a batch failed again", extra={"first": group[0].number, "lines": len(group)})
        away = Unavailable("The database does not answer; nothing was changed.")
        return [Verdict(line.number, error=line.refused or away) for line in group]


def _do_together(db: Database, group: Sequence[Line], keep: bool) -> list[Verdict]:
    with db.unit_of_work() as session:
        with gathering(session):
            found = [_verdict(session, line) for line in group]
        if not keep:
            _forget(session)
    return found


def _do_apart(db: Database, group: Sequence[Line], keep: bool) -> list[Verdict]:
    found = []
    with db.unit_of_work() as session:
        for line in group:
            try:
                with savepoint(session):
                    found.append(_verdict(session, line))
            except NewsroomError as error:
                found.append(Verdict(line.number, error=error))
        if not keep:
            _forget(session)
    return found


def _verdict(session: Session, line: Line) -> Verdict:
    if line.work is None:
        return Verdict(line.number, error=line.refused)
    return Verdict(line.number, answer=line.work(session))


def _forget(session: Session) -> None:
    session.rollback()
    for name in ("letters", "lanes"):
        session.info.pop(name, None)
