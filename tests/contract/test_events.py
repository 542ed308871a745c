"""One golden message for each event version, read and written by both sides; its envelope is a CloudEvent 1.0."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.event_schemas import SCHEMAS, BadEvent, decode, encode
from shared.quick_schemas import NotPlain, Quick

SAMPLES = Path(__file__).parent / "samples"


def sample(event_type: str) -> dict:
    return json.loads((SAMPLES / f"{event_type}.json").read_text())


@pytest.mark.parametrize("event_type", SCHEMAS)
def test_the_golden_message_is_read_and_written_the_same(event_type: str) -> None:
    envelope = sample(event_type)

    heard = decode(envelope, "normal")
    written = encode(
        heard.event,
        event_id=heard.id,
        source=heard.source,
        said_at=datetime.fromisoformat(envelope["time"]),
        trace=heard.trace,
    )

    assert written == envelope
    assert heard.event.type == event_type
    assert isinstance(heard.id, UUID)


@pytest.mark.parametrize("event_type", SCHEMAS)
def test_the_envelope_is_a_cloudevent(event_type: str) -> None:
    envelope = sample(event_type)
    assert envelope["specversion"] == "1.0"
    assert all(envelope[name] for name in ("id", "source", "type", "time", "subject"))
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in envelope)
    assert datetime.fromisoformat(envelope["time"]).tzinfo is not None


@pytest.mark.parametrize("event_type", SCHEMAS)
def test_a_field_that_this_version_does_not_know_is_passed_over(event_type: str) -> None:
    envelope = sample(event_type)
    envelope["data"]["said_by_a_newer_version"] = True
    assert decode(envelope, "normal").event == decode(sample(event_type), "normal").event


@pytest.mark.parametrize("event_type", SCHEMAS)
def test_a_message_without_its_data_is_refused_with_why(event_type: str) -> None:
    with pytest.raises(BadEvent, match=r"required|Missing data"):
        decode(sample(event_type) | {"data": {}}, "normal")


@pytest.mark.parametrize("nonsense", [{}, {"type": "article.published.v1"}, {"type": "no.such.event.v9", "data": {}}])
def test_what_is_no_event_is_refused(nonsense: dict) -> None:
    with pytest.raises(BadEvent):
        decode(nonsense, "normal")


ODD = [
    None,
    "",
    "x" * 1100,
    " 7",
    -1,
    0,
    1.5,
    True,
    [],
    {},
    [None],
    {"a": 1},
    "2026-11-23T09:00:00",
    "2026-11-23",
    10**30,
]


def changed(data: object) -> Iterator[tuple[Any, Any]]:
    """Every place in some data: what holds it, and its key there."""
    if isinstance(data, dict | list):
        for key, inner in data.items() if isinstance(data, dict) else enumerate(data):
            yield data, key
            yield from changed(inner)


@pytest.mark.parametrize("event_type", SCHEMAS)
def test_the_quick_way_through_a_schema_takes_nothing_that_the_schema_refuses_or_reads_otherwise(
    event_type: str,
) -> None:
    schema, quick = SCHEMAS[event_type], Quick(SCHEMAS[event_type])
    data = sample(event_type)["data"]
    assert quick.load(data) == schema.load(data)
    assert quick.dump(schema.load(data)) == schema.dump(schema.load(data))
    for holder, key in list(changed(data)):
        was = holder[key]
        for odd in ODD:
            holder[key] = odd
            try:
                found = quick.load(data)
            except NotPlain:
                continue
            assert found == schema.load(data), (key, odd)
        holder[key] = was


def test_what_the_quick_way_is_not_sure_of_is_left_to_the_schema() -> None:
    envelope = sample("article.published.v1")
    envelope["data"]["article"]["first_published_at"] = "2026-11-23T09:00:00"
    assert decode(envelope, "normal").event.article.first_published_at.tzinfo is not None
    envelope["data"]["article"]["change"] = "many"
    with pytest.raises(BadEvent, match="change"):
        decode(envelope, "normal")
