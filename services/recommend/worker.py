"""The process that keeps the index: `celery -A services.recommend.worker worker --concurrency 1`.

Several may run: one keeps the index, the others stand by. It is never recycled: its memory is the index.
"""

from __future__ import annotations

import os

from services.recommend import actions
from services.recommend.service import create_service
from services.recommend.settings import RecommendSettings
from shared import jobs, logs
from shared.celery_app import create_celery
from shared.service import BulkSlot, Node
from shared.worker import WorkerNode

settings = RecommendSettings.from_env(os.environ)
celery = create_celery("recommend", settings.redis_url, include=["services.recommend.tasks"])
celery.conf.worker_max_tasks_per_child = None
logs.set_up("recommend", settings.log_level)


def _make_node(slot: BulkSlot | None) -> Node:
    made = Node(create_service(settings), settings, here=("urgent", "normal", "bulk"), bulk=slot)
    # The first task of this process finds the index asked for, and loads it before an article waits for it.
    with made.unit_of_work() as session:
        jobs.add(session, actions.PLACE, actions.ALL)
    return made


node = WorkerNode(_make_node)
