"""The order in which a worker looks at its queues."""

from __future__ import annotations

from kombu.utils.scheduling import cycle_by_name

from shared.celery_app import options


def test_urgent_queues_come_first_and_all_others_take_turns() -> None:
    order = cycle_by_name(options(producer=False)["broker_transport_options"]["queue_order_strategy"])()
    order.update(["ingest.bulk", "ingest.normal", "publish.urgent", "publish.normal"])

    assert order.consume(4) == ["publish.urgent", "ingest.bulk", "ingest.normal", "publish.normal"]
    order.rotate("ingest.bulk")
    assert order.consume(4) == ["publish.urgent", "ingest.normal", "publish.normal", "ingest.bulk"]
    order.rotate("publish.urgent")
    order.rotate("ingest.normal")
    assert order.consume(4)[:2] == ["publish.urgent", "publish.normal"]
