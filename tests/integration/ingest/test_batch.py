"""Batches: NDJSON in, a verdict for each line out."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from services.ingest.actions import batch
from services.ingest.routes import batch as routes
from shared import clock
from shared.http import MOST_BODY_BYTES
from shared.sweeper import tidy
from shared.tables import first_answers
from tests.integration.ingest.conftest import Newsroom


def article(**fields: Any) -> dict[str, Any]:
    body = {"format": "text", "text": "La mairie a confirmé."}
    return {"headline": "Le pont ferme", "section": "societe", "body": body, "status": "live", **fields}


def send(newsroom: Newsroom, lines: list[Any], query: str = "", **headers: str) -> list[dict[str, Any]]:
    data = "".join(line if isinstance(line, str) else f"{json.dumps(line)}\n" for line in lines)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = newsroom.client.post(
        f"/v1/articles/batch{query}",
        data=data.encode(),
        content_type="application/x-ndjson",
        headers={**newsroom.headers, **named},
    )
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_line_has_its_verdict_and_a_bad_one_spoils_no_other(newsroom: Newsroom) -> None:
    newsroom.accepted(slug="pris", section="sport")
    lines: list[Any] = [
        article(headline="Un"),
        "{not json\n",
        "\n",
        article(headline=""),
        article(slug="pris", section="sport"),
        article(headline="Deux", status="draft"),
        article(headline="Trois", images=[{"media": "01939c5e-0000-7000-8000-000000000000"}]),
        article(headline="Quatre"),
    ]

    verdicts = send(newsroom, lines)

    assert [one["line"] for one in verdicts] == [1, 2, 4, 5, 6, 7, 8], "as the body has them, the blank one too"
    assert [one["status"] for one in verdicts] == [201, 400, 422, 409, 201, 422, 201]
    assert verdicts[2]["problem"]["errors"][0]["pointer"] == "/headline"
    assert verdicts[3]["problem"]["code"] == "slug-taken"
    assert [verdicts[n].get("state") for n in (0, 4, 6)] == ["live", "draft", "live"]
    said = [one["data"]["article"]["headline"] for one in newsroom.said()]
    assert said[1:] == ["Un", "Quatre"]
    listed = newsroom.send("GET", "/v1/articles").get_json()["items"]
    assert [one["headline"] for one in listed[:3]] == ["Quatre", "Deux", "Un"]


def test_lines_commit_in_groups(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "GROUP_LINES", 3)

    verdicts = send(newsroom, [article(headline=f"Titre {n}") for n in range(10)])

    assert {one["status"] for one in verdicts} == {201}
    assert len(newsroom.said()) == 10


def test_a_bulk_batch_lets_the_news_pass(newsroom: Newsroom) -> None:
    send(newsroom, [article(notify=False)], "?bulk=true")

    assert [one["lane"] for one in newsroom.said()] == ["bulk"]


def test_an_archive_rests_after_each_group_while_news_is_accepted(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    monkeypatch.setattr("shared.service.NEWS_S", 3600.0)
    monkeypatch.setattr("shared.service.time.sleep", rests.append)
    archive = [article(headline=f"Archive {number}", notify=False) for number in range(batch.GROUP_LINES * 2 + 1)]
    newsroom.node._news_at = -3600.0
    send(newsroom, archive, "?bulk=true")
    assert not rests, "nobody waits"

    newsroom.accepted(headline="La une")
    send(newsroom, [{**one, "headline": f"{one['headline']} bis"} for one in archive], "?bulk=true")
    assert len(rests) == 2

    send(newsroom, [{**one, "headline": f"{one['headline']} ter"} for one in archive])
    assert len(rests) == 2, "what is no archive does not rest"


def test_a_batch_that_comes_again_under_its_key_gets_its_first_verdicts(newsroom: Newsroom) -> None:
    lines = [article(headline="Un"), article(headline="Deux")]

    first = send(newsroom, lines, Idempotency_Key='"b1"')
    again = send(newsroom, [*lines, article(headline="Trois")], Idempotency_Key="b1")
    other = send(newsroom, [article(headline="Autre")], Idempotency_Key="b1")

    assert [{**one, "replay": True} for one in first] == again[:2]
    assert again[2]["status"] == 201
    assert other[0]["problem"]["code"] == "idempotency-key-reused"
    assert len(newsroom.said()) == 3


def test_a_dry_run_of_a_batch_keeps_nothing(newsroom: Newsroom) -> None:
    verdicts = send(newsroom, [article(), article(), article(section="nowhere")], "?dry_run=true")

    assert [one["status"] for one in verdicts] == [201, 201, 422]
    assert newsroom.said() == []
    assert newsroom.send("GET", "/v1/articles").get_json()["items"] == []


def test_a_line_that_is_too_long_is_refused_and_the_next_is_taken(newsroom: Newsroom) -> None:
    verdicts = send(newsroom, ["x" * 5_000_000 + "\n", article()])

    assert [one["status"] for one in verdicts] == [400, 201]


@pytest.mark.parametrize("block", [1, 3, 7, 64])
def test_lines_are_found_whatever_the_blocks_they_come_in(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(routes, "LINE_BYTES", 10)
    monkeypatch.setattr(routes, "_BLOCK_BYTES", block)

    def lines(data: bytes) -> list[bytes | None]:
        return list(routes.raw_lines(io.BytesIO(data)))

    assert lines(b"") == []
    assert lines(b"ab\ncd") == [b"ab", b"cd"]
    assert lines(b"ab\n\ncd\n") == [b"ab", b"", b"cd"]
    assert lines(b"0123456789\n0123456789x\nab\n") == [b"0123456789", None, b"ab"]
    assert lines(b"ab\n" + b"x" * 100) == [b"ab", None]
    assert lines(b"x" * 100 + b"\n" + b"y" * 50 + b"\nab") == [None, None, b"ab"]


def test_a_batch_of_another_type_is_415(newsroom: Newsroom) -> None:
    assert newsroom.send("POST", "/v1/articles/batch", {}).status_code == 415


def test_an_article_that_has_its_origin_already_is_given_back_unchanged(newsroom: Newsroom) -> None:
    first = newsroom.post(origin="wxr:https://old.example/?p=1")
    again = newsroom.post(origin="wxr:https://old.example/?p=1", headline="Autre")
    verdicts = send(newsroom, [article(origin="wxr:https://old.example/?p=1")])

    assert (first.status_code, again.status_code, verdicts[0]["status"]) == (201, 200, 200)
    assert again.get_json()["id"] == first.get_json()["id"] == verdicts[0]["id"]
    assert again.get_json()["headline"] == first.get_json()["headline"]
    assert len(newsroom.said()) == 1


def test_first_answers_are_kept_for_a_day(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    newsroom.post({"Idempotency-Key": "k"})

    def left_after(hours: int) -> int:
        at = clock.now() + timedelta(hours=hours)
        with monkeypatch.context() as then:
            then.setattr(clock, "now", lambda: at)
            tidy(newsroom.node)
            with newsroom.node.reading() as session:
                return len(session.scalars(select(first_answers.c.key)).all())

    assert (left_after(23), left_after(25)) == (1, 0)


def test_a_batch_may_be_larger_than_any_other_body(newsroom: Newsroom) -> None:
    long = {"format": "text", "text": "La mairie a confirmé. " * 8_000}
    lines = [article(headline=f"Numéro {number}", body=long, status="draft") for number in range(60)]

    verdicts = send(newsroom, lines, "?dry_run=true")

    assert sum(len(json.dumps(line)) for line in lines) > MOST_BODY_BYTES
    assert len(verdicts) == 60
    assert {one["status"] for one in verdicts} <= {200, 201}
