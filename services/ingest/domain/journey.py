"""The steps of an article's journey in plain words, for its timeline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from string import Formatter

Detail = Mapping[str, str | int | float | bool | None]

# Our own steps; those of other services are theirs to name.
ACCEPTED = "accepted"
PUBLISHED = "published"
EDITED = "edited"
REFILED = "refiled"
CORRECTED = "corrected"
KILLED = "killed"
SEEN_LIVE = "seen_live"

# What a step's sentence is made of: the words, then what follows for each detail that is there.
_SENTENCES: dict[str, tuple[str, ...]] = {
    ACCEPTED: ("The article was accepted", " from {by}"),
    PUBLISHED: ("It was published", " by {by}"),
    EDITED: ("The draft was changed", " by {by}"),
    REFILED: ("It was refiled", " by {by}"),
    CORRECTED: ("It was corrected", " by {by}", ": {note}"),
    KILLED: ("It was killed", " by {by}", ": {reason}"),
    "related_set_made": (
        "Its related set was made",
        ": {entries} articles",
        ", {changed} sets of others changed",
    ),
    "page_written": ("Its page was written", " in {ms} ms"),
    SEEN_LIVE: ("Its page was seen live",),
    "announced": ("It was announced", ": {deliveries} deliveries"),
    "delivered": ("It was delivered", " by {channel}", " to {count} subscribers"),
    "delivery_failed": (
        "A delivery failed",
        " by {channel}",
        " to {count} subscribers",
        " with status {status}",
        "; next try at {next_try}",
    ),
    "gone": ("It is gone", " from {surface}"),
}


def sentence(step: str, detail: Detail) -> str:
    """The step as a sentence; an unknown step by its name. What the detail does not have is left out."""
    first, *parts = _SENTENCES.get(step, (step.replace("_", " ").capitalize(),))
    words = [first]
    for part in parts:
        names = [name for _, name, _, _ in Formatter().parse(part) if name]
        if all(detail.get(name) is not None for name in names):
            words.append(part.format_map(detail))
    text = "".join(words)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def mark(step: str, change: int, detail: Detail) -> str:
    """16 hex digits that are the same for the same fact."""
    fact = json.dumps([step, change, dict(detail)], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(fact.encode(), digest_size=8).hexdigest()
