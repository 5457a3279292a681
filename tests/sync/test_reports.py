"""What whoever watches is told of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.client.engine import Engine
from solo_unicorn.sync.client.reporting import Report
from solo_unicorn.sync.client.sync_events import SyncEvent
from solo_unicorn.sync.client.synchroniser import ANSWERED, Synchroniser
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Response
from solo_unicorn.sync.replica.trouble import Trouble
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace

from ..simulated_time import SimulatedLoop, simulated
from .simulation import timed
from .simulation.timed import machine

PROJECT = "01J00000000000000000000000"
ANN = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})


async def test_who_refuses_everything_is_not_said_to_lack_a_websocket_only(home: Path) -> None:
    """While a hub answered 403, the watch advised to have its proxy pass the Upgrade header."""
    told: list[SyncEvent] = []
    async with WorkspaceThread() as thread:
        await thread.run(replica.connecting.put_account, ANN)
        await thread.write(replica.connecting.connect, ANN, {"id": PROJECT, "name": "Shared"}, {})
        report = Report(thread, ANN, told.append)
        await report.socket("refused", "HTTP 403 instead of a WebSocket")
        await report.looked(None, {PROJECT: Trouble("forbidden", "no member")}, 3.0, read=False)
        assert [one.kind for one in told] == ["connected", "forbidden"]
        await report.looked(None, {}, 3.0, read=True)
        assert [one.kind for one in told[2:]] == ["polling", "connected"]


async def test_files_that_do_not_get_through_are_told_of_once_until_they_do(home: Path) -> None:
    told: list[SyncEvent] = []
    async with WorkspaceThread() as thread:
        await thread.run(replica.connecting.put_account, ANN)
        await thread.write(replica.connecting.connect, ANN, {"id": PROJECT, "name": "Shared"}, {})
        report = Report(thread, ANN, told.append)
        await report.looked(None, {}, 30.0, read=True)
        await report.files("")
        assert len(told) == 1, "there was nothing wrong before"
        for _ in range(2):
            await report.files("HTTP 507")
        assert (await thread.run(queries.connection.sync_state)).files is not None
        await report.files("")
        assert [one.text for one in told[1:]] == ["files are not sent: HTTP 507", "files are sent again"]
        assert (await thread.run(queries.connection.sync_state)).files is None


async def test_a_request_that_a_full_disk_prevents_is_done_later_and_ends_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sync` typed while `sync --watch` ran on a full disk ended the watch."""
    monkeypatch.setattr("solo_unicorn.sync.client.synchroniser.AGAIN_FIRST_SECONDS", 0.01)
    faults: list[Exception] = [TryAgain("The disk is full"), OSError(28, "No space left on device")]
    once: Callable[..., Any] = Engine.once

    async def full(engine: Engine) -> Any:
        if faults:
            raise faults.pop()
        return await once(engine)

    monkeypatch.setattr(Engine, "once", full)
    async with WorkspaceThread() as thread:
        number = await thread.write(operations.workstation.request, "sync")
        running = asyncio.create_task(Synchroniser(thread).synchronise())
        try:
            async with asyncio.timeout(30):
                news = asyncio.Event()
                thread.on_change(news.set)
                while await thread.run(Workspace.meta, ANSWERED) != str(number):
                    assert not running.done(), running.exception()
                    await asyncio.wait({running, asyncio.ensure_future(news.wait())}, return_when="FIRST_COMPLETED")
                    news.clear()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert not faults


def test_a_hub_that_takes_no_files_is_said_until_it_does(home: Path, tmp_path: Path) -> None:
    """Nobody read what became of them: they were stuck for ever, and the state was synced."""
    source = tmp_path / "log.txt"
    source.write_text("line")

    async def main(loop: SimulatedLoop) -> None:
        async with machine(loop, home / "workspace.db") as ann:
            mission = await ann.thread.write(
                operations.missions.create, timed.PROJECT, MissionDraft(title="with a file")
            )
            await ann.minutes(1)
            ann.network.hub.refuse = lambda request: (
                Response(507, {}, {"error": {"code": "full", "message": "no space"}})
                if "upload" in request.path or "attachments" in request.path
                else None
            )
            await ann.thread.run(operations.attachments.attach, mission.id, source)
            await ann.minutes(5)
            state = await ann.thread.run(queries.connection.sync_state)
            assert state.word == "files not sent, 1 to send" and "no space" in state.sentence
            ann.network.hub.refuse = lambda request: None
            await ann.minutes(15)
            assert (await ann.thread.run(queries.connection.sync_state)).word == "synced"

    simulated(main)
