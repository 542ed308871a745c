"""Embargo, expiry, pictures, translations, former addresses and whatever else an article says; media."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, with what the articles that are there already have in them, and two tables."""
    for column in (
        sa.Column("embargo", UtcDateTime),
        sa.Column("expires", UtcDateTime),
        sa.Column("evergreen", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("canonical_url", sa.Text),
        sa.Column("translations", sa.Uuid),
        sa.Column("custom", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("old_paths", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("retraction_note", sa.Text),
        sa.Column("retracted_at", UtcDateTime),
    ):
        op.add_column("articles", column)
    op.add_column("revisions", sa.Column("images", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("revisions", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "former_paths",
        sa.Column("path", sa.String(600), nullable=False),
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_former_paths"),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_former_paths_article_id_articles"),
    )
    op.create_index("ix_former_paths_article_id", "former_paths", ["article_id"])
    op.create_table(
        "media",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(60), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("alt", sa.Text, nullable=False),
        sa.Column("decorative", sa.Boolean, nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("credit", sa.Text, nullable=False),
        sa.Column("copyright", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("uploaded_at", UtcDateTime, nullable=False),
        sa.Column("uploaded_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_media"),
    )
    op.create_index("ix_media_digest", "media", ["digest"], unique=True)
