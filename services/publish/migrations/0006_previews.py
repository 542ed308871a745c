"""Pages that only whoever has their link can see."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of previews."""
    op.create_table(
        "previews",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("article", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_previews"),
    )
    op.create_index("ix_previews_digest", "previews", ["digest"], unique=True)
    op.create_index("ix_previews_expires_at", "previews", ["expires_at"])
