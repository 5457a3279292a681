"""The workspace for asynchronous programs: whole calls on one thread, and news from other processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.errors import NotFound, SoloUnicornError
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace


async def test_operations_run_and_raise_as_they_would_directly(home: Path) -> None:
    async with WorkspaceThread() as thread:
        project = await thread.write(operations.projects.create, "P")
        assert await thread.run(lambda workspace: workspace.read(queries.projects.get, project.slug)) == project
        with pytest.raises(NotFound):
            await thread.read(queries.missions.get, "M-1")


async def test_what_is_asked_before_it_is_open_waits_for_that(home: Path) -> None:
    thread = WorkspaceThread()
    asked = asyncio.create_task(thread.read(queries.projects.list_all))
    await asyncio.sleep(0)
    async with thread:
        assert await asked == []
    with pytest.raises(RuntimeError, match="not open"):
        await thread.read(queries.projects.list_all)


async def test_what_was_asked_fails_as_the_opening_does(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    thread = WorkspaceThread(tmp_path / "file" / "workspace.db")
    asked = asyncio.create_task(thread.read(queries.projects.list_all))
    with pytest.raises(SoloUnicornError) as refused:
        await thread.open()
    with pytest.raises(SoloUnicornError, match=refused.value.what):
        await asked
    await thread.close()


async def test_a_change_of_another_process_is_heard_at_once(home: Path) -> None:
    async with WorkspaceThread() as thread:
        heard = asyncio.Event()
        thread.on_change(heard.set)
        program = (
            "from solo_unicorn.workspace import operations\n"
            "from solo_unicorn.workspace.workspace import Workspace\n"
            "with Workspace.open() as ws: ws.write(operations.projects.create, 'P')"
        )
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        await asyncio.wait_for(heard.wait(), 30)
        await process.wait()
        assert len(await thread.read(queries.projects.list_all)) == 1


async def test_without_a_bell_the_data_version_tells(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solo_unicorn.workspace.workspace.ring", lambda directory: None)
    monkeypatch.setattr("solo_unicorn.workspace.thread.LOOK_SECONDS", 0.2)
    async with WorkspaceThread() as thread:
        heard = asyncio.Event()
        thread.on_change(heard.set)
        with Workspace.open() as other:
            other.write(operations.projects.create, "P")
        await asyncio.wait_for(heard.wait(), 10)


async def test_a_look_that_breaks_off_is_told_of_and_begins_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It ended without a word, and a screen heard of no change any more."""
    monkeypatch.setattr("solo_unicorn.workspace.thread.GUARD_SECONDS", 0.01)
    faults = [RuntimeError("of the watch"), RuntimeError("of the guard")]
    broke_off = asyncio.Event()

    def broken(*_: object) -> None:
        fault = faults.pop(0) if faults else None
        if not faults:
            broke_off.set()
        if fault:
            raise fault

    async with WorkspaceThread() as thread:
        thread.on_change(broken)
        monkeypatch.setattr(thread, "_lose", broken)
        with Workspace.open() as other:
            other.write(operations.projects.create, "P")
        await asyncio.wait_for(broke_off.wait(), 30)
        heard = asyncio.Event()
        thread.on_change(heard.set)
        with Workspace.open() as other:
            other.write(operations.projects.create, "Q")
        await asyncio.wait_for(heard.wait(), 30)
    assert [str(one.exc_info[1]) for one in caplog.records if one.exc_info] == ["of the watch", "of the guard"]


async def test_a_cancelled_caller_does_not_tear_a_transaction(home: Path) -> None:
    async with WorkspaceThread() as thread:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(workspace: Workspace) -> None:
            loop.call_soon_threadsafe(begun.set)
            workspace.write(operations.projects.create, "P")

        task = asyncio.create_task(thread.run(slow))
        await begun.wait()
        task.cancel()
        assert len(await thread.read(queries.projects.list_all)) == 1


LISTENER = """
from solo_unicorn.config import paths
from solo_unicorn.workspace.bell import Bell
bell = Bell(paths.bell_dir())
print(flush=True)
input()
"""


def test_listeners_that_were_killed_do_not_pile_up(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    process.kill()
    process.communicate()
    assert list(paths.bell_dir().iterdir())
    with Workspace.open() as workspace:
        workspace.write(operations.projects.create, "P")
    assert list(paths.bell_dir().iterdir()) == []
