"""Every POST below /v1 takes an Idempotency-Key, but for those that only read: none is forgotten."""

from __future__ import annotations

from typing import Any

from rotative.openapi import describe_all

# What they answer is read anew each time, and repeating them changes nothing.
ONLY_READ = {"/v1/publish/verify", "/v1/publish/readers/export", "/v1/similar"}


def test_every_post_that_changes_something_takes_an_idempotency_key() -> None:
    taking: dict[str, bool] = {}
    for path, item in describe_all()["paths"].items():
        if path.startswith("/v1/") and "post" in item:
            taking[path] = any(one.get("name") == "Idempotency-Key" for one in _parameters(item))

    assert len(taking) > 20
    assert {path for path, takes in taking.items() if not takes} == ONLY_READ


def _parameters(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [*item.get("parameters", ()), *item["post"].get("parameters", ())]
