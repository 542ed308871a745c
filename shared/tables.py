"""The tables of the protocol, the same in every service's database: outbox, jobs, tallies and first answers.

`outbox` holds what a service has said and who has not yet said that he holds it. `jobs` holds all of its work: events
heard, pages to build, deliveries to attempt, retries, dead letters. `tallies` keeps counts of what retention removed.
`first_answers` holds what requests with an Idempotency-Key were answered, for those that repeat them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text, Uuid, text

from shared.db import NAMING, UtcDateTime

_Serial = BigInteger().with_variant(Integer, "sqlite")
protocol_metadata = MetaData(naming_convention=NAMING)

outbox = Table(
    "outbox",
    protocol_metadata,
    Column("seq", _Serial, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("listener", String(40), nullable=False),
    Column("lane", String(10), nullable=False),
    Column("type", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("envelope", Text, nullable=False),
    Column("trace", String(64), nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
    # When the sweeper sends it (again) unless it has been received, and whether a first copy has left already.
    Column("send_at", UtcDateTime, nullable=False),
    Column("sent", Boolean, nullable=False),
    Column("sends", Integer, nullable=False),
    Column("received_at", UtcDateTime),
    Index("ix_outbox_event_id_listener", "event_id", "listener", unique=True),
    Index(
        "ix_outbox_unreceived",
        "lane",
        "send_at",
        sqlite_where=text("received_at IS NULL"),
        postgresql_where=text("received_at IS NULL"),
    ),
    Index("ix_outbox_received_at", "received_at"),
)

jobs = Table(
    "jobs",
    protocol_metadata,
    Column("id", _Serial, primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("reference", String(400), nullable=False),
    Column("lane", String(10), nullable=False),
    Column("state", String(8), nullable=False),  # ready, leased, done, dead
    Column("run_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    # Asked for again while it ran: it becomes ready again at this time instead of done.
    Column("again_at", UtcDateTime),
    # attempts never falls: it fences. failed and crashed count since the job was last asked for.
    Column("attempts", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("crashed", Integer, nullable=False),
    # Its batch failed or its worker died: it runs by itself from now on.
    Column("alone", Boolean, nullable=False),
    Column("payload", Text),
    Column("error", Text),
    Column("trace", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_jobs_kind_reference", "kind", "reference", unique=True),
    Index(
        "ix_jobs_ready",
        "lane",
        "run_at",
        sqlite_where=text("state = 'ready'"),
        postgresql_where=text("state = 'ready'"),
    ),
    Index(
        "ix_jobs_leased",
        "lease_until",
        sqlite_where=text("state = 'leased'"),
        postgresql_where=text("state = 'leased'"),
    ),
    Index("ix_jobs_ended", "state", "ended_at"),
)

tallies = Table(
    "tallies",
    protocol_metadata,
    Column("name", String(80), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

first_answers = Table(
    "first_answers",
    protocol_metadata,
    Column("owner", String(80), primary_key=True),  # whose API key
    Column("path", String(300), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),  # 0: the answer is being made
    Column("headers", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Index("ix_first_answers_made_at", "made_at"),
)


def protocol_tables(metadata: MetaData) -> None:
    """Add the protocol's tables to a service's metadata."""
    for table in protocol_metadata.tables.values():
        table.to_metadata(metadata)


def create_protocol_tables_v1(op: Any) -> None:
    """Create the outbox, the jobs and the tallies in a migration; op: Alembic's operations."""
    protocol_metadata.create_all(op.get_bind(), tables=[outbox, jobs, tallies])


def create_protocol_tables_v2(op: Any) -> None:
    """Create what came to the protocol later: the first answers."""
    protocol_metadata.create_all(op.get_bind(), tables=[first_answers])
