"""How a service is doing, as numbers: for `rotative status` and for Prometheus."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import redis
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from shared import clock, jobs, outbox, routing
from shared.line import Line
from shared.service import Node

_LABEL = re.compile(r'(\w+)="([^"]*)"')


def status(node: Node) -> dict[str, Any]:
    """How a node's service is doing, as StatusReply says."""
    name = node.service.name
    line = Line(node.settings.redis_url)
    lengths: dict[str, int | None] = {}
    for lane in routing.SERVICES[name]:
        try:
            lengths[lane] = line.queue_length(routing.queue(name, lane))
        except redis.RedisError:
            lengths[lane] = None
    with node.reading() as session:
        counted = jobs.counts(session, now=clock.now())
        oldest = outbox.oldest_unreceived(session)
        numbers = dict(node.service.status(session)) if node.service.status else {}
    return {
        "service": name,
        "redis": all(length is not None for length in lengths.values()),
        "queues": lengths,
        "jobs": counted,
        "dead": sum(states.get("dead", 0) for states in counted.values()),
        "oldest_unreceived_s": _age_s(oldest),
        "numbers": numbers,
    }


def _age_s(since: datetime | None) -> float | None:
    return None if since is None else round((clock.now() - since).total_seconds(), 3)


def metrics_text(node: Node) -> bytes:
    """The same numbers as Prometheus text, read from the database when asked: every process answers alike."""
    registry = CollectorRegistry()
    found = status(node)
    label = {"service": node.service.name}

    def gauge(name: str, help_text: str, value: float | None, **labels: str) -> None:
        known = gauges.get(name)
        if known is None:
            known = gauges[name] = Gauge(name, help_text, [*label, *labels], registry=registry)
        if value is not None:
            known.labels(**label, **labels).set(value)

    gauges: dict[str, Gauge] = {}
    gauge("rotative_redis_up", "Whether Redis answers", float(found["redis"]))
    gauge("rotative_dead_letters", "Jobs that could not be done", found["dead"])
    gauge(
        "rotative_oldest_unreceived_seconds", "Age of the oldest unreceived event", found["oldest_unreceived_s"] or 0.0
    )
    for lane, length in found["queues"].items():
        gauge("rotative_queue_messages", "Messages that wait in a queue", length, lane=lane)
    for lane, states in found["jobs"].items():
        for state, count in states.items():
            gauge("rotative_jobs", "Jobs by lane and state", count, lane=lane, state=state)
    for name, value in found["numbers"].items():
        if isinstance(value, int | float):
            plain, _, labels = name.partition("{")
            gauge(f"rotative_{plain}", "A number of this service", value, **dict(_LABEL.findall(labels)))
    return generate_latest(registry)
