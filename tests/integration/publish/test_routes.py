"""publish over HTTP, as operators use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.publish.app import create_app
from services.publish.settings import PublishSettings

KEY = {"Authorization": "Bearer the-first-key-of-the-tests"}


@pytest.fixture
def client(database_of: Callable[[str], str], settings_for: Callable[..., PublishSettings]) -> Iterator[FlaskClient]:
    app = create_app(settings_for("publish", database_of("publish"), cls=PublishSettings))
    yield app.test_client()
    app.extensions["rotative"].close()


def test_a_new_subscription_is_answered_with_its_secret_once(client: FlaskClient) -> None:
    wanted: dict[str, Any] = {
        "channel": "webhook",
        "url": "https://example.org/nouvelles",
        "filter": {"sections": ["sport"]},
    }

    made = client.post("/v1/subscriptions", json=wanted, headers=KEY)

    assert made.status_code == 201, made.text
    assert made.json is not None
    assert made.json["secret"].startswith("whsec_")
    shown = client.get(made.headers["Location"], headers=KEY).json
    assert shown == {name: value for name, value in made.json.items() if name != "secret"}
