"""Brings publish's database to the newest schema: `python -m services.publish.migrate`."""

from __future__ import annotations

import os

from services.publish.settings import PublishSettings
from shared.migrate import main

if __name__ == "__main__":
    main(PublishSettings.from_env(os.environ, "publish"))
