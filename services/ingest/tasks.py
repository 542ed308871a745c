"""What ingest's worker hears and does: Celery in."""

from __future__ import annotations

from typing import Any

from services.ingest.worker import node
from shared.celery_app import task


@task("ingest.on_article_progress")
def on_article_progress(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Note how far articles have come. Safe to repeat: an event heard before changes nothing."""
    node().hear(events, lane, again)


@task("ingest.on_key_used")
def on_key_used(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Note when keys were used with other services. Safe to repeat."""
    node().hear(events, lane, again)


@task("ingest.run_jobs")
def run_jobs(*, lane: str) -> None:
    """Do the due jobs of a lane for a while. Safe to repeat: a job is claimed, or left alone."""
    node().run_jobs(lane)
