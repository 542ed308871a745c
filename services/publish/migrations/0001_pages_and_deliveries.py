"""What publish knows of articles, pages and what they use, subscriptions and deliveries, and the protocol's tables."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime
from shared.tables import create_protocol_tables_v1

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    create_protocol_tables_v1(op)
    op.create_table(
        "articles",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("section", sa.String(80), nullable=False),
        sa.Column("path", sa.String(600), nullable=False),
        sa.Column("first_published_at", UtcDateTime, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("bylines", sa.JSON, nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
    )
    op.create_index("ix_articles_edition", "articles", ["language", "status", "first_published_at"])
    op.create_index("ix_articles_section", "articles", ["language", "section", "status", "first_published_at"])
    op.create_index("ix_articles_path", "articles", ["path"])
    op.create_table(
        "related_sets",
        sa.Column("article_id", sa.Uuid, primary_key=True),
        sa.Column("set_number", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.JSON, nullable=False),
    )
    op.create_table(
        "pages",
        sa.Column("path", sa.String(600), primary_key=True),
        sa.Column("article_id", sa.Uuid, index=True),
        sa.Column("build", sa.Integer, nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("built_at", UtcDateTime, nullable=False, index=True),
    )
    op.create_table(
        "page_uses",
        sa.Column("path", sa.String(600), primary_key=True),
        sa.Column("article_id", sa.Uuid, primary_key=True, index=True),
    )
    op.create_table(
        "site_facts",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.String(200), nullable=False),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("filter", sa.JSON, nullable=False),
        sa.Column("status", sa.String(10), nullable=False, index=True),
        sa.Column("why", sa.String(400), nullable=False),
        sa.Column("secret_version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "subscription_id",
            sa.Uuid,
            sa.ForeignKey("subscriptions.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("announces", sa.Boolean),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("put_back", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime, index=True),
        sa.UniqueConstraint("subscription_id", "article_id", "change"),
    )
    op.create_index(
        "ix_deliveries_announces",
        "deliveries",
        ["subscription_id", "article_id"],
        unique=True,
        sqlite_where=sa.text("announces"),
        postgresql_where=sa.text("announces"),
    )
    op.create_index("ix_deliveries_article_id_state", "deliveries", ["article_id", "state"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "delivery_id", sa.Uuid, sa.ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("at", UtcDateTime, nullable=False, index=True),
        sa.Column("took_ms", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.String(500), nullable=False),
    )
