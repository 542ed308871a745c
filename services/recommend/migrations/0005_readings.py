"""Articles are read anew: the opening of a text counts for more, and the fingerprint of copies is smaller."""

import zlib

import sqlalchemy as sa
from alembic import op

from services.recommend.index import read

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ROWS = 500


def upgrade() -> None:
    """Read each live article again from the text that readers search, or its headline; the index is made anew."""
    connection = op.get_bind()
    articles = sa.table(
        "articles",
        *(sa.column("id", sa.Uuid), sa.column("status"), sa.column("language"), sa.column("headline")),
        sa.column("reading", sa.LargeBinary),
    )
    texts = sa.table("search_texts", sa.column("article_id", sa.Uuid), sa.column("text", sa.LargeBinary))
    live = (
        sa.select(articles.c.id, articles.c.language, articles.c.headline, texts.c.text)
        .select_from(articles.outerjoin(texts, texts.c.article_id == articles.c.id))
        .where(articles.c.status == "live")
        .order_by(articles.c.id)
        .limit(_ROWS)
    )
    rows = connection.execute(live).all()
    while rows:
        for row in rows:
            text = "" if row.text is None else zlib.decompress(row.text).decode()
            reading = read(row.language, row.headline, text).packed()
            connection.execute(sa.update(articles).where(articles.c.id == row.id).values(reading=reading))
        rows = connection.execute(live.where(articles.c.id > rows[-1].id)).all()
    connection.execute(sa.text("UPDATE index_state SET weights = weights + 1, serial = serial + 1"))
