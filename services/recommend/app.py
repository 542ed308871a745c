"""The HTTP side of recommend: `gunicorn "services.recommend.app:create_app()"`."""

from __future__ import annotations

import os

from flask import Flask

from services.recommend.routes import (
    hand_blueprint,
    refresh_blueprint,
    related_blueprint,
    search_blueprint,
    similar_blueprint,
)
from services.recommend.schemas import EXAMPLES
from services.recommend.service import create_service
from services.recommend.settings import RecommendSettings
from shared import logs
from shared.http import create_service_app
from shared.operations import protocol_blueprint
from shared.service import Node


def create_app(settings: RecommendSettings | None = None) -> Flask:
    """The Flask app of recommend, its node started in this process.

    settings: read from the environment by default. Raises SettingError naming what is wrong.
    """
    if settings is None:
        settings = RecommendSettings.from_env(os.environ)
        logs.set_up("recommend", settings.log_level)
    node = Node(create_service(settings), settings)
    blueprints = [
        related_blueprint(settings.rules.story_cap),
        hand_blueprint(),
        search_blueprint(),
        similar_blueprint(),
        refresh_blueprint(),
        protocol_blueprint("recommend"),
    ]
    return create_service_app(node, blueprints, title="Rotative: recommend", examples=EXAMPLES)
