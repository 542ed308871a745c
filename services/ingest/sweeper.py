"""ingest's sweeper: `python -m services.ingest.sweeper`."""

from __future__ import annotations

import os

from services.ingest.service import create_service
from services.ingest.settings import IngestSettings
from shared.service import Node
from shared.sweeper import main


def make_node() -> Node:
    """The node that is swept."""
    settings = IngestSettings.from_env(os.environ, "ingest")
    return Node(create_service(settings), settings)


if __name__ == "__main__":
    main(make_node)
