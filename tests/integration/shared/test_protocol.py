"""Outbox, inbox, receipts, jobs and sweep, on both databases and a real Redis."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared import clock, jobs, outbox
from shared.event_schemas import Heard
from shared.jobs import Claim, Kind
from shared.line import Line
from shared.service import BulkSlot, Node, Service
from shared.sweeper import Sweeper, tidy
from shared.tables import jobs as jobs_table
from shared.tables import outbox as outbox_table
from shared.tables import protocol_metadata, tallies
from tests.conftest import wait_for
from tests.factories import published


class Desk:
    """A listening service that notes what it was told and can be made to fail."""

    def __init__(self) -> None:
        self.heard: list[list[str]] = []
        self.fails_on: str | None = None
        self.worked: list[list[str]] = []
        self.on_work: Callable[[Claim], None] | None = None

    def listen(self, session: Session, events: list[Heard]) -> None:
        headlines = [one.event.article.headline for one in events]
        if self.fails_on in headlines:
            raise RuntimeError("this headline cannot be set")
        self.heard.append(headlines)

    def work(self, claim: Claim) -> None:
        self.worked.append([job.reference for job in claim.jobs])
        if self.on_work:
            self.on_work(claim)
            return
        with claim.finish():
            pass


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def node(desk: Desk, database_url: str, settings_for: Any) -> Iterator[Node]:
    service = Service(
        name="publish",
        listeners={"article.published.v1": desk.listen},
        kinds=[Kind("work", desk.work)],
        bulk_events=5,
    )
    node = Node(service, settings_for("publish", database_url), here=("urgent", "normal"))
    protocol_metadata.create_all(node.db.engine)
    yield node
    node.close()


@pytest.fixture
def sender(tmp_path: Any, settings_for: Any) -> Iterator[Node]:
    node = Node(Service(name="ingest", listeners={}), settings_for("ingest", f"sqlite:///{tmp_path}/sender.db"))
    protocol_metadata.create_all(node.db.engine)
    yield node
    node.close()


def say(sender: Node, *headlines: str) -> list[dict[str, Any]]:
    """Say articles as published; the envelopes for publish."""
    with sender.unit_of_work() as session:
        for headline in headlines:
            outbox.say(session, published(headline=headline))
    with sender.reading() as session:
        rows = session.scalars(
            select(outbox_table.c.envelope).where(outbox_table.c.listener == "publish").order_by(outbox_table.c.seq)
        )
        return [json.loads(row) for row in rows][-len(headlines) :]


def states(node: Node) -> dict[str, str]:
    with node.reading() as session:
        return {r.reference: r.state for r in session.execute(select(jobs_table.c.reference, jobs_table.c.state))}


def test_an_event_is_a_row_for_each_listener_and_commits_with_its_change(sender: Node) -> None:
    def say_and_fail() -> None:
        with sender.unit_of_work() as session:
            outbox.say(session, published())
            raise RuntimeError("the change fails")

    with pytest.raises(RuntimeError):
        say_and_fail()
    say(sender, "Le pont ferme")

    with sender.reading() as session:
        rows = session.execute(select(outbox_table.c.listener, outbox_table.c.lane)).all()
    assert sorted(tuple(row) for row in rows) == [("publish", "normal"), ("recommend", "normal")]


def test_a_batch_is_heard_in_one_transaction_and_a_second_copy_changes_nothing(
    node: Node, desk: Desk, sender: Node
) -> None:
    envelopes = say(sender, "Un", "Deux")

    node.hear(envelopes, "normal", again=False)
    node.hear(envelopes, "normal", again=False)
    node.hear(envelopes, "normal", again=True)

    assert desk.heard == [["Un", "Deux"]]
    assert set(states(node).values()) == {"done"}


def test_a_batch_that_fails_runs_alone_and_only_the_culprit_waits(node: Node, desk: Desk, sender: Node) -> None:
    desk.fails_on = "Deux"
    envelopes = say(sender, "Un", "Deux", "Trois")

    node.hear(envelopes, "normal", again=False)

    assert sorted(desk.heard) == [["Trois"], ["Un"]]
    assert states(node)[envelopes[1]["id"]] == "ready"


def test_an_event_that_always_fails_becomes_a_dead_letter_with_its_error_and_can_be_retried(
    node: Node, desk: Desk, sender: Node
) -> None:
    desk.fails_on = "Un"
    (envelope,) = say(sender, "Un")
    node.hear([envelope], "normal", again=False)

    for _ in range(len(jobs.PAUSES_S) + 1):
        make_due(node)
        node.run_jobs("normal")

    with node.reading() as session:
        (letter,) = jobs.dead(session)
    assert "this headline cannot be set" in letter.error
    assert json.loads(letter.payload) == envelope
    desk.fails_on = None
    with node.unit_of_work() as session:
        assert jobs.retry_dead(session, letter.id, now=clock.now())
    node.run_here()
    assert desk.heard == [["Un"]]


def test_what_is_no_event_is_a_dead_letter_and_spoils_no_other(node: Node, desk: Desk, sender: Node) -> None:
    good, bad = say(sender, "Un", "Deux")
    del bad["data"]["article"]["headline"]

    node.hear([bad, {"no": "event"}, good], "normal", again=False)

    assert desk.heard == [["Un"]]
    assert sorted(states(node).values()) == ["dead", "dead", "done"]


def test_no_receipt_leaves_for_what_is_no_event_before_it_is_stored(
    node: Node, sender: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    (envelope,) = say(sender, "Un")
    told: list[object] = []
    monkeypatch.setattr(node.dispatcher, "tell_receipt", lambda source, ids: told.append((source, ids)))

    def fail(*_: object) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as away:
        away.setattr(jobs, "store_heard", fail)
        with pytest.raises(RuntimeError, match="away"):
            node.hear([{**envelope, "data": {}}], "normal", again=False)
    assert told == []

    node.hear([{**envelope, "data": {}}], "normal", again=False)
    assert len(told) == 1


def test_an_event_that_kills_its_worker_is_counted_and_buried(node: Node, desk: Desk, sender: Node) -> None:
    (envelope,) = say(sender, "Un")

    class Killed(BaseException):
        pass

    def die(session: Session, events: list[Heard]) -> None:
        raise Killed

    node.service.listeners["article.published.v1"] = die  # type: ignore[index]
    with pytest.raises(Killed):
        node.hear([envelope], "normal", again=False)
    assert states(node) == {}

    with pytest.raises(Killed):
        node.hear([envelope], "normal", again=True)
    for _ in range(jobs.MOST_CRASHES - 1):
        lose_leases(node)
        with pytest.raises(Killed):
            node.run_jobs("normal")
    lose_leases(node)

    assert states(node) == {envelope["id"]: "dead"}


def test_receipts_come_back_and_end_the_sending(node: Node, sender: Node, redis_url: str) -> None:
    envelopes = say(sender, "Un", "Deux")
    node.hear(envelopes, "normal", again=False)
    sweeper = Sweeper([sender])

    def received() -> bool:
        sweeper.sweep(sender)
        with sender.reading() as session:
            left = session.scalars(
                select(outbox_table.c.seq).where(
                    outbox_table.c.received_at.is_(None), outbox_table.c.listener == "publish"
                )
            )
            return not left.all()

    wait_for(received, "both receipts")


def test_an_unreceived_event_is_sent_again_marked_so_with_growing_pauses(sender: Node) -> None:
    say(sender, "Un")
    now = clock.now()

    with sender.unit_of_work() as session:
        assert outbox.due(session, now=now) == []
        again = outbox.due(session, now=now + timedelta(seconds=4))
        assert outbox.due(session, now=now + timedelta(seconds=9)) == []
        once_more = outbox.due(session, now=now + timedelta(seconds=11))

    assert [letter.again for letter in again] == [True, True]
    assert len(once_more) == 2


def test_an_event_whose_queue_has_a_backlog_stays_due_with_its_pause_ungrown(sender: Node) -> None:
    say(sender, "Un")
    later = clock.now() + timedelta(seconds=4)

    with sender.unit_of_work() as session:
        held_back = outbox.due(session, now=later, closed=[("publish", "normal")])
        afterwards = outbox.due(session, now=later)
        sends = session.scalars(select(outbox_table.c.sends)).all()

    assert [letter.listener for letter in held_back] == ["recommend"]
    assert [letter.listener for letter in afterwards] == ["publish"]
    assert sends == [2, 2]


def test_when_redis_has_forgotten_everything_what_was_sent_leaves_again_at_once_as_new(
    sender: Node, redis_url: str
) -> None:
    line = Line(redis_url)
    line.has_forgotten("ingest")
    say(sender, "Un")
    sweeper = Sweeper([sender])
    sweeper.sweep(sender)
    before = due_times(sender)

    line._ask("FLUSHALL")
    sent: list[outbox.Letter] = []
    sender.dispatcher.send = sent.extend  # type: ignore[method-assign]
    sweeper.sweep(sender)

    assert [(letter.listener, letter.again) for letter in sent] == [("publish", False), ("recommend", False)]
    assert all(now > then for now, then in zip(due_times(sender), before, strict=True))


def due_times(sender: Node) -> list[Any]:
    """When each event is sent again unless it is received before."""
    with sender.reading() as session:
        return list(session.scalars(select(outbox_table.c.send_at).order_by(outbox_table.c.seq)))


def test_bulk_events_wait_for_the_sweeper_and_are_capped(sender: Node) -> None:
    with sender.unit_of_work() as session:
        for _ in range(outbox.BULK_IN_FLIGHT + 5):
            outbox.say(session, published(), lane="bulk")
        assert "letters" not in session.info

    with sender.unit_of_work() as session:
        first = outbox.due(session, now=clock.now())
        second = outbox.due(session, now=clock.now())

    assert len(first) == 2 * outbox.BULK_IN_FLIGHT
    assert not any(letter.again for letter in first)
    assert second == []


def test_bulk_events_are_done_a_few_at_a_time_and_the_rest_kept_when_an_editor_waits(
    node: Node, desk: Desk, sender: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: set[str] = set()
    monkeypatch.setattr("shared.service.POLITE_S", 0.0)
    monkeypatch.setattr(node.dispatcher, "has_waiting", lambda lanes: bool(waiting & set(lanes)))
    node._bulk = BulkSlot()
    headlines = [f"Archive {number}" for number in range(12)]
    envelopes = say(sender, *headlines)
    node.hear(envelopes[:7], "bulk", again=False)
    assert [len(one) for one in desk.heard] == [5, 2], "nobody waited"

    waiting.add("normal")
    node.hear(envelopes, "bulk", again=False)
    assert desk.heard[2:] == [], "the first five were known"
    assert sorted(states(node).values()).count("ready") == 5
    waiting.clear()
    node.run_jobs("bulk")
    assert sorted(headline for one in desk.heard for headline in one) == sorted(headlines)


def test_bulk_work_rests_while_news_comes_in(node: Node, sender: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr("shared.service.time.sleep", rests.append)
    monkeypatch.setattr("shared.service.POLITE_S", 3600.0)
    node._bulk = BulkSlot()
    envelopes = say(sender, *[f"Archive {number}" for number in range(11)])
    node.hear(envelopes[:10], "bulk", again=False)
    assert not rests, "nothing else is going on"

    monkeypatch.setattr("shared.service.NEWS_S", 3600.0)
    node.hear(envelopes[10:], "normal", again=False)
    node.hear(envelopes[:10], "bulk", again=False)
    assert len(rests) == 2
    assert all(0 <= one <= 0.2 for one in rests)

    with node.unit_of_work() as session:
        jobs.add(session, "work", "/", lane="bulk")
    node.run_jobs("bulk")
    assert len(rests) == 3, "jobs rest too"


def test_a_job_asked_for_twice_is_done_once(node: Node, desk: Desk) -> None:
    with node.unit_of_work() as session:
        jobs.add(session, "work", "/")
        jobs.add(session, "work", "/")
    node.run_here()
    assert desk.worked == [["/"]]


def test_a_job_asked_for_while_it_runs_runs_once_more(node: Node, desk: Desk) -> None:
    def ask_again(claim: Claim) -> None:
        desk.on_work = None
        with node.unit_of_work() as session:
            jobs.add(session, "work", "/")
        with claim.finish():
            pass

    desk.on_work = ask_again
    with node.unit_of_work() as session:
        jobs.add(session, "work", "/")
    node.run_here()
    node.run_jobs("normal")

    assert desk.worked == [["/"], ["/"]]
    assert states(node) == {"/": "done"}


def test_a_job_that_asks_for_itself_as_it_ends_runs_once_more(node: Node, desk: Desk) -> None:
    def ask_again(claim: Claim) -> None:
        desk.on_work = None
        with claim.finish() as session:
            jobs.add(session, "work", "/")

    desk.on_work = ask_again
    with node.unit_of_work() as session:
        jobs.add(session, "work", "/")
    node.run_here()

    assert desk.worked == [["/"], ["/"]]
    assert states(node) == {"/": "done"}


def test_a_worker_that_lost_its_lease_changes_nothing(node: Node, desk: Desk) -> None:
    def take_over(claim: Claim) -> None:
        desk.on_work = None
        lose_leases(node)
        node.run_jobs("normal")
        with claim.finish() as session:
            assert claim.jobs == []
            assert session.scalars(select(jobs_table.c.state)).all() == ["done"]

    desk.on_work = take_over
    with node.unit_of_work() as session:
        jobs.add(session, "work", "/")
    node.run_here()

    assert desk.worked == [["/"], ["/"]]


def test_due_times_decide_and_the_earlier_one_wins(node: Node, desk: Desk) -> None:
    with node.unit_of_work() as session:
        jobs.add(session, "work", "embargo", run_at=clock.now() + timedelta(hours=1))
    node.run_jobs("normal")
    assert desk.worked == []

    with node.unit_of_work() as session:
        jobs.add(session, "work", "embargo", run_at=clock.now())
        jobs.add(session, "work", "embargo", run_at=clock.now() + timedelta(hours=2))
    node.run_here()
    assert desk.worked == [["embargo"]]


def test_an_urgent_wish_takes_a_waiting_job_out_of_a_slower_lane_and_never_back(node: Node, desk: Desk) -> None:
    later = clock.now() + timedelta(hours=1)
    with node.unit_of_work() as session:
        jobs.add(session, "work", "/", run_at=later)
        jobs.add(session, "work", "/", lane="urgent", run_at=later)
        jobs.add(session, "work", "/", lane="bulk", run_at=later)
    with node.reading() as session:
        assert session.scalars(select(jobs_table.c.lane)).all() == ["urgent"]


def test_a_job_of_an_unknown_kind_is_a_dead_letter_and_blocks_nothing(node: Node, desk: Desk) -> None:
    with node.unit_of_work() as session:
        jobs.add(session, "from a newer version", "a")
        jobs.add(session, "work", "b")
    node.run_here()
    assert states(node) == {"a": "dead", "b": "done"}


def test_retention_removes_old_rows_and_keeps_their_count(node: Node, desk: Desk) -> None:
    with node.unit_of_work() as session:
        jobs.add_many(session, "work", [(str(n), None) for n in range(700)])
    while desk.worked == [] or sum(map(len, desk.worked)) < 700:
        node.run_jobs("normal")
    with node.unit_of_work() as session:
        session.execute(update(jobs_table).values(ended_at=clock.now() - timedelta(days=8)))

    tidy(node)

    assert states(node) == {}
    with node.reading() as session:
        assert session.execute(select(tallies.c.name, tallies.c.value)).all() == [("jobs done and removed", 700)]


def test_redis_away_delays_but_loses_nothing(tmp_path: Any, settings_for: Any) -> None:
    settings = settings_for(
        "ingest", f"sqlite:///{tmp_path}/away.db", ROTATIVE_REDIS_URL=f"redis+socket://{tmp_path}/no"
    )
    node = Node(Service(name="ingest", listeners={}), settings)
    protocol_metadata.create_all(node.db.engine)
    say(node, "Un")

    def noted() -> bool:
        with node.reading() as session:
            return session.scalars(select(outbox_table.c.sent)).all() == [False, False]

    wait_for(noted, "the dispatcher to note that nothing has left")
    with node.unit_of_work() as session:
        assert [letter.again for letter in outbox.due(session, now=clock.now())] == [False, False]
    node.close()


def test_garbage_among_receipts_is_passed_over(redis_url: str, sender: Node) -> None:
    line = Line(redis_url)
    line._ask("RPUSH", "rotative:receipts:ingest", "{not json", "[1]", '["publish", [5]]')
    (envelope,) = say(sender, "Un")
    line._ask("RPUSH", "rotative:receipts:ingest", json.dumps(["publish", [envelope["id"]]]))
    Sweeper([sender]).sweep(sender)
    with sender.reading() as session:
        taken = session.scalars(select(outbox_table.c.listener).where(outbox_table.c.received_at.is_not(None))).all()
    assert taken == ["publish"]


def make_due(node: Node) -> None:
    """Let every pause be over."""
    with node.unit_of_work() as session:
        session.execute(update(jobs_table).where(jobs_table.c.state == "ready").values(run_at=clock.now()))


def lose_leases(node: Node) -> None:
    """Let every lease run out and be freed."""
    with node.unit_of_work() as session:
        session.execute(
            update(jobs_table)
            .where(jobs_table.c.state == "leased")
            .values(lease_until=clock.now() - timedelta(seconds=1))
        )
        jobs.free_expired(session, now=clock.now())


def test_what_is_due_later_than_in_a_minute_is_counted_as_scheduled(node: Node) -> None:
    now = clock.now()
    with node.unit_of_work() as session:
        jobs.add(session, "work", "soon", run_at=now + timedelta(seconds=30))
        jobs.add(session, "work", "later", run_at=now + timedelta(minutes=5))

    with node.reading() as session:
        assert jobs.counts(session, now=now) == {"normal": {"ready": 1, "scheduled": 1}}
