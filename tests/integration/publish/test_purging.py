"""A cache in front is told of every change, in each of the forms that caches understand, and again if it was away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select, update

from services.publish import redirects
from services.publish.kinds import PURGE
from services.publish.service import create_service, make_builder
from services.publish.settings import PublishSettings
from shared import clock
from shared.settings import SettingError
from shared.tables import jobs as jobs_table
from tests.factories import killed, public_article, published
from tests.integration.publish.house import House


class Cache:
    """A cache's front door: notes what it is told, and answers with `status`."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str, str]] = []
        self.status = 200
        cache = self

        class Handler(BaseHTTPRequestHandler):
            def _note(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                cache.told.append((self.command, self.path, body, self.headers.get("X-Key", "")))
                self.send_response(cache.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PURGE = do_POST = _note

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def cache() -> Iterator[Cache]:
    cache = Cache()
    yield cache
    cache.close()


@pytest.fixture
def start(
    database_of: Callable[[str], str], settings_for: Callable[..., PublishSettings], cache: Cache
) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(**variables: str) -> House:
        make_builder.cache_clear()
        settings = settings_for(
            "publish",
            database_of("publish"),
            cls=PublishSettings,
            ROTATIVE_BASE_URL="https://journal.test",
            **{"ROTATIVE_PURGE_HEADER": "X-Key: secret", **variables},
        )
        houses.append(House(create_service(settings), settings))
        return houses[-1]

    yield make
    for one in houses:
        one.node.close()


def deliver(house: House) -> None:
    """What the delivering process does, whatever was to wait."""
    with house.node.unit_of_work() as session:
        waiting = (jobs_table.c.kind == PURGE) & (jobs_table.c.state == "ready")
        session.execute(update(jobs_table).where(waiting).values(run_at=clock.now()))
    house.node.run_jobs("deliver")


def states(house: House) -> set[str]:
    with house.node.reading() as session:
        return set(session.scalars(select(jobs_table.c.state).where(jobs_table.c.kind == PURGE)))


def test_each_address_that_has_changed_is_purged_with_what_stands_beside_it(
    start: Callable[..., House], cache: Cache
) -> None:
    house = start(ROTATIVE_PURGE_URL=f"{cache.url}{{path}}")
    article = public_article()
    house.hear(published(**vars(article)))
    house.finish()
    deliver(house)

    told = {path for method, path, _, _ in cache.told if method == "PURGE"}
    assert {article.path, f"{article.path}/ninjs.json", "/", "/feed.xml", "/societe", "/societe/"} <= told
    assert {key for *_, key in cache.told} == {"secret"}
    assert states(house) == {"done"}

    cache.told.clear()
    with house.node.unit_of_work() as session:
        redirects.put(session, "/vieux", article.path, builder=house.publish.builder, now=clock.now())
    house.hear(killed(**{**vars(article), "status": "killed", "change": 2, "body_html": ""}), lane="urgent")
    deliver(house)
    assert {article.path, "/vieux"} <= {path for _, path, _, _ in cache.told}


@pytest.mark.parametrize(("form", "start_of"), [("paths", "/"), ("files", "https://journal.test/")])
def test_a_list_of_what_has_changed_is_posted(
    start: Callable[..., House], cache: Cache, form: str, start_of: str
) -> None:
    house = start(ROTATIVE_PURGE_URL=f"{cache.url}/purge", ROTATIVE_PURGE_AS=form)
    house.hear(*(published(slug=f"a{number}") for number in range(20)))
    house.finish()
    deliver(house)

    lists = [json.loads(body)[form] for method, path, body, _ in cache.told if (method, path) == ("POST", "/purge")]
    assert len(lists) == len(cache.told) >= 2
    assert max(map(len, lists)) <= 30
    assert {f"{start_of}societe/a{number}" for number in range(20)} <= {one for some in lists for one in some}
    assert all(one.startswith(start_of) for some in lists for one in some)


def test_a_cache_that_is_away_is_told_again(start: Callable[..., House], cache: Cache) -> None:
    house = start(ROTATIVE_PURGE_URL=f"{cache.url}{{path}}")
    cache.status = 503
    house.hear(published())
    for _ in range(12):
        deliver(house)
    assert states(house) == {"ready"}, "neither given up nor dead: it is told when it is back"

    cache.status = 404
    deliver(house)
    assert states(house) == {"done"}, "what a cache does not hold it need not forget"


def test_without_the_setting_nothing_is_noted(start: Callable[..., House]) -> None:
    house = start()
    house.hear(published())
    house.finish()
    assert states(house) == set()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ROTATIVE_PURGE_URL", "cache:80", "should be an address"),
        ("ROTATIVE_PURGE_URL", "http://cache", "should have {path}"),
        ("ROTATIVE_PURGE_AS", "keys", "should be each, paths or files"),
        ("ROTATIVE_PURGE_HEADER", "nonsense", "value not shown"),
    ],
)
def test_a_wrong_setting_is_named(start: Callable[..., House], name: str, value: str, said: str) -> None:
    with pytest.raises(SettingError, match=said.replace("{", r"\{")):
        start(**{name: value})
