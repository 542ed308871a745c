"""Brings recommend's database to the newest schema: `python -m services.recommend.migrate`."""

from __future__ import annotations

import os

from services.recommend.settings import RecommendSettings
from shared.migrate import main

if __name__ == "__main__":
    main(RecommendSettings.from_env(os.environ, "recommend"))
