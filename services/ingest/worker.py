"""The worker process of ingest: `celery -A services.ingest.worker worker`."""

from __future__ import annotations

import os

from services.ingest.service import create_service
from services.ingest.settings import IngestSettings
from shared import logs
from shared.celery_app import create_celery
from shared.service import BulkSlot, Node
from shared.worker import WorkerNode

settings = IngestSettings.from_env(os.environ)
celery = create_celery("ingest", settings.redis_url, include=["services.ingest.tasks"])
logs.set_up("ingest", settings.log_level)


def _make_node(slot: BulkSlot | None) -> Node:
    return Node(create_service(settings), settings, here=("urgent", "normal", "bulk"), bulk=slot)


node = WorkerNode(_make_node)
