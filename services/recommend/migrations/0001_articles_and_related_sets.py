"""What recommend knows of articles, their related sets, the state of the index, and the protocol's tables."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime
from shared.tables import create_protocol_tables_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    create_protocol_tables_v1(op)
    op.create_table(
        "articles",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("section", sa.String(80), nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("published_at", UtcDateTime, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("reading", sa.LargeBinary, nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
    )
    op.create_index("ix_articles_position", "articles", ["position"])
    op.create_index(
        "ix_articles_waiting",
        "articles",
        ["id"],
        sqlite_where=sa.text("position = 0"),
        postgresql_where=sa.text("position = 0"),
    )
    op.create_table(
        "related_sets",
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.Column("set_number", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.JSON, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_related_sets"),
    )
    state = op.create_table(
        "index_state",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("born", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("held_until", UtcDateTime, nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("set_number", sa.BigInteger, nullable=False),
        sa.Column("weights", sa.BigInteger, nullable=False),
        sa.Column("counted", sa.BigInteger, nullable=False),
        sa.Column("refreshed_at", UtcDateTime),
        sa.Column("placed_at", UtcDateTime),
        sa.Column("changed_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_index_state"),
    )
    first = {"id": 1, "born": uuid4().hex, "holder": "", "held_until": datetime(2000, 1, 1, tzinfo=UTC)}
    op.bulk_insert(state, [first | {"serial": 0, "set_number": 0, "weights": 0, "counted": 0}])
