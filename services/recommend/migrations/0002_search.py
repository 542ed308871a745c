"""What readers can search: a row for each live article, and its words in the database's own full text."""

import sqlalchemy as sa
from alembic import op

from shared.db import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it, empty: a replay fills it from an archive that was there before."""
    # As the row id itself on SQLite.
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "search_texts",
        sa.Column("number", number, nullable=False, autoincrement=False),
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("section", sa.String(80), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("published_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_search_texts"),
    )
    op.create_index("ix_search_texts_article_id", "search_texts", ["article_id"], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search_words USING fts5"
            " (headline, body, facets, tokenize = 'unicode61 remove_diacritics 0', columnsize = 0)"
        )
    else:
        op.execute("CREATE TABLE search_words (number BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX ix_search_words_words ON search_words USING GIN (words)")
