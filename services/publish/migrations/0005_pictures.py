"""Pictures, which articles show them, and whether their renditions are in place."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "picture_looks",
        sa.Column("look", sa.String(80), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, index=True),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("focus_x", sa.Float, nullable=False),
        sa.Column("focus_y", sa.Float, nullable=False),
        sa.Column("ready", sa.Boolean, nullable=False),
    )
    op.create_table(
        "picture_uses",
        sa.Column("article_id", sa.Uuid, primary_key=True),
        sa.Column("look", sa.String(80), primary_key=True, index=True),
    )
