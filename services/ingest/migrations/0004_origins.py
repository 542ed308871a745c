"""The ids that articles have elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of origins."""
    op.create_table(
        "origins",
        sa.Column("origin", sa.String(300), nullable=False),
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("origin", name="pk_origins"),
    )
    op.create_index("ix_origins_article_id", "origins", ["article_id"])
