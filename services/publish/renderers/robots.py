"""What machines are told at the root of the site: robots.txt (RFC 9309) and the reservation of text and data mining."""

from __future__ import annotations

import json

from shared.newsroom import Newsroom

# Crawlers that gather texts to train models; a newsroom that opts out asks them to stay away.
TRAINING_CRAWLERS = (
    "AI2Bot",
    "Amazonbot",
    "anthropic-ai",
    "Applebot-Extended",
    "Bytespider",
    "CCBot",
    "ClaudeBot",
    "cohere-training-data-crawler",
    "Diffbot",
    "FacebookBot",
    "Google-Extended",
    "GPTBot",
    "ImagesiftBot",
    "img2dataset",
    "meta-externalagent",
    "omgili",
    "PanguBot",
    "Timpibot",
    "Webzio-Extended",
)


def robots_txt(newsroom: Newsroom, sitemap_paths: tuple[str, ...] = ()) -> bytes:
    """robots.txt. sitemap_paths: URL paths of the sitemaps that exist."""
    lines: list[str] = []
    if newsroom.ai_opt_out:
        lines += [f"User-agent: {name}" for name in TRAINING_CRAWLERS]
        lines += ["Disallow: /", ""]
    lines += ["User-agent: *", "Disallow: /v1/", "Disallow: /preview/", "Disallow: /search"]
    if sitemap_paths:
        lines.append("")
        lines += [f"Sitemap: {newsroom.url(path)}" for path in sitemap_paths]
    return ("\n".join(lines) + "\n").encode()


def tdmrep_json() -> bytes:
    """/.well-known/tdmrep.json (TDMRep): text and data mining of the whole site is reserved. Without it, it is not."""
    return (json.dumps([{"location": "/*", "tdm-reservation": 1}]) + "\n").encode()
