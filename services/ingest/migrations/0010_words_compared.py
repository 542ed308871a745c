"""PostgreSQL keeps the words that it compares: made anew for each row looked at, they took a list a second."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the words as PostgreSQL compares them, and have its index stand on them; SQLite has its own."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.drop_index("ix_article_words_words", "article_words")
    op.execute(
        sa.text(
            "ALTER TABLE article_words ADD COLUMN vector tsvector "
            "GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED"
        )
    )
    op.execute(sa.text("CREATE INDEX ix_article_words_words ON article_words USING gin (vector)"))
