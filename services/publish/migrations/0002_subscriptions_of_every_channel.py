"""Subscriptions of every channel: owners, pauses, readers; deliveries by channel, found without reading kept ones."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns, tables and indexes; what is there belongs to webhooks."""
    for column in (
        sa.Column("contact", sa.String(320), nullable=False, server_default=""),
        sa.Column("language", sa.String(35), nullable=False, server_default=""),
        sa.Column("keys", sa.JSON),
        sa.Column("reader", sa.String(64)),
        sa.Column("asked", sa.Integer, nullable=False, server_default="0"),
        sa.Column("asked_at", UtcDateTime),
        sa.Column("confirmed_at", UtcDateTime),
        sa.Column("failing_since", UtcDateTime),
        sa.Column("old_secret_until", UtcDateTime),
    ):
        op.add_column("subscriptions", column)
    op.create_index("ix_subscriptions_reader", "subscriptions", ["reader"], unique=True)
    op.create_index("ix_subscriptions_told", "subscriptions", ["status", "channel", "id"])
    op.drop_index("ix_subscriptions_status", "subscriptions")
    op.add_column("deliveries", sa.Column("channel", sa.String(20), nullable=False, server_default="webhook"))
    # Kept for good are the deliveries that keep an article from being announced twice: nothing may read all of them.
    partial = (
        ("ix_deliveries_old", ["ended_at"], "announces IS NULL AND ended_at IS NOT NULL"),
        ("ix_deliveries_unemptied", ["ended_at"], "announces IS NOT NULL AND ended_at IS NOT NULL AND body <> ''"),
        ("ix_deliveries_owed", ["channel", "subscription_id", "id"], "state IN ('due', 'sending')"),
        ("ix_deliveries_failed", ["channel", "id"], "state IN ('failed', 'unknown')"),
    )
    for name, columns, where in partial:
        op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("ix_deliveries_of_subscription", "deliveries", ["subscription_id", "id"])
    op.drop_index("ix_deliveries_subscription_id", "deliveries")
    op.drop_index("ix_deliveries_ended_at", "deliveries")
    op.create_table(
        "digests",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("entries", sa.JSON, nullable=False),
        sa.UniqueConstraint("language", "day"),
    )
