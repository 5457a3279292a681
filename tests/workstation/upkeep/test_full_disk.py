"""A full disk parks what needs it, names the place, counts no attempt, and all goes on when there is room."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from solo_unicorn.agents.verdict import Judgement
from solo_unicorn.cli import main as cli
from solo_unicorn.missions.entities import Mission, ProjectRepository
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.operations import parts
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.system import disk
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.failures import StoreFull
from solo_unicorn.workspace.integrity import backup
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client
from solo_unicorn.workstation.full_repositories import FullRepositories
from solo_unicorn.workstation.session import full_disk
from solo_unicorn.workstation.supervisor import Supervisor

from ..conftest import Shop, until

if TYPE_CHECKING:
    from solo_unicorn.missions.entities import Session
    from solo_unicorn.workstation.context import ServiceContext


@dataclass
class Disk:
    """A file system of a few megabytes."""

    place: Path

    def fill(self) -> None:
        """Take all the room there is."""
        with (self.place / "filler").open("ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    pass

    def empty(self) -> None:
        """Give it back."""
        (self.place / "filler").unlink()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Disk]:
    """A disk of its own; skipped where nothing may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)]
    if os.getuid() or not shutil.which("mount") or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("only root may mount a disk")
    yield Disk(place)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def moved(shop: Shop, small: Disk) -> Shop:
    """A shop whose repository is on the small disk."""
    there = small.place / "shop"
    shutil.copytree(shop.repository, there)
    shop.repository = there
    shop.workspace.write(parts.edit, ProjectRepository, shop.recorded.id, {"local_path": str(there)})
    return shop


def problems() -> list[str]:
    found = client.status()["problems"]
    assert isinstance(found, list)
    return [f"{one['name']}: {one['why']}" for one in found if isinstance(one, dict)]


def goes_on(shop: Shop, mission: Mission, small: Disk) -> None:
    """There is room again, and it is done without a person, at its first attempt."""
    small.empty()
    done = shop.done(mission)
    assert (done.attempts, done.attention) == (0, None)
    assert shop.git("log", "--format=%s").splitlines().count(mission.title) == 1


@pytest.mark.slow
def test_a_session_that_finds_no_room_waits_for_it(moved: Shop, small: Disk) -> None:
    small.fill()
    mission = moved.mission("Retry payments")
    client.ensure_running()
    until(lambda: any(f"no space left on the disk of {small.place}" in why for why in problems()), problems_now)
    assert moved.now(mission).attempts == 0
    goes_on(moved, mission, small)
    until(lambda: not any("no space left on the disk" in why for why in problems()), problems_now)


@pytest.mark.slow
def test_a_landing_that_finds_no_room_waits_for_it(moved: Shop, small: Disk) -> None:
    mission = moved.mission("Retry payments", flow="Quick fix")
    client.ensure_running()
    moved.until(mission, lambda now: now.list == "review" and now.agent_session_status == "INACTIVE", "to be reviewed")
    small.fill()
    moved.workspace.write(operations.review.approve, mission.id)
    until(
        lambda: any(f"no space left on the disk of {small.place}" in why for why in problems()),
        lambda: f"{problems_now()}; {moved.now(mission)}",
    )
    assert moved.now(mission).attention is None, "nobody is asked"
    goes_on(moved, mission, small)


def problems_now() -> str:
    return f"the place is named; now {problems()}"


@pytest.mark.slow
def test_a_home_on_a_full_disk_refuses_and_loses_nothing(
    small: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(small.place / "home"))
    with Workspace.open() as opened:
        project = opened.write(operations.projects.create, "Shop")
        mission = opened.write(operations.missions.create, project.id, MissionDraft(title="Kept"))
        (tmp_path / "notes.bin").write_bytes(os.urandom(1 << 20))
        small.fill()
        with pytest.raises(StoreFull, match="no space left for"):
            for number in range(500):
                opened.write(operations.memory.append, project.id, "index", f"{number} " * 2000)
        with pytest.raises(StoreFull, match=f"no space left for {small.place}"):
            operations.attachments.attach(opened, mission.id, tmp_path / "notes.bin")
        with pytest.raises(StoreFull, match=f"No backup was made: no space left for {small.place}"):
            backup.back_up(small.place / "home", small.place / "copy")
        assert cli.main(["export", "shop", "-o", str(small.place / "shop.json")]) == 1
        said = capsys.readouterr().err
        assert str(small.place / "shop.json") in said and "No space left" in said
        assert not list(small.place.glob("*copy*")) and not list(small.place.glob("*.json"))
        small.empty()
        operations.attachments.attach(opened, mission.id, tmp_path / "notes.bin")
        assert opened.touched() == [] and opened.loss() is None
    assert backup.back_up(small.place / "home", small.place / "copy").files == 1
    with Workspace.open() as opened:
        assert opened.read(queries.missions.get, mission.id).title == "Kept"


@pytest.mark.parametrize(
    "said",
    [
        "fatal: write error: No space left on device",
        "database or disk is full",
        "Disk quota exceeded",
        "Out of diskspace",
    ],
)
def test_a_full_disk_is_known_by_its_words_however_deep(said: str) -> None:
    deep = SoloUnicornError("The worktree cannot be made", why=said)
    assert disk.is_full(deep) and not disk.is_full(
        SoloUnicornError("The worktree cannot be made", why="Is a directory")
    )
    try:
        raise SoloUnicornError("It failed") from OSError(28, "no room")
    except SoloUnicornError as error:
        assert disk.is_full(error)


def test_the_disk_with_hardly_any_room_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert disk.full_place([tmp_path / "not" / "there", tmp_path]) is None
    monkeypatch.setattr(disk, "LITTLE_BYTES", sys.maxsize)
    assert disk.full_place([tmp_path / "not" / "there"]) == tmp_path


async def test_an_agent_that_fails_where_there_is_no_room_is_not_to_blame(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It used up the three attempts of its mission."""
    async with WorkspaceThread() as thread:
        project = (await thread.write(operations.projects.create, "Shop")).id
        repository = await thread.write(parts.create, project, ProjectRepository, "shop", {"local_path": str(home)})
        mission = await thread.write(operations.missions.create, project, MissionDraft(title="Retry payments"))
        session = cast("Session", SimpleNamespace(mission_id=mission.id, worktree_path=str(home)))
        supervisor, full = Supervisor(), FullRepositories()
        context = cast("ServiceContext", SimpleNamespace(workspace=thread, supervisor=supervisor, full=full))
        failed = Judgement("failed", "git: write error")
        monkeypatch.setattr(full_disk, "full_place", lambda places: None)
        assert await full_disk.judged(context, session, failed) == failed
        monkeypatch.setattr(full_disk, "full_place", lambda places: home)
        told = await full_disk.judged(context, session, failed)
        assert told.outcome == "unavailable"
        assert f"There is no space left on the disk of {home}" in told.reason and "write error" in told.reason
        assert full.still(asyncio.get_running_loop().time(), ()) == {repository.id}
        assert [one.name for one in supervisor.problems] == ["room for shop"]
