"""ingest's worker: `celery -A services.ingest.worker worker`."""

from __future__ import annotations

import os

from services.ingest.service import create_service
from services.ingest.settings import IngestSettings
from shared import logs
from shared.celery_app import create_celery
from shared.service import BulkSlot, Node
from shared.worker import WorkerNode

settings = IngestSettings.from_env(os.environ, "ingest")
celery = create_celery("ingest", settings.redis_url, include=["services.ingest.tasks"])


def _make(bulk: BulkSlot | None) -> Node:
    logs.set_up("ingest", settings.log_level)
    # Not the bulk lane: slices of a replay follow one another through the queue, where others may pass between them.
    return Node(create_service(settings), settings, here=("urgent", "normal"), bulk=bulk)


node = WorkerNode(_make)
