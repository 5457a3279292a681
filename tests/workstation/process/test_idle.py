"""An idle service, as it is composed: what it does in simulated time, alone and with a project of a real hub."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from solo_unicorn.config import loading, paths
from solo_unicorn.sync import replica
from solo_unicorn.sync.client import tokens
from solo_unicorn.sync.client.synchroniser import Synchroniser
from solo_unicorn.sync.client.transport import HttpTransport
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Answer, Request
from solo_unicorn.workspace import operations, store
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation.composition import Composition

from ...hub.whole import Whole, whole
from ...simulated_time import SimulatedLoop, simulated

pytestmark = pytest.mark.slow
LOOKS = 600
"""One a second in ten minutes, a stat or two: is the workspace still the file that was opened, did settings change."""
GRACE_SECONDS = 0.02
"""Real time in which the hub, on a thread of its own, may say something before time goes on."""


@contextmanager
def hub_beside(directory: Path) -> Iterator[Whole]:
    """A hub on a real socket, on a thread and a clock of its own."""
    made: list[Whole] = []
    up = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        end = asyncio.Event()
        loops.append((asyncio.get_running_loop(), end))
        async with whole(directory) as hub:
            made.append(hub)
            up.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert up.wait(60)
        yield made[0]
    finally:
        loop, end = loops[0]
        loop.call_soon_threadsafe(end.set)
        thread.join()


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """`transactions` that take the write lock, and `requests`; time stands still while one is under way."""
    counted: Counter[str] = Counter()
    connect, send = store._connect, HttpTransport.send

    def traced(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(lambda sql: counted.update(transactions=sql.startswith("BEGIN IMMEDIATE")))
        return connection

    async def waited_for(self: HttpTransport, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        counted["requests"] += 1
        loop.under_way += 1
        try:
            return await send(self, request)
        finally:
            loop.under_way -= 1

    monkeypatch.setattr(store, "_connect", traced)
    monkeypatch.setattr(HttpTransport, "send", waited_for)
    return counted


def connect(hub: Whole) -> None:
    """The project of the hub is connected here."""
    account = Account("ann@hub", "hub", hub.url, "ann", "ann@example.org", "token", True, {})
    tokens.write(account.id, tokens.Tokens(access=hub.ann_token), in_file=True)
    with Workspace.open() as workspace:
        replica.connecting.put_account(workspace, account)
        workspace.write(
            replica.connecting.connect, account, {"id": hub.project, "name": "Lighthouse", "slug": "lighthouse"}, {}
        )


async def spent(loop: SimulatedLoop, counts: Counter[str], minutes: float) -> Counter[str]:
    """What is done in so many minutes, with `wake-ups` by time alone and `calls` on other threads."""
    before, jumps, calls = Counter(counts), loop.jumps, loop.calls
    await asyncio.sleep(minutes * 60)
    done = counts - before
    done["wake-ups"], done["calls"] = loop.jumps - jumps, loop.calls - calls
    return done


async def of_the_service(loop: SimulatedLoop, counts: Counter[str]) -> Counter[str]:
    """Ten minutes of a service, after a few in which it came up."""
    parts = await Composition.open(loading.load(), lambda: None)
    parts.start()
    try:
        await asyncio.sleep(180)
        assert parts.scheduler.settled and not parts.context.supervisor.problems
        return await spent(loop, counts, 10)
    finally:
        await parts.close()


def test_an_idle_service_on_its_own_writes_nothing_and_sleeps(home: Path, counts: Counter[str]) -> None:
    async def main(loop: SimulatedLoop) -> Counter[str]:
        parts = await Composition.open(loading.load(), lambda: None)
        await parts.context.workspace.write(operations.projects.create, "Kept")
        await parts.close()
        log = paths.workspace_db().with_name("workspace.db-wal")
        with Workspace.open():  # a board: who closes the file last would fold the log
            done = await of_the_service(loop, counts)
            assert log.stat().st_size == 0, "what is copied now without its log is whole"
        return done

    done = simulated(main, grace=GRACE_SECONDS)
    assert done["transactions"] == 0
    assert done["wake-ups"] <= LOOKS + 100
    assert done["calls"] <= 350


def test_an_idle_service_with_a_connected_project_only_says_that_it_is_there(
    home: Path, counts: Counter[str], tmp_path: Path
) -> None:
    """A heartbeat every 15 s, a reading a minute; presence and pings on the socket; nothing written."""
    (tmp_path / "hub").mkdir()
    with hub_beside(tmp_path / "hub") as hub:
        connect(hub)
        done = simulated(lambda loop: of_the_service(loop, counts), grace=GRACE_SECONDS)
    assert done["transactions"] == 0
    assert 40 <= done["requests"] <= 75
    assert done["wake-ups"] <= LOOKS + 250
    assert done["calls"] <= 1000


def test_an_idle_watch_reads_once_a_minute_and_writes_nothing(home: Path, counts: Counter[str], tmp_path: Path) -> None:
    async def main(loop: SimulatedLoop) -> Counter[str]:
        async with WorkspaceThread() as thread:
            watching = asyncio.create_task(Synchroniser(thread).synchronise())
            try:
                await asyncio.sleep(180)
                return await spent(loop, counts, 10)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    (tmp_path / "hub").mkdir()
    with hub_beside(tmp_path / "hub") as hub:
        connect(hub)
        done = simulated(main, grace=GRACE_SECONDS)
    assert done["transactions"] == 0
    assert 9 <= done["requests"] <= 15
    assert done["wake-ups"] <= LOOKS + 100
    assert done["calls"] <= 350
