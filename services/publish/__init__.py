"""publish: the finished site, and who is told of it.

Owns what it needs to know of each live article, pages and what each page used, subscriptions and deliveries. Says
`article.progress`; hears `article.published`, `article.corrected`, `article.killed` and `related.changed`.
"""
