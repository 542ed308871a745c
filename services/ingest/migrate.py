"""Brings ingest's database to the newest schema: `python -m services.ingest.migrate`."""

from __future__ import annotations

import os
import sys

from services.ingest.settings import IngestSettings
from shared.migrate import DatabaseTooNew, upgrade
from shared.settings import SettingError


def main() -> int:
    """Migrate; 0, or 1 with one sentence on standard error."""
    try:
        settings = IngestSettings.from_env(os.environ)
        print(f"ingest: at revision {upgrade(settings.database_url, 'ingest')}")
    except (DatabaseTooNew, SettingError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
