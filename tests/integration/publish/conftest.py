"""publish on each database, and somebody whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.publish.service import create_service
from services.publish.settings import PublishSettings
from tests.fakes import Receiver, receiver
from tests.integration.publish.house import House


@pytest.fixture
def settings(database_of: Callable[[str], str], settings_for: Callable[..., PublishSettings]) -> PublishSettings:
    """Of a publish that may send to receivers on this machine."""
    return settings_for(
        "publish",
        database_of("publish"),
        cls=PublishSettings,
        ROTATIVE_WEBHOOK_ALLOW="127.0.0.0/8",
        ROTATIVE_WEBHOOK_TIMEOUT_S="5",
        ROTATIVE_BASE_URL="https://journal.test",
        # Whatever the hour at which the tests run, the letter of the day may be made.
        ROTATIVE_DIGEST_HOUR="00:00",
    )


@pytest.fixture
def house(settings: PublishSettings) -> Iterator[House]:
    """publish, with nothing published yet."""
    house = House(create_service(settings), settings)
    yield house
    house.node.close()


@pytest.fixture
def told() -> Iterator[Receiver]:
    """A receiver that takes everything, until told otherwise."""
    with receiver() as made:
        yield made
