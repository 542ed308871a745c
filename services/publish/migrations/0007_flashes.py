"""Flashes that were announced, so that a probe can say whether somebody heard of them."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "flashes",
        sa.Column("article_id", sa.Uuid, primary_key=True),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("announced_at", UtcDateTime, nullable=False, index=True),
    )
