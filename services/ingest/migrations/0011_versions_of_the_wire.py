"""When an agency made the version that an article holds: an older one that comes late does not replace it."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of articles from before, any version is the newest."""
    op.add_column("origins", sa.Column("version_at", UtcDateTime))
