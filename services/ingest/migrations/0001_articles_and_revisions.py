"""Articles, their revisions and timelines, first answers, and the protocol's tables."""

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
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("section", sa.String(60), nullable=False),
        sa.Column("slug", sa.String(80), nullable=False),
        sa.Column("path", sa.String(600), nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("urgency", sa.Integer, nullable=False),
        sa.Column("notify", sa.Boolean, nullable=False),
        sa.Column("published_at", UtcDateTime),
        sa.Column("accepted_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.String(80), nullable=False),
        sa.Column("first_published_at", UtcDateTime),
        sa.Column("updated_at", UtcDateTime),
        sa.Column("live_at", UtcDateTime),
        sa.Column("kill_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
    )
    op.create_index("ix_articles_path", "articles", ["path"], unique=True)
    op.create_index("ix_articles_status_id", "articles", ["status", "id"])
    op.create_index("ix_articles_section_id", "articles", ["section", "id"])
    op.create_index("ix_articles_language_id", "articles", ["language", "id"])
    op.create_table(
        "revisions",
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("standfirst", sa.Text, nullable=False),
        sa.Column("body_format", sa.String(10), nullable=False),
        sa.Column("body_text", sa.Text),
        sa.Column("body_html", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("bylines", sa.JSON, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("article_id", "number", name="pk_revisions"),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_revisions_article_id_articles"),
    )
    op.create_table(
        "timeline",
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("mark", sa.String(16), nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("step", sa.String(60), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("article_id", "at", "mark", name="pk_timeline"),
    )
    op.create_table(
        "first_answers",
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("path", sa.String(300), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("owner", "path", "key", name="pk_first_answers"),
    )
    op.create_index("ix_first_answers_made_at", "first_answers", ["made_at"])
