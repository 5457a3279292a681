"""A hub whose database went back, or is a copy: noticed whatever came with it, and nothing vanishes unseen."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from solo_unicorn.missions.entities import Actor
from solo_unicorn.sync import replica
from solo_unicorn.workspace import operations, queries

from .machines import Key, Machine, machine

pytestmark = pytest.mark.slow
pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
from ...hub.rest import serving  # noqa: E402


@dataclass
class Restorable:
    """A hub in a process of its own, at one address, on whichever database is put below it."""

    directory: Path
    port: int
    token: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def database(self) -> Path:
        return self.directory / "data" / "hub.sqlite3"

    async def start(self, directory: Path | None = None) -> None:
        self.directory = directory or self.directory
        self.process = await asyncio.to_thread(serving.start, self.directory, self.port, "")

    async def stop(self) -> None:
        assert self.process
        await asyncio.to_thread(serving.end, [self.process])

    def back_up(self, to: Path) -> None:
        """As SQLite copies a file that is in use."""
        with closing(sqlite3.connect(self.database)) as live, closing(sqlite3.connect(to)) as kept:
            live.backup(kept)

    async def put_back(self, backup: Path, *, with_files: bool = True) -> None:
        """The database file alone is replaced; what lies beside it stays, or goes too."""
        await self.stop()
        if not with_files:
            shutil.rmtree(self.directory / "data")
            (self.directory / "data").mkdir()
        for rest in (self.directory / "data").glob(f"{self.database.name}*"):
            rest.unlink()
        shutil.copy(backup, self.database)
        await self.start()


@dataclass
class Team:
    hub: Restorable
    owner: httpx.AsyncClient
    project: str
    ann: Machine
    bob: Machine

    async def make(self, title: str) -> str:
        """By somebody else, at the hub."""
        made = await self.owner.post(f"/projects/{self.project}/missions", json={"title": title})
        return str(made.json()["id"])

    async def at_hub(self) -> dict[str, str]:
        listed = await self.owner.get(f"/projects/{self.project}/missions", params={"limit": 500})
        return {one["id"]: one["title"] for one in listed.json()["items"]}

    async def settle(self) -> None:
        """Everybody reads and sends, on new connections, until they are as the hub is."""
        for one in (self.ann, self.bob, self.ann):
            await one.engine.close()
            await one.settle()

    async def agree(self) -> dict[str, str]:
        """What is at the hub is what both show."""
        there = await self.at_hub()
        for one in (self.ann, self.bob):
            assert {mission.id: mission.title for mission in await one.board()} == there
            assert await one.thread.read(replica.sync_steps.verify_mirror, self.project) == []
        return there


@asynccontextmanager
async def working(tmp_path: Path) -> AsyncIterator[Team]:
    directory, port = tmp_path / "hub", serving.free_port()
    hub = Restorable(directory, port, await asyncio.to_thread(serving.prepare, directory, ""))
    await hub.start()
    url, headers = f"http://127.0.0.1:{port}", {"authorization": f"Bearer {hub.token}"}
    try:
        async with AsyncExitStack() as stack:
            client = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=20)
            owner = await stack.enter_async_context(client)
            project: dict[str, Any] = (await owner.post("/projects", json={"name": "Shared"})).json()
            ann, bob = [
                await stack.enter_async_context(
                    machine(tmp_path / f"{name}.db", url, bearer=Key(hub.token), project=project)
                )
                for name in ("ann", "bob")
            ]
            await ann.settle()
            yield Team(hub, owner, project["id"], ann, bob)
    finally:
        await hub.stop()


@pytest.fixture
async def team(home: Path, tmp_path: Path) -> AsyncIterator[Team]:
    async with working(tmp_path) as made:
        yield made


@pytest.mark.parametrize("with_files", [True, False], ids=["the database alone", "an empty directory"])
async def test_what_a_restored_hub_lost_is_said_and_can_be_published_again(
    team: Team, tmp_path: Path, with_files: bool
) -> None:
    """A backup at six changes, five missions more, a restore, eight more: the client showed the five for good."""
    kept = [await team.make(f"before {number}") for number in range(2)]
    team.hub.back_up(tmp_path / "backup")
    lost = [await team.make(f"lost {number}") for number in range(5)]
    await team.settle()
    await team.hub.put_back(tmp_path / "backup", with_files=with_files)
    later = [await team.make(f"after {number}") for number in range(8)]
    await team.settle()
    assert set(await team.agree()) == {*kept, *later}
    for one in (team.ann, team.bob):
        found = await one.thread.read(replica.resolving.list_open)
        assert {(each.kind, each.mission_id, each.title) for each in found} == {
            ("lost_remotely", mission, f"lost {number}") for number, mission in enumerate(lost)
        }
    first, second, *_ = await team.ann.thread.read(replica.resolving.list_open)
    await team.ann.thread.write(replica.resolving.keep_mine, first.id)
    await team.ann.thread.write(replica.resolving.keep_theirs, second.id)
    await team.settle()
    assert set(await team.agree()) == {*kept, *later, first.mission_id}
    assert len(await team.ann.thread.read(replica.resolving.list_open)) == 3
    assert first.mission_id not in {
        one.mission_id for one in await team.bob.thread.read(replica.resolving.list_open)
    }, "what Ann published again is there for Bob, who has nothing to decide any more"


async def test_edits_made_around_a_restore_overwrite_nothing_unseen(team: Team, tmp_path: Path) -> None:
    ann, bob = team.ann, team.bob
    edited = await ann.make("before the backup")
    await team.settle()
    team.hub.back_up(tmp_path / "backup")
    await ann.edit(edited, title="after the backup")
    await ann.settle()
    later = await ann.make("made after the backup")
    await team.settle()
    await team.hub.stop()
    await bob.edit(edited, title="bob, while the hub was away")
    waiting = await ann.make("ann, while the hub was away")
    await team.hub.start()
    await team.hub.put_back(tmp_path / "backup")
    await team.settle()
    (conflict,) = [one for one in await bob.thread.read(replica.resolving.list_open) if one.kind == "field"]
    assert (conflict.base, conflict.mine, conflict.theirs) == (
        "after the backup",
        "bob, while the hub was away",
        "before the backup",
    )
    assert await team.agree() == {edited: "before the backup", waiting: "ann, while the hub was away"}
    assert {(one.mission_id, one.kind) for one in await ann.thread.read(replica.resolving.list_open)} == {
        (later, "lost_remotely"),
        (edited, "field"),
    }
    (taken_back,) = [one for one in await ann.thread.read(replica.resolving.list_open) if one.kind == "field"]
    assert (taken_back.field, taken_back.mine, taken_back.theirs) == ("title", "after the backup", "before the backup")
    await ann.thread.write(replica.resolving.keep_mine, taken_back.id)
    await team.settle()
    assert (await team.agree())[edited] == "after the backup", "an edit that the hub has lost can be sent once more"


async def test_what_was_sent_and_answered_but_not_yet_read_back_is_missed_too(team: Team, tmp_path: Path) -> None:
    """The cursor stands before the backup: only the answers to what was sent tell that something is gone."""
    edited = await team.ann.make("before the backup")
    await team.settle()
    team.hub.back_up(tmp_path / "backup")
    await team.ann.edit(edited, title="answered, then lost")
    lost = await team.ann.make("made, answered, then lost")
    assert await team.ann.link.cycle(pulling=False) == []
    await team.hub.put_back(tmp_path / "backup")
    await team.settle()
    assert await team.agree() == {edited: "before the backup"}
    assert {(one.mission_id, one.kind) for one in await team.ann.thread.read(replica.resolving.list_open)} == {
        (edited, "field"),
        (lost, "lost_remotely"),
    }


@pytest.mark.parametrize("what", ["a mission", "an actor"])
async def test_a_deletion_that_was_answered_and_then_lost_is_undone_here_too(
    team: Team, tmp_path: Path, what: str
) -> None:
    """Nothing of it is in the feed that a machine reads on from: it would be at the hub alone, for good."""
    deleted, kept = await team.ann.make("deleted, answered, then lost"), await team.ann.make("kept")
    actor = await team.ann.thread.write(operations.projects.create_actor, team.project, "Removed")
    await team.settle()
    team.hub.back_up(tmp_path / "backup")
    if what == "an actor":
        await team.ann.thread.write(operations.parts.remove, Actor, actor.id)
    else:
        await team.ann.thread.write(operations.missions.delete, deleted)
    assert await team.ann.link.cycle(pulling=False) == []
    left = (await team.owner.get(f"/projects/{team.project}/actors")).json()["items"]
    assert (len(await team.at_hub()), len(left)) == ((1, 1) if what == "a mission" else (2, 0))
    await team.hub.put_back(tmp_path / "backup")
    await team.settle()
    assert set(await team.agree()) == {deleted, kept}
    for one in (team.ann, team.bob):
        assert [each.name for each in await one.thread.read(queries.projects.actors, team.project)] == ["Removed"]


async def test_a_copy_beside_the_original_and_the_way_back(team: Team, tmp_path: Path) -> None:
    """The same address leads to a copy that is served elsewhere, then to the original, then to a copy of it."""
    kept = await team.make("in both")
    original, copy = team.hub.directory, tmp_path / "copy"
    (copy / "data").mkdir(parents=True)
    team.hub.back_up(copy / "data" / "hub.sqlite3")
    only_original = await team.make("in the original")
    await team.settle()
    await team.hub.stop()
    await team.hub.start(copy)
    only_copy = await team.make("in the copy")
    await team.settle()
    assert set(await team.agree()) == {kept, only_copy}
    team.hub.back_up(tmp_path / "backup of the copy")
    await team.hub.stop()
    await team.hub.start(original)
    await team.settle()
    assert set(await team.agree()) == {kept, only_original}
    assert [one.mission_id for one in await team.ann.thread.read(replica.resolving.list_open)] == [only_copy]
    await team.hub.put_back(tmp_path / "backup of the copy")
    await team.settle()
    assert set(await team.agree()) == {kept, only_copy}


async def test_a_restore_that_loses_nothing_is_not_noticed(team: Team, tmp_path: Path) -> None:
    """Nobody reads everything again where a backup has all that was read."""
    await team.make("kept")
    await team.settle()
    before = await team.ann.thread.read(replica.sync_steps.mirrored, team.project)
    team.hub.back_up(tmp_path / "backup")
    await team.hub.put_back(tmp_path / "backup")
    await team.make("later")
    await team.settle()
    assert (await team.ann.thread.read(replica.sync_steps.mirrored, team.project)).generation == before.generation
    assert len(await team.agree()) == 2
