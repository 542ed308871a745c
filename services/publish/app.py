"""publish's HTTP app: its API, and the finished site for whatever no web server in front has served."""

from __future__ import annotations

import os

from flask import Flask

from services.publish import routes
from services.publish.channels import reader_routes
from services.publish.channels import routes as channel_routes
from services.publish.pages import serve_site
from services.publish.previews import previews_blueprint
from services.publish.schemas import EXAMPLES
from services.publish.search import search_at, search_blueprint
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import logs
from shared.http import create_service_app
from shared.operations import protocol_blueprint
from shared.service import Node


def create_app(settings: PublishSettings | None = None) -> Flask:
    """The app; settings: from the environment by default."""
    settings = settings or PublishSettings.from_env(os.environ, "publish")
    logs.set_up("publish", settings.log_level)
    publish = create_service(settings)
    node = Node(publish.service, settings)
    blueprints = [
        routes.create_blueprint(publish),
        channel_routes.create_blueprint(publish.builder.newsroom, settings),
        protocol_blueprint("publish"),
    ]
    app = create_service_app(node, blueprints, title="Rotative: publish", examples=EXAMPLES)
    app.register_blueprint(reader_routes.create_blueprint(publish.builder, settings))
    app.register_blueprint(search_blueprint(publish.builder))
    app.register_blueprint(previews_blueprint(publish.builder, settings.media_store))
    if settings.search_url:
        app.extensions["search"] = search_at(settings.search_url)
    serve_site(app, publish.builder)
    return app
