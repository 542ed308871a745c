"""What a search of articles looks through: FTS5 on SQLite, a tsvector on PostgreSQL."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of words with its index, and put in what is there already."""
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "article_words",
        sa.Column("number", serial, nullable=False, autoincrement=True),
        sa.Column("article_id", sa.Uuid, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_article_words"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_article_words_article_id", "article_words", ["article_id"], unique=True)
    op.create_index("ix_articles_first_published_at", "articles", ["first_published_at"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE article_words_fts USING fts5("
            "words, content='article_words', content_rowid='number', columnsize=0, detail='none', "
            "tokenize='unicode61 remove_diacritics 0')"
        )
    else:
        op.execute("CREATE INDEX ix_article_words_words ON article_words USING gin (to_tsvector('simple', words))")
    op.execute(
        "INSERT INTO article_words (article_id, words) "
        "SELECT a.id, lower(r.headline || ' ' || r.standfirst || ' ' || a.slug) FROM articles a "
        "JOIN revisions r ON r.article_id = a.id AND r.number = a.revision ORDER BY a.id"
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO article_words_fts (article_words_fts) VALUES ('rebuild')")
