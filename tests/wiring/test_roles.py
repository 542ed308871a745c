"""Every route below /v1 says who may use it, and holds to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from rotative.parts import SERVICES, create_app_of, settings_of
from shared import migrate
from shared.errors import NewsroomError
from shared.roles import ROLES, has_role

FIRST_KEY = "the-first-key-of-the-tests"
# What readers and their browsers ask for without a key; everything else is declared with http.needs.
OPEN = {
    ("recommend", "GET", "/v1/related/<uuid:article_id>"),
    ("recommend", "GET", "/v1/search"),
}


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Flask]]:
    folder: Path = tmp_path_factory.mktemp("roles")
    made = {}
    for service in SERVICES:
        variables = {
            "ROTATIVE_DATA_DIR": str(folder),
            "ROTATIVE_REDIS_URL": "redis://127.0.0.1:1/0",
            "ROTATIVE_ADMIN_KEY": FIRST_KEY,
            "ROTATIVE_SECRET_KEY": "a-secret-of-the-tests-only",
        }
        settings = settings_of(service, variables)
        migrate.upgrade(settings.database_url, service)
        made[service] = create_app_of(service, settings)
    yield made
    for app in made.values():
        app.extensions["rotative"].close()


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(method, address, role) of every route below /v1; the role is "" where none is declared."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1"):
            view = app.view_functions[rule.endpoint]
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule.rule, getattr(view, "needs_role", "")


def test_every_route_declares_its_role_or_is_known_to_be_open(apps: dict[str, Flask]) -> None:
    found = {(service, *route) for service, app in apps.items() for route in routes(app)}

    assert len(found) > 30
    undeclared = {(service, method, rule) for service, method, rule, role in found if not role}
    assert undeclared <= OPEN


def test_a_key_of_another_role_is_refused_and_one_of_the_role_is_not(apps: dict[str, Flask]) -> None:
    first = {"Authorization": f"Bearer {FIRST_KEY}"}
    tokens = {}
    for role in ROLES:
        answer = apps["ingest"].test_client().post("/v1/keys", json={"name": role, "role": role}, headers=first)
        tokens[role] = answer.get_json()["key"]
    client = apps["ingest"].test_client()
    for method, rule, needed in routes(apps["ingest"]):
        address = re.sub(r"<uuid:\w+>", "01939c5e-0000-7000-8000-000000000000", rule)
        address = re.sub(r"<int[^:]*:\w+>", "1", address)
        without: Any = client.open(address, method=method)
        assert (without.status_code, without.get_json()["code"]) == (401, "unauthorized"), (method, rule)
        for role, token in tokens.items():
            answer = client.open(address, method=method, headers={"Authorization": f"Bearer {token}"})
            assert (answer.status_code == 403) == (not has_role(role, needed)), (method, rule, role)
            assert answer.status_code != 500


def test_every_error_has_a_status_and_a_code_of_its_own() -> None:
    def family(kind: type[NewsroomError]) -> Iterator[type[NewsroomError]]:
        yield kind
        for inner in kind.__subclasses__():
            yield from family(inner)

    for kind in family(NewsroomError):
        assert 400 <= kind.status < 600
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
