"""What recommend's worker hears and does: Celery in."""

from __future__ import annotations

from typing import Any

from services.recommend.worker import node
from shared.celery_app import task


@task("recommend.on_article_published")
def on_article_published(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Make the related sets of articles that are live and change those they enter. Safe to repeat."""
    node().hear(events, lane, again)


@task("recommend.on_article_corrected")
def on_article_corrected(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Make the related sets of corrected articles again. Safe to repeat."""
    node().hear(events, lane, again)


@task("recommend.on_article_killed")
def on_article_killed(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Take killed articles out of every related set. Safe to repeat."""
    node().hear(events, lane, again)


@task("recommend.on_article_retracted")
def on_article_retracted(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Take retracted articles out of every related set. Safe to repeat."""
    node().hear(events, lane, again)


@task("recommend.on_article_expired")
def on_article_expired(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Take expired articles out of every related set. Safe to repeat."""
    node().hear(events, lane, again)


@task("recommend.on_key_changed")
def on_key_changed(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hold the API keys as ingest tells them. Safe to repeat."""
    node().hear(events, lane, again)


@task("recommend.run_jobs")
def run_jobs(*, lane: str) -> None:
    """Do the due jobs of a lane for a while. Safe to repeat: a job is claimed, or left alone."""
    node().run_jobs(lane)
