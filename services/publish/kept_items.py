"""What was made of articles for feeds, kept by version: each article stands in many feeds, and a version never changes.

The newest few hundred as they are, thousands of others compressed: a text that stands in three formats packs well.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.publish.renderers.feeds import KEPT_BODY, Items
from services.publish.store import Version

# Plain ones are used with every article that comes in. Packed ones take some 2 kB each.
PLAIN, PACKED = 400, 4000
# Longer ones, in bytes of one format, are made anew each time.
_LONGEST = 2 * KEPT_BODY


class _Packed(NamedTuple):
    updated_at: datetime
    ends: tuple[int, int]
    content: bytes


class KeptItems:
    """Items of articles in feeds, as one renderer writes them; for one thread."""

    def __init__(self, *, plain: int = PLAIN, packed: int = PACKED) -> None:
        self._most_plain, self._most_packed = plain, packed
        self._plain: OrderedDict[Version, Items] = OrderedDict()
        self._packed: OrderedDict[Version, _Packed] = OrderedDict()

    def take(self, versions: Sequence[Version], make: Callable[[Sequence[UUID]], Mapping[UUID, Items]]) -> list[Items]:
        """The items of these versions, in the same order. make: those of these articles, read anew."""
        found = {one: items for one in versions if (items := self._held(one)) is not None}
        missing = [one for one in versions if one not in found]
        if missing:
            fresh = make([one.id for one in missing])
            for one in missing:
                found[one] = fresh[one.id]
                if len(found[one].json) <= _LONGEST:
                    self._keep(one, found[one])
        return [found[one] for one in versions]

    def _held(self, version: Version) -> Items | None:
        items = self._plain.get(version)
        if items is not None:
            self._plain.move_to_end(version)
            return items
        packed = self._packed.get(version)
        return _unpacked(packed) if packed is not None else None

    def _keep(self, version: Version, items: Items) -> None:
        self._plain[version] = items
        while len(self._plain) > self._most_plain:
            oldest, content = self._plain.popitem(last=False)
            self._packed[oldest] = _pack(content)
        while len(self._packed) > self._most_packed:
            self._packed.popitem(last=False)


def _pack(items: Items) -> _Packed:
    ends = (len(items.rss), len(items.rss) + len(items.atom))
    return _Packed(items.updated_at, ends, zlib.compress(items.rss + items.atom + items.json, 1))


def _unpacked(packed: _Packed) -> Items:
    content = zlib.decompress(packed.content)
    first, second = packed.ends
    return Items(packed.updated_at, content[:first], content[first:second], content[second:])
