"""ingest's HTTP side on a real database of each kind, and what it has said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared.migrate import upgrade
from shared.service import Node
from shared.tables import outbox


class Newsroom:
    """An editor at work, with the first key."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.node: Node = app.extensions["rotative"]
        self.client: FlaskClient = app.test_client()
        self.headers = {"Authorization": "Bearer the-first-key-of-the-tests"}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request with a JSON body, or with none; header names with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {} if body is None else {"json": body}
        return self.client.open(path, method=method, headers={**self.headers, **named}, **options)

    def post(self, _headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        """Post an article; any field can be given, and one that is ... is left out."""
        article = {
            "headline": "Le pont du port ferme pour six semaines",
            "body": {"format": "text", "text": "La mairie a confirmé la fermeture.\n\nLes cars passeront par le nord."},
            "language": "fr",
            "section": "societe",
            "status": "live",
            **fields,
        }
        sent = {name: value for name, value in article.items() if value is not ...}
        return self.send("POST", "/v1/articles", sent, **(_headers or {}))

    def accepted(self, **fields: Any) -> dict[str, Any]:
        """Post an article that is accepted, and give back the answer's body."""
        answer = self.post(**fields)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    def said(self, listener: str = "publish") -> list[dict[str, Any]]:
        """The envelopes of what was said to a listener, in order, with the lane as `lane`."""
        with self.node.reading() as session:
            rows = session.execute(select(outbox).where(outbox.c.listener == listener).order_by(outbox.c.seq)).all()
        return [{**json.loads(row.envelope), "lane": row.lane} for row in rows]


@pytest.fixture
def newsroom(database_url: str, settings_for: Any) -> Iterator[Newsroom]:
    """ingest with an empty database; Redis is away, for no request may need it."""
    settings = settings_for("ingest", database_url, cls=IngestSettings, ROTATIVE_REDIS_URL="redis://127.0.0.1:1/0")
    upgrade(database_url, "ingest")
    app = create_app(settings)
    yield Newsroom(app)
    app.extensions["rotative"].close()
