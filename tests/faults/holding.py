"""A Celery worker that holds a message when its Redis dies: `python -m tests.faults.holding REDIS_URL FOLDER`.

Its task writes that it has begun, and waits until the folder holds the file "go".
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from shared.celery_app import create_celery, task

QUEUE = "publish.deliver"


@task("tests.hold", acks_late=True)
def hold(*, name: str) -> None:
    """Begin, and end when told."""
    folder = Path(sys.argv[2])
    (folder / name).touch()
    while not (folder / "go").exists():
        threading.Event().wait(0.02)


def main() -> None:
    """Work, in threads, as deliveries are made."""
    app = create_celery("publish", sys.argv[1], include=[])
    app.set_default()
    app.Worker(pool_cls="threads", concurrency=2, queues=[QUEUE], without_gossip=True, without_mingle=True).start()


if __name__ == "__main__":
    main()
