"""The HTTP side of ingest: `gunicorn "services.ingest.app:create_app()"`."""

from __future__ import annotations

import os

from flask import Flask

from services.ingest.routes import Desk, articles_blueprint, keys_blueprint, media_blueprint, replay_blueprint
from services.ingest.schemas.examples import EXAMPLES
from services.ingest.service import create_service
from services.ingest.settings import IngestSettings
from shared import logs
from shared.http import create_service_app
from shared.newsroom import load_newsroom
from shared.operations import protocol_blueprint
from shared.service import Node


def create_app(settings: IngestSettings | None = None) -> Flask:
    """The Flask app of ingest, its node started in this process.

    settings: read from the environment by default. Raises SettingError or NewsroomFileError naming what is wrong.
    """
    settings = settings or IngestSettings.from_env(os.environ, "ingest")
    logs.set_up("ingest", settings.log_level)
    newsroom = load_newsroom(settings.newsroom_file, settings.base_url, port=settings.port)
    desk = Desk(newsroom)
    node = Node(create_service(settings), settings)
    blueprints = [
        articles_blueprint(desk),
        keys_blueprint(),
        media_blueprint(),
        replay_blueprint(),
        protocol_blueprint("ingest"),
    ]
    return create_service_app(node, blueprints, title="Rotative: ingest", dry_runs="/v1/articles", examples=EXAMPLES)
