"""What the renditions of each picture were when they were made, so that a changed file is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "picture_files",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("files", sa.JSON, nullable=False),
    )
