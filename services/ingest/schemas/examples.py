"""Bodies as an editor or a script would send them, by the names of their schemas, for the API's description."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, Any] = {
    "ArticleBody": {
        "headline": "La halle du port rouvre samedi",
        "standfirst": "Trente étals, et un toit neuf.",
        "body": {"format": "markdown", "text": "La halle **rouvre**."},
        "language": "fr",
        "section": "societe",
        "bylines": ["Ysaure Talmont"],
        "tags": ["halle", "commerce"],
        "status": "live",
    },
    "ArticlePatch": {"standfirst": "Quarante étals.", "change": "correction", "note": "Les étals sont quarante."},
    "ArticlePut": {
        "headline": "La halle du port rouvre samedi",
        "body": {"format": "text", "text": "La halle rouvre."},
        "section": "societe",
    },
    "PublishBody": {"embargo": "2027-03-28T09:00:00+02:00"},
    "RetractBody": {"reason": "La source s’est rétractée."},
    "KillBody": {"reason": "La source s’est rétractée."},
    "ReplayBody": {"since": "2026-11-23T09:00:00Z"},
    "KeyBody": {"name": "desk politique", "role": "editor"},
    "NothingBody": {},
    "PreviewBody": {"expires_at": "2026-11-30T09:00:00Z"},
    "ninjs": {
        "uri": "urn:agence:2026:halle-du-port",
        "type": "text",
        "language": "fr",
        "headlines": [{"role": "main", "value": "La halle du port rouvre samedi"}],
        "bodies": [{"contentType": "text/html", "value": "<p>La halle rouvre.</p>"}],
        "subjects": [{"uri": "societe", "name": "Société"}],
    },
    "batch": (
        '{"headline": "Un", "section": "societe", "body": {"format": "text", "text": "Un."}, "status": "live"}\n'
        '{"headline": "Deux", "section": "sport", "body": {"format": "text", "text": "Deux."}, "status": "draft"}\n'
    ),
    "media": {"file": "(the file itself)", "alt": "La halle, vue du quai", "credit": "Ysaure Talmont"},
}
