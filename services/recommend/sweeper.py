"""recommend's sweeper: `python -m services.recommend.sweeper`."""

from __future__ import annotations

import os

from services.recommend.service import create_service
from services.recommend.settings import RecommendSettings
from shared.service import Node
from shared.sweeper import main


def make_node() -> Node:
    """The node that is swept."""
    settings = RecommendSettings.from_env(os.environ, "recommend")
    return Node(create_service(settings), settings)


if __name__ == "__main__":
    main(make_node)
