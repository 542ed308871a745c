"""Search for readers: what is put into the database's full text, how a query is read, and what is shown of a hit.

Words are folded and stemmed here and not by the database, by the language of the article: so SQLite's FTS5 and
PostgreSQL's tsvector answer alike, accents are optional in every language, and Arabic is unified as everywhere else.
"""
