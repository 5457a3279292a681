"""Many processes on one workspace, killed or waiting: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.sync import replica
from solo_unicorn.workspace.workspace import Workspace

from ..simulation.served import ServedHub
from .machines import PROJECT, Machine

WRITES = """
import random, sys
from pathlib import Path
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.errors import TryAgain
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

chance = random.Random(int(sys.argv[2]))
with Workspace.open(Path(sys.argv[1])) as workspace:
    while True:
        try:
            mission = workspace.write(operations.missions.create, "shared", MissionDraft(title="x"))
            print(mission.id, flush=True)
            changes = {"priority": chance.randint(1, 5), "description": str(chance.random())}
            workspace.write(operations.missions.edit, mission.id, changes)
        except TryAgain:  # seven others on a slow disk: refused in so many words, and nothing was called saved
            continue
"""


@pytest.mark.slow
async def test_eight_processes_that_write_and_are_killed_at_random_lose_nothing(
    ann: Machine, tmp_path: Path, served: ServedHub
) -> None:
    await ann.settle()
    writers: list[subprocess.Popen[str]] = []
    try:
        for number in range(8):
            words = [sys.executable, "-c", WRITES, str(tmp_path / "ann.db"), str(number)]
            writers.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))  # noqa: ASYNC220
        acknowledged: set[str] = set()
        for writer in writers:
            assert writer.stdout
            for _ in range(8):
                acknowledged.add((await asyncio.to_thread(writer.stdout.readline)).strip())
            assert writer.poll() is None, "a writer ended by itself"
            os.kill(writer.pid, signal.SIGKILL)
        for writer in writers:
            assert writer.stdout
            rest = await asyncio.to_thread(writer.stdout.read)  # what was read ahead stands in there
            acknowledged |= {line for line in rest.split("\n")[:-1] if line}
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert await ann.thread.run(Workspace.check) == []
    assert await ann.thread.read(replica.sync_steps.verify_mirror, PROJECT["id"]) == []
    await ann.settle()
    assert acknowledged - served.hub.state.missions.keys() == set()
    assert all(effect.kind in ("create", "patch") for effect in served.hub.effects)
    assert sum(effect.kind == "create" for effect in served.hub.effects) == len(served.hub.state.missions)


@pytest.mark.slow
async def test_a_reader_that_stays_keeps_the_log_only_for_as_long_as_it_stays(ann: Machine, tmp_path: Path) -> None:
    log = tmp_path / "ann.db-wal"
    with Workspace.open(tmp_path / "ann.db") as reader:
        reading = reader._store.connection
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM mission").fetchone()
        for number in range(30):
            await ann.make(f"while it reads {number}")
        await ann.thread.run(Workspace.checkpoint)
        assert log.stat().st_size > 0, "what a reader needs is not taken away from it"
        reading.execute("ROLLBACK")
        await ann.thread.run(Workspace.checkpoint)
        assert log.stat().st_size == 0
    assert len(await ann.board()) == 30


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SoloUnicornError, match="cannot be created"):
        Workspace.open(tmp_path / "file" / "workspace.db")
