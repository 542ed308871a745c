"""recommend: what to read next.

Owns what it needs to know of each live article, the index in the memory of one process, and every article's related
set. Says related.changed and article.progress. Hears article.published, article.corrected and article.killed.
"""
