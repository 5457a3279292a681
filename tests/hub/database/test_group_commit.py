"""SQLite: what waits together is committed together, and each closure succeeds or fails by itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from solo_unicorn.hub.storage.database import open_database


async def test_a_closure_that_fails_takes_nothing_of_its_neighbours_with_it(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'hub.sqlite3'}")
    await database.write(lambda at: at.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")) and None)
    held, go = threading.Event(), threading.Event()

    def hold(at: Connection) -> None:
        held.set()
        go.wait(10)

    def add(number: int) -> Callable[[Connection], int]:
        def work(at: Connection) -> int:
            at.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": number})
            if number % 3 == 0:
                raise ValueError(number)
            return number

        return work

    first = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(held.wait, 10)
    waiting = [asyncio.create_task(database.write(add(number))) for number in range(90)]
    waiting.append(asyncio.create_task(database.write(add(1))))  # there is a 1 already
    await asyncio.sleep(0)
    go.set()
    await first
    found = await asyncio.gather(*waiting, return_exceptions=True)
    right = [number for number in range(90) if number % 3]
    assert [one for one in found if isinstance(one, int)] == right
    assert sum(isinstance(one, ValueError) for one in found) == 30 and not isinstance(found[-1], int)
    assert await database.read(lambda at: list(at.execute(text("SELECT n FROM numbers ORDER BY n")).scalars())) == right
    await database.close()


async def test_a_caller_that_left_does_not_stop_what_has_begun(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'hub.sqlite3'}")
    await database.write(lambda at: at.execute(text("CREATE TABLE numbers (n INTEGER)")) and None)
    begun, go = threading.Event(), threading.Event()

    def work(at: Connection) -> None:
        begun.set()
        go.wait(10)
        at.execute(text("INSERT INTO numbers VALUES (1)"))

    leaving = asyncio.create_task(database.write(work))
    await asyncio.to_thread(begun.wait, 10)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    go.set()
    await database.write(lambda at: None)
    assert await database.read(lambda at: at.execute(text("SELECT count(*) FROM numbers")).scalar_one()) == 1
    await database.close()
