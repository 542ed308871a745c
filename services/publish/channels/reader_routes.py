"""What readers' browsers and search engines ask of publish besides pages."""

from __future__ import annotations

from flask import Blueprint, Response

from services.publish.channels.secrets import indexnow_key
from services.publish.settings import PublishSettings


def create_blueprint(settings: PublishSettings) -> Blueprint:
    """The routes outside /v1."""
    bp = Blueprint("readers", __name__)
    key = indexnow_key(settings) if settings.secret_key else ""

    if key:

        @bp.get(f"/{key}.txt")
        def prove_site() -> Response:
            """The IndexNow key: that whoever names pages of this site may do so."""
            return Response(key, mimetype="text/plain")

    return bp
