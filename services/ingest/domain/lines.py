"""A timeline's lines: what many deliveries have in common is one line, which grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class Step(Protocol):
    """A step as it is stored; see models.TimelineStep."""

    @property
    def at(self) -> datetime: ...
    @property
    def mark(self) -> str: ...
    @property
    def change(self) -> int: ...
    @property
    def step(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Line:
    """A step as it is shown. line: the same for a line that has grown meanwhile, which takes its place; else "".

    at, mark: of the newest step in it.
    """

    at: datetime
    mark: str
    change: int
    step: str
    detail: Mapping[str, Any]
    line: str = ""


def gathered(steps: Iterable[Step]) -> list[Line]:
    """The lines of these steps, oldest first, each where its newest step stands.

    Of each change and channel: one line for what was announced, one for what has arrived ("count" of "of"), and one for
    each way in which deliveries failed, with how often ("times") and the newest one's next try.
    """
    lines: dict[str, Line] = {}
    for number, one in enumerate(steps):
        name = _line_of(one)
        # Taken out and put in again: a line stands where it last grew.
        before = lines.pop(name, None) if name else None
        detail = one.detail if before is None else _both(one.step, before.detail, one.detail)
        lines[name or f"#{number}"] = Line(one.at, one.mark, one.change, one.step, detail, name)
    owed = {
        (one.change, one.detail["channel"]): int(one.detail["deliveries"])
        for one in lines.values()
        if one.line and one.step == "announced"
    }
    return [_out_of(one, owed) for one in lines.values()]


def _line_of(step: Step) -> str:
    detail = step.detail
    channel = detail.get("channel")
    amount = {"announced": "deliveries", "delivered": "count", "delivery_failed": "count"}.get(step.step)
    if amount is None or not channel or not isinstance(detail.get(amount), int):
        return ""
    parts = [step.step, str(step.change), str(channel)]
    if step.step == "delivery_failed":
        parts += [str(detail.get("status") or ""), str(detail.get("why") or "")]
    return " ".join(parts).strip()


def _both(step: str, before: Mapping[str, Any], newest: Mapping[str, Any]) -> dict[str, Any]:
    if step == "announced":
        return {**newest, "deliveries": before["deliveries"] + newest["deliveries"]}
    if step == "delivered":
        return {**newest, "count": before["count"] + newest["count"]}
    # The same subscriber may be among them several times: what is counted are attempts.
    times = before.get("times", before.get("count", 0)) + newest["count"]
    return {**{name: value for name, value in newest.items() if name != "count"}, "times": times}


def _out_of(line: Line, owed: Mapping[tuple[int, Any], int]) -> Line:
    of = owed.get((line.change, line.detail.get("channel")), 0)
    if line.step != "delivered" or not line.line or of <= line.detail["count"]:
        return line
    return Line(line.at, line.mark, line.change, line.step, {**line.detail, "of": of}, line.line)
