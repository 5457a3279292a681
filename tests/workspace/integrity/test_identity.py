"""Which file a workspace is: nothing is written into one that was replaced, moved, removed, outgrown or copied."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Mission, Project, Session
from solo_unicorn.missions.errors import SoloUnicornError, TryAgain
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries, store, thread
from solo_unicorn.workspace.integrity import backup, identity
from solo_unicorn.workspace.integrity.identity import StoreReplaced
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace


def replaced_by_a_copy(path: Path) -> None:
    copy = path.with_name("copy.db")
    backup.copy_database(path, copy)
    copy.replace(path)


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("done", [replaced_by_a_copy, moved, removed])
def test_nothing_is_written_into_a_file_that_its_path_does_not_lead_to(
    workspace: Workspace, project: Project, done: object
) -> None:
    assert callable(done)
    assert workspace.lost() is None
    done(workspace.path)
    with pytest.raises(StoreReplaced, match="Nothing is saved any more") as refused:
        workspace.write(operations.missions.create, project.id, MissionDraft(title="Lost"))
    assert "start it again" in refused.value.todo
    assert workspace.read(queries.missions.page, project.id).total == 0, "what is open is as it was"
    assert isinstance(workspace.lost(), StoreReplaced)


def test_a_file_that_is_moved_while_it_is_opened_is_known_as_lost(
    workspace: Workspace, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = store.Store._open

    def moved_meanwhile(one: store.Store) -> store.Connection:
        connection = opened(one)
        moved(one.path)
        return connection

    monkeypatch.setattr(store.Store, "_open", moved_meanwhile)
    with Workspace.open(workspace.path) as late:
        assert isinstance(late.lost(), StoreReplaced)


def test_a_file_that_is_replaced_within_a_transaction_takes_nothing(workspace: Workspace, project: Project) -> None:
    def replaced_meanwhile(change: object) -> None:
        replaced_by_a_copy(workspace.path)

    with pytest.raises(StoreReplaced):
        workspace.write(replaced_meanwhile)


def test_another_workspace_written_over_the_file_is_seen(workspace: Workspace, project: Project) -> None:
    with sqlite3.connect(workspace.path) as other:
        other.execute("UPDATE meta SET value = 'another' WHERE key = ?", (identity.INSTANCE,))
    with pytest.raises(StoreReplaced):
        workspace.write(operations.projects.create, "Lost")


def test_a_program_that_the_file_has_outgrown_writes_no_more(workspace: Workspace, project: Project) -> None:
    with sqlite3.connect(workspace.path) as newer:
        newer.execute(f"PRAGMA user_version = {store.latest_format() + 1}")
    with pytest.raises(TryAgain, match="open read-only") as refused:
        workspace.write(operations.projects.create, "Lost")
    assert "newer version" in refused.value.why and "update" in refused.value.todo
    assert workspace.read_only is not None


@pytest.mark.parametrize("done", [replaced_by_a_copy, moved, removed])
async def test_who_has_it_open_hears_of_it_once(home: Path, done: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "GUARD_SECONDS", 0.01)
    assert callable(done)
    heard: asyncio.Queue[SoloUnicornError] = asyncio.Queue()
    async with WorkspaceThread() as opened:
        opened.on_lost(heard.put_nowait)
        done(opened.path)
        assert isinstance(await asyncio.wait_for(heard.get(), 30), StoreReplaced)
        assert isinstance(opened.lost, StoreReplaced) and heard.empty()


async def test_who_is_outgrown_hears_of_it(home: Path) -> None:
    heard: asyncio.Queue[SoloUnicornError] = asyncio.Queue()
    async with WorkspaceThread() as opened:
        opened.on_lost(heard.put_nowait)
        with Workspace.open() as other, other._store.writing() as connection:
            connection.execute(f"PRAGMA user_version = {store.latest_format() + 1}")
            connection.execute("INSERT INTO meta VALUES ('migrated', '1')")
        assert isinstance(await asyncio.wait_for(heard.get(), 30), TryAgain)


async def test_to_look_costs_one_stat_and_no_transaction(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: Counter[str] = Counter()
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()
    look = identity.file_at

    def counted(path: Path) -> identity.File | None:
        counts["looks"] += 1
        if counts["looks"] == 20:
            loop.call_soon_threadsafe(enough.set)
        return look(path)

    async with WorkspaceThread() as opened:
        opened.workspace._store.connection.set_trace_callback(lambda sql: counts.update(sql=1))
        monkeypatch.setattr(identity, "file_at", counted)
        monkeypatch.setattr(thread, "GUARD_SECONDS", 0.001)
        await asyncio.wait_for(enough.wait(), 30)
        assert counts["sql"] == 0


def copied(workspace: Workspace) -> Path:
    there = workspace.path.parent.with_name("copied home")
    there.mkdir()
    backup.copy_database(workspace.path, there / "workspace.db")
    return there / "workspace.db"


def test_a_copy_is_told_from_its_original(workspace: Workspace, project: Project) -> None:
    copy = copied(workspace)
    with Workspace.open(copy) as opened:
        assert opened.original == workspace.path
    with Workspace.open(workspace.path) as opened:
        assert opened.original is None


def test_what_was_moved_is_not_a_copy(home: Path) -> None:
    Workspace.open().close()
    there = home.with_name("moved home")
    shutil.move(home, there)
    for _ in range(2):
        with Workspace.open(there / "workspace.db") as opened:
            assert opened.original is None
            assert opened.meta(identity.PLACE) == str(there / "workspace.db"), "it is known from now on"


def test_another_workspace_at_the_former_place_makes_no_copy(home: Path) -> None:
    Workspace.open().close()
    there = home.with_name("moved home")
    shutil.move(home, there)
    Workspace.open().close()
    with Workspace.open(there / "workspace.db") as opened:
        assert opened.original is None


def test_a_copy_becomes_a_workspace_of_its_own(workspace: Workspace, session: Session, ready: Mission) -> None:
    operations.workstation.this_machine(workspace)
    first = workspace.meta(identity.INSTANCE)
    copy = copied(workspace)
    shutil.copy(workspace.path.with_name("workspace.acknowledged"), copy.parent)
    with Workspace.open(copy) as opened:
        own = operations.identity.make_own(opened)
        assert own == opened.meta(identity.INSTANCE) != first and opened.original is None
        assert opened.loss() is None, "what the copied home was told belongs to the original"
        assert opened.read(queries.sessions.get, session.id).phase == "ended"
        mission = opened.read(queries.missions.get, ready.id)
        assert (mission.agent_session_status, mission.worktree_path) == ("INACTIVE", None)
        theirs = operations.workstation.this_machine(workspace).id
        assert operations.workstation.this_machine(opened).id != theirs
        opened.write_as(SYSTEM, operations.projects.create, "Its own")
    with Workspace.open(copy) as opened:
        assert opened.original is None and opened.loss() is None
    assert workspace.read(queries.sessions.get, session.id).phase == "running", "the original is as it was"
    assert workspace.meta(identity.INSTANCE) == first
