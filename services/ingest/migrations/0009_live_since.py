"""When an article last went live, whatever date it bears: who subscribes after that is told of no refile."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of older articles it is not known, and when they were seen live stands for it."""
    op.add_column("articles", sa.Column("live_since", UtcDateTime))
