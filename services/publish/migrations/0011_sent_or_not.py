"""Whether an attempt without an answer may have arrived: one that found no connection surely did not."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; of earlier attempts nobody knows."""
    op.add_column("attempts", sa.Column("sent", sa.Boolean, nullable=False, server_default=sa.true()))
