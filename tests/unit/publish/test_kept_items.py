from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from services.publish.kept_items import KeptItems
from services.publish.renderers.feeds import Items
from services.publish.store import Version

AT = datetime(2026, 11, 23, 11, 5, tzinfo=UTC)


def items_of(number: int, body: str = "Le pont ferme. ") -> Items:
    return Items(
        AT, f"<item>{number} {body}".encode(), f"<entry>{number} {body}".encode(), f'{{"{number}": {body}}}'.encode()
    )


class Maker:
    """Makes items, and remembers which."""

    def __init__(self, body: str = "Le pont ferme. ") -> None:
        self.made: list[int] = []
        self.body = body

    def __call__(self, ids: Sequence[UUID]) -> dict[UUID, Items]:
        self.made += [one.int for one in ids]
        return {one: items_of(one.int, self.body) for one in ids}


def version(number: int, change: int = 1) -> Version:
    return Version(UUID(int=number), change, False)


def test_an_item_is_made_once_whether_it_is_kept_plain_or_packed():
    kept, make = KeptItems(plain=2, packed=10), Maker()
    wanted = [version(number) for number in range(6)]

    first = kept.take(wanted, make)
    second = kept.take(wanted[::-1], make)

    assert first == second[::-1] == [items_of(number) for number in range(6)]
    assert make.made == list(range(6))


def test_a_new_change_is_made_anew_and_so_is_what_was_kept_too_long_ago():
    kept, make = KeptItems(plain=1, packed=2), Maker()
    kept.take([version(number) for number in range(5)], make)

    kept.take([version(4, change=2), version(0), version(3)], make)

    assert make.made == [0, 1, 2, 3, 4, 4, 0]


def test_a_very_long_text_is_not_kept():
    kept, make = KeptItems(), Maker(body="x" * 50_000)

    kept.take([version(1)], make)
    kept.take([version(1)], make)

    assert make.made == [1, 1]
