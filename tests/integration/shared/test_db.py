"""Writers of one SQLite database take turns, between threads and between processes."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.db import Database
from tests.conftest import wait_for


def opened(path: Path) -> Database:
    return Database(f"sqlite:///{path}", "ingest")


def write(path: Path, number: int, entered: Any, may_leave: Any) -> None:
    db = opened(path)
    with db.unit_of_work() as session:
        session.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})
        entered.set()
        may_leave.wait(30)
    db.close()


def numbers(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.scalars(text("SELECT number FROM numbers ORDER BY rowid")))


def test_a_second_writer_waits_until_the_first_is_done_and_readers_do_not(tmp_path: Path) -> None:
    db = opened(tmp_path / "a.db")
    with db.unit_of_work() as session:
        session.execute(text("CREATE TABLE numbers (number INTEGER)"))
    first_entered, first_may_leave, second_entered = threading.Event(), threading.Event(), threading.Event()
    always = threading.Event()
    always.set()
    first = threading.Thread(target=write, args=(tmp_path / "a.db", 1, first_entered, first_may_leave))
    second = threading.Thread(target=write, args=(tmp_path / "a.db", 2, second_entered, always))

    first.start()
    first_entered.wait(30)
    second.start()

    assert not second_entered.wait(0.05)
    assert numbers(db) == []
    first_may_leave.set()
    first.join(30)
    second.join(30)
    assert numbers(db) == [1, 2]
    db.close()


def test_a_writer_that_is_killed_gives_up_its_turn(tmp_path: Path) -> None:
    db = opened(tmp_path / "a.db")
    with db.unit_of_work() as session:
        session.execute(text("CREATE TABLE numbers (number INTEGER)"))
    spawn = multiprocessing.get_context("spawn")
    entered, never = spawn.Event(), spawn.Event()
    holder = spawn.Process(target=write, args=(tmp_path / "a.db", 1, entered, never))
    holder.start()
    wait_for(entered.is_set, "the other process to be in its transaction", 30)

    holder.kill()
    holder.join(30)
    with db.unit_of_work() as session:
        session.execute(text("INSERT INTO numbers VALUES (2)"))

    assert numbers(db) == [2]
    db.close()


def test_a_transaction_that_fails_passes_the_turn_on(tmp_path: Path) -> None:
    db = opened(tmp_path / "a.db")
    try:
        with db.unit_of_work() as session:
            session.execute(text("CREATE TABLE numbers (number INTEGER)"))
            raise RuntimeError("the change fails")
    except RuntimeError:
        pass

    with db.unit_of_work() as session:
        session.execute(text("CREATE TABLE numbers (number INTEGER)"))

    assert numbers(db) == []
    db.close()


def test_what_was_to_be_stored_stands_in_no_error(database_url: str) -> None:
    db = Database(database_url, "ingest")
    with db.unit_of_work() as session:
        session.execute(text("CREATE TABLE readers (address VARCHAR(100) NOT NULL, name VARCHAR(5) NOT NULL)"))
    statement = text("INSERT INTO readers (address, name) VALUES (:address, :name)")
    with pytest.raises(IntegrityError) as failed, db.unit_of_work() as session:
        session.execute(statement, {"address": "amira@lecteurs.test", "name": None})
    assert "amira" not in str(failed.value.with_traceback(None)).split("DETAIL")[0]
    db.close()
