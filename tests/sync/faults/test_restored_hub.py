"""A hub that comes back from an old backup: noticed, read anew, and nobody's words are overwritten unseen."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import httpx
import pytest

from solo_unicorn.workspace.workspace import Workspace

from .machines import Key, machine

pytestmark = pytest.mark.slow


async def test_a_hub_restored_from_an_old_backup_is_read_anew_and_overwrites_nothing_unseen(
    home: Path, tmp_path: Path
) -> None:
    pytest.importorskip("fastapi", reason="needs the extra solo-unicorn[hub]")
    from ...hub.rest import serving

    directory, port = tmp_path / "hub", serving.free_port()
    token = await asyncio.to_thread(serving.prepare, directory, "")
    hub = f"http://127.0.0.1:{port}"
    process = await asyncio.to_thread(serving.start, directory, port, "")
    try:
        async with AsyncExitStack() as stack:
            owner = await stack.enter_async_context(
                httpx.AsyncClient(base_url=f"{hub}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=20)
            )
            project = (await owner.post("/projects", json={"name": "Shared"})).json()
            ann, bob = [
                await stack.enter_async_context(
                    machine(tmp_path / f"{name}.db", hub, bearer=Key(token), project=project)
                )
                for name in ("ann", "bob")
            ]
            await ann.settle()
            edited = await ann.make("before the backup")
            await ann.settle()
            await bob.settle()
            epoch = (await ann.desk.run(Workspace.mirror, project["id"])).epoch
            database = directory / "data" / "hub.sqlite3"
            with closing(sqlite3.connect(database)) as live, closing(sqlite3.connect(tmp_path / "backup")) as kept:
                live.backup(kept)
            await ann.edit(edited, title="after the backup")
            await ann.settle()
            later = await ann.make("made after the backup")
            await ann.settle()
            await bob.settle()
            await asyncio.to_thread(_stop, process)
            for rest in directory.glob(f"data/{database.name}*"):
                rest.unlink()
            shutil.copy(tmp_path / "backup", database)
            await bob.edit(edited, title="bob, while the hub was away")
            waiting = await ann.make("ann, while the hub was away")
            process = await asyncio.to_thread(serving.start, directory, port, "")
            for one in (ann, bob, ann):
                await one.engine.close()
                await one.settle()
            assert (await ann.desk.run(Workspace.mirror, project["id"])).epoch > epoch
            (conflict,) = await bob.desk.run(Workspace.conflicts)
            assert (conflict.base, conflict.mine, conflict.theirs) == (
                "after the backup",
                "bob, while the hub was away",
                "before the backup",
            )
            for one in (ann, bob):
                shown = {mission.id: mission.title for mission in await one.board()}
                assert shown == {edited: "before the backup", waiting: "ann, while the hub was away"}
                assert later not in shown, "what the hub lost with its disk is not there"
                assert await one.desk.run(Workspace.verify_mirror, project["id"]) == []
    finally:
        await asyncio.to_thread(_stop, process)


def _stop(process: object) -> None:
    process.terminate()  # type: ignore[attr-defined]
    process.wait(20)  # type: ignore[attr-defined]
