"""ingest: what the newsroom says.

Owns articles, their revisions, the timeline of each article's journey, and the first answers to repeated requests.
Says article.published, article.corrected and article.killed (and all of them again when a replay is asked for).
Hears article.progress, with which publish and recommend tell how far an article has come.
"""
