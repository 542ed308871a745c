"""publish's workers: `celery -A services.publish.worker worker`, for its queues or for `publish.deliver` alone."""

from __future__ import annotations

import os

from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import logs
from shared.celery_app import create_celery
from shared.service import BulkSlot, Node
from shared.worker import WorkerNode

settings = PublishSettings.from_env(os.environ, "publish")
celery = create_celery("publish", settings.redis_url, include=["services.publish.tasks"])


def _make(bulk: BulkSlot | None) -> Node:
    logs.set_up("publish", settings.log_level)
    return Node(create_service(settings).service, settings, here=("urgent", "normal"), bulk=bulk)


node = WorkerNode(_make)
