"""The API keys that ingest has told of."""

from alembic import op

from shared.keys import create_keys_table_v1

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of keys."""
    create_keys_table_v1(op)
