"""HTTP in, HTTP out: the routes of ingest, by noun. desk: what they share."""

from services.ingest.routes.articles import articles_blueprint
from services.ingest.routes.desk import Desk
from services.ingest.routes.keys import keys_blueprint
from services.ingest.routes.media import media_blueprint
from services.ingest.routes.replay import replay_blueprint

__all__ = ["Desk", "articles_blueprint", "keys_blueprint", "media_blueprint", "replay_blueprint"]
