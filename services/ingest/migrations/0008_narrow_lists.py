"""Lists by two or three of state, section and language, and by dates of publication, read no more than they show."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes; one takes the place of another that it begins with."""
    op.create_index("ix_articles_section_status", "articles", ["section", "status", "language", "id"])
    op.create_index("ix_articles_section_language", "articles", ["section", "language", "id"])
    op.create_index("ix_articles_language_status", "articles", ["language", "status", "id"])
    op.create_index("ix_articles_first_published_at_id", "articles", ["first_published_at", "id"])
    op.drop_index("ix_articles_first_published_at", "articles")
