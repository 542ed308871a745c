"""A delivering process to be killed: `python -m tests.faults.delivering`, its settings from the environment.

It does what is due of deliveries, without Celery and without waiting for the times of next attempts, until its
standard input ends.
"""

from __future__ import annotations

import os
import sys
import threading

from sqlalchemy import update

from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock, jobs
from shared.service import Node
from shared.tables import jobs as jobs_table


def main() -> None:
    """Work until told to end."""
    settings = PublishSettings.from_env(os.environ, "publish")
    node = Node(create_service(settings).service, settings)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.wait(0.02):
        with node.unit_of_work() as session:
            jobs.free_expired(session, now=clock.now())
            session.execute(update(jobs_table).where(jobs_table.c.state == "ready").values(run_at=clock.now()))
        for lane in ("deliver", "retry"):
            node.run_jobs(lane)
    node.close()


if __name__ == "__main__":
    main()
