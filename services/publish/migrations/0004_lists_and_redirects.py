"""Lists with fixed places, files beside pages, translations, leading pictures, and redirects."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables and columns. Lists that are there already are filled when the site is built again."""
    epoch = sa.text("'1970-01-01 00:00:00+00:00'")
    op.add_column("articles", sa.Column("updated_at", UtcDateTime, nullable=False, server_default=epoch))
    op.execute("UPDATE articles SET updated_at = first_published_at")
    op.add_column("articles", sa.Column("picture", sa.JSON))
    op.add_column("articles", sa.Column("pictured", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("articles", sa.Column("translations", sa.Uuid))
    op.create_index("ix_articles_translations", "articles", ["translations"])
    op.add_column("pages", sa.Column("beside", sa.JSON, nullable=False, server_default="{}"))
    # Feeds were pages of their own and now stand beside their lists; what lists show is no longer noted.
    op.execute("DELETE FROM pages WHERE path LIKE '%/feed.xml'")
    op.execute("DELETE FROM page_uses WHERE path NOT IN (SELECT path FROM articles)")
    op.create_table(
        "listed_articles",
        sa.Column("article_id", sa.Uuid, primary_key=True),
        sa.Column("list_path", sa.String(600), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("position", sa.Integer),
    )
    op.create_index("ix_listed_articles_position", "listed_articles", ["list_path", "position"])
    op.create_index("ix_listed_articles_at", "listed_articles", ["list_path", "at"])
    op.create_table(
        "list_sizes",
        sa.Column("path", sa.String(600), primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
    )
    op.create_table(
        "redirects",
        sa.Column("path", sa.String(600), primary_key=True),
        sa.Column("target", sa.String(2000), nullable=False),
        sa.Column("article_id", sa.Uuid, index=True),
        sa.Column("made_at", UtcDateTime, nullable=False),
    )
