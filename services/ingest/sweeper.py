"""The sweeper process of ingest: `python -m services.ingest.sweeper`."""

from __future__ import annotations

import os
import signal
import sys
import threading

from services.ingest.service import create_service
from services.ingest.settings import IngestSettings
from shared import logs
from shared.service import Node
from shared.settings import SettingError
from shared.sweeper import Sweeper


def main() -> int:
    """Sweep until SIGTERM or SIGINT."""
    try:
        settings = IngestSettings.from_env(os.environ)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 1
    logs.set_up("ingest", settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    node = Node(create_service(settings), settings)
    try:
        Sweeper([node]).run(stop)
    finally:
        node.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
