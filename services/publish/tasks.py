"""What publish hears and does, as Celery tasks. All are safe to repeat."""

from __future__ import annotations

from typing import Any

from services.publish.worker import node
from shared.celery_app import task


@task("publish.on_article_published")
def on_article_published(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hear article.published: write the page, ask for what else it touches, announce it."""
    node().hear(events, lane, again)


@task("publish.on_article_corrected")
def on_article_corrected(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hear article.corrected: the same, with the correction told."""
    node().hear(events, lane, again)


@task("publish.on_article_killed")
def on_article_killed(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hear article.killed: put a tombstone in the page's place and take the article out of everything."""
    node().hear(events, lane, again)


@task("publish.on_article_retracted")
def on_article_retracted(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hear article.retracted: have its page say so and take the article out of everything else."""
    node().hear(events, lane, again)


@task("publish.on_article_expired")
def on_article_expired(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hear article.expired: put a tombstone in the page's place and take the article out of everything."""
    node().hear(events, lane, again)


@task("publish.on_related_changed")
def on_related_changed(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hear related.changed: build the pages whose sets have changed."""
    node().hear(events, lane, again)


@task("publish.on_article_previewed")
def on_article_previewed(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hear article.previewed: hold what a secret link shows, or that it shows nothing any more."""
    node().hear(events, lane, again)


@task("publish.on_key_changed")
def on_key_changed(*, events: list[dict[str, Any]], lane: str, again: bool) -> None:
    """Hold the API keys as ingest tells them. Safe to repeat."""
    node().hear(events, lane, again)


@task("publish.run_jobs")
def run_jobs(*, lane: str) -> None:
    """Do the due jobs of a lane."""
    node().run_jobs(lane)
