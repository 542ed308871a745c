"""The rules of ingest: pure functions and values, without Flask, Celery, SQLAlchemy or Redis.

texts: what a text may hold. slugs: addresses from headlines. bodies and nesting: what of an article's HTML is kept.
states: which move leads from which state to which. journey: the steps of a timeline in plain words.
"""
