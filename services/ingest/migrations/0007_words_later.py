"""SQLite's index of words is written in batches: writing it for each article was a tenth of accepting one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note which rows the index does not hold yet, and what it holds of them instead."""
    op.add_column("article_words", sa.Column("due", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("article_words", sa.Column("indexed_words", sa.Text))
    op.create_index(
        "ix_article_words_due",
        "article_words",
        ["number"],
        sqlite_where=sa.text("due"),
        postgresql_where=sa.text("due"),
    )
