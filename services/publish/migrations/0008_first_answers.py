"""The first answers to requests with an Idempotency-Key."""

from alembic import op

from shared.tables import create_protocol_tables_v2

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table."""
    create_protocol_tables_v2(op)
