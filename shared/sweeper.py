"""The sweeper: a process of its own that looks a few times a second for what was due, forgotten or lost.

Due jobs are woken, leases that ran out freed, unreceived events sent again, receipts noted, and old rows removed.
Several sweepers may run at once: everything that it does may be done twice.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import redis
from sqlalchemy import and_, delete, select
from sqlalchemy.exc import SQLAlchemyError

from shared import clock, first_answers, jobs, logs, outbox, routing
from shared.line import Line
from shared.service import Node
from shared.tables import jobs as jobs_table
from shared.tables import outbox as outbox_table

log = logging.getLogger(__name__)

PERIOD_S = 0.2
# What is lost may wait a little longer than what is due: every so many rounds.
THOROUGH_EVERY = 3
TIDY_EVERY_S = 60.0
# A queue that holds this many messages needs no wake-up: whoever works on it does what is due as well.
BACKLOG = 20
# And into one that holds this many nothing is sent again, it would only grow: a message may hold a hundred events.
RESEND_BACKLOG = 2
TIDY_ROWS = 500


class Sweeper:
    """Sweeps the databases of some nodes, all of them in one process when embedded."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = list(nodes)
        self._lines = {node.service.name: Line(node.settings.redis_url) for node in self._nodes}
        self._tidied = 0.0

    def run(self, stop: threading.Event) -> None:
        """Sweep until told to stop. A database or a Redis that is away is tried again at the next round."""
        rounds = 0
        while not stop.wait(PERIOD_S):
            rounds += 1
            for node in self._nodes:
                try:
                    self.sweep(node, thorough=rounds % THOROUGH_EVERY == 0)
                except SQLAlchemyError:
                    log.exception("a sweep failed", extra={"swept": node.service.name})
            if time.monotonic() - self._tidied > TIDY_EVERY_S:
                self._tidied = time.monotonic()
                for node in self._nodes:
                    try:
                        tidy(node)
                    except SQLAlchemyError:
                        log.exception("tidying failed", extra={"swept": node.service.name})

    def sweep(self, node: Node, *, thorough: bool = True) -> None:
        """One round over one service. thorough: also look for what is lost; else only for what is due."""
        name = node.service.name
        line = self._lines[name]
        if thorough:
            # Whoever waits for a receipt waits for seconds: one transaction for many costs less.
            self._note_receipts(node, line)
            self._mind_lost_memory(node, line)
        now = clock.now()
        with node.reading() as session:
            lanes = jobs.lanes_due(session, routing.SERVICES[name], now=now)
            resend = thorough and outbox.is_due(session, now=now)
            expired = thorough and jobs.any_expired(session, now=now)
        if expired:
            with node.unit_of_work() as session:
                jobs.free_expired(session, now=now)
        if thorough and node.service.watch is not None:
            node.service.watch(node)
        node.dispatcher.wake([lane for lane in lanes if not _backlog(line, routing.queue(name, lane))])
        if resend:
            self._send_again(node, line)

    def _note_receipts(self, node: Node, line: Line) -> None:
        try:
            receipts = line.take_receipts(node.service.name)
        except redis.RedisError:
            return
        if receipts:
            with node.unit_of_work() as session:
                outbox.received(session, receipts, now=clock.now())

    def _send_again(self, node: Node, line: Line) -> None:
        try:
            line.ping()
        except redis.RedisError:
            return
        closed = [
            (listener, lane)
            for listener, lanes in routing.SERVICES.items()
            for lane in lanes
            if _backlog(line, routing.queue(listener, lane), RESEND_BACKLOG)
        ]
        with node.unit_of_work() as session:
            letters = outbox.due(session, now=clock.now(), closed=closed)
        node.dispatcher.send(letters)

    def _mind_lost_memory(self, node: Node, line: Line) -> None:
        try:
            lost = line.has_forgotten(node.service.name)
        except redis.RedisError:
            return
        if lost:
            with node.unit_of_work() as session:
                outbox.send_all_again(session, now=clock.now())


def _backlog(line: Line, queue: str, most: int = BACKLOG) -> bool:
    try:
        return line.queue_length(queue) >= most
    except redis.RedisError:
        return True


def tidy(node: Node) -> None:
    """Remove what retention ends, a slice at a time, and keep the counts."""
    until = clock.now() - timedelta(days=node.settings.retention_days)
    while _tidy_slice(node, until):
        pass


def _tidy_slice(node: Node, until: datetime) -> bool:
    old_jobs = and_(jobs_table.c.state == "done", jobs_table.c.ended_at < until)
    old_letters = outbox_table.c.received_at < until
    # First answers are kept for a day, whatever else is remembered for longer.
    unrepeated = max(until, clock.now() - first_answers.KEPT)
    with node.reading() as session:
        job_ids = session.scalars(select(jobs_table.c.id).where(old_jobs).limit(TIDY_ROWS)).all()
        seqs = session.scalars(select(outbox_table.c.seq).where(old_letters).limit(TIDY_ROWS)).all()
        answered = first_answers.is_any(session, unrepeated)
    more = 0
    if job_ids or seqs or answered or node.service.tidy:
        with node.unit_of_work() as session:
            session.execute(delete(jobs_table).where(jobs_table.c.id.in_(job_ids), old_jobs))
            session.execute(delete(outbox_table).where(outbox_table.c.seq.in_(seqs)))
            if job_ids:
                jobs.tally(session, "jobs done and removed", len(job_ids))
            if seqs:
                jobs.tally(session, "events received and removed", len(seqs))
            if answered:
                answered = first_answers.forget(session, unrepeated, TIDY_ROWS) == TIDY_ROWS
            if node.service.tidy is not None:
                more = node.service.tidy(session, until)
    return len(job_ids) == TIDY_ROWS or len(seqs) == TIDY_ROWS or answered or more > 0


def main(make_node: Callable[[], Node]) -> None:
    """The sweeper of one service as a process: until SIGTERM or Ctrl-C."""
    node = make_node()
    logs.set_up(f"{node.service.name}-sweeper", node.settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Sweeper([node]).run(stop)
    node.close()
