"""Since when a subscription is told, when it was last stopped, and since when an article is withdrawn."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns; a subscription without them is told since it was confirmed or made."""
    op.add_column("subscriptions", sa.Column("told_from", UtcDateTime))
    op.add_column("subscriptions", sa.Column("stopped_at", UtcDateTime))
    op.add_column("articles", sa.Column("withdrawn_at", UtcDateTime))
