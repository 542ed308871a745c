"""Which service hears which event, in which task, on which queue. Every name that crosses services is here.

A fourth service adds itself to LISTENERS (and to SERVICES); no other service's file changes.
"""

from __future__ import annotations

# Each service's lanes; a lane's queue is "<service>.<lane>".
SERVICES: dict[str, tuple[str, ...]] = {
    "ingest": ("urgent", "normal", "bulk"),
    "recommend": ("urgent", "normal", "bulk"),
    "publish": ("urgent", "normal", "bulk", "deliver", "retry"),
}

LISTENERS: dict[str, tuple[str, ...]] = {
    "article.published.v1": ("publish", "recommend"),
    "article.corrected.v1": ("publish", "recommend"),
    "article.killed.v1": ("publish", "recommend"),
    "article.retracted.v1": ("publish", "recommend"),
    "article.expired.v1": ("publish", "recommend"),
    "article.previewed.v1": ("publish",),
    "key.changed.v1": ("publish", "recommend"),
    "key.used.v1": ("ingest",),
    "related.changed.v1": ("publish",),
    "article.progress.v1": ("ingest",),
}

# Where an event travels unless whoever says it knows better. Urgent work never queues behind the rest.
LANES: dict[str, str] = {
    "article.corrected.v1": "urgent",
    "article.killed.v1": "urgent",
    "article.retracted.v1": "urgent",
    "key.changed.v1": "urgent",
}

# Told together with what else comes until the next tick of this length (seconds): nobody waits for these.
LINGER_S: dict[str, float] = {"article.progress.v1": 1.0, "key.used.v1": 1.0}


def queue(service: str, lane: str) -> str:
    """The name of a lane's queue: "publish.urgent"."""
    return f"{service}.{lane}"


def queues(*services: str, lanes: tuple[str, ...] | None = None) -> list[str]:
    """The queues of these services, or only these lanes of them, in the order of SERVICES."""
    return [queue(name, lane) for name in services for lane in SERVICES[name] if lanes is None or lane in lanes]


def task_name(service: str, event_type: str) -> str:
    """The task in which a service hears an event: "publish.on_article_killed"."""
    words, _, _version = event_type.rpartition(".")
    return f"{service}.on_{words.replace('.', '_')}"


def run_jobs_task(service: str) -> str:
    """The task that does a service's due jobs."""
    return f"{service}.run_jobs"


def lane_of(event_type: str) -> str:
    """The lane on which an event travels by default."""
    return LANES.get(event_type, "normal")
