"""`rotative import`: archives from elsewhere, item by item, as the API takes articles.

wxr: WordPress exports. ninjs: IPTC's article format. jsonl: articles as the API takes them, one a line. runner: sends
them in batches, remembers how far it came, and reports what was not taken.
"""
