"""What editors decide: pins, bans, age limits; and which articles do not age."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it; what is there already ages, as it did."""
    op.add_column("articles", sa.Column("evergreen", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "hands",
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.Column("pins", sa.JSON, nullable=False),
        sa.Column("bans", sa.JSON, nullable=False),
        sa.Column("never_offered", sa.Boolean, nullable=False),
        sa.Column("never_gets_any", sa.Boolean, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_hands"),
    )
    op.create_table(
        "section_rules",
        sa.Column("section", sa.String(80), nullable=False),
        sa.Column("age_limit_days", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("section", name="pk_section_rules"),
    )
