"""Brings ingest's database to the newest schema: `python -m services.ingest.migrate`."""

from __future__ import annotations

import os

from services.ingest.settings import IngestSettings
from shared.migrate import main

if __name__ == "__main__":
    main(IngestSettings.from_env(os.environ, "ingest"))
