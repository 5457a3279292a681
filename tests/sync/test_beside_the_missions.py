"""Parts, memory, notes and files of a project between two machines and the real hub."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from solo_unicorn.missions.entities import SYSTEM, Actor, FlowStage, ProjectRepository
from solo_unicorn.missions.errors import NotFound, Offline
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.client import fetching
from solo_unicorn.sync.client.downloads import fetch
from solo_unicorn.sync.client.engine import Engine
from solo_unicorn.sync.client.transport import HttpTransport
from solo_unicorn.sync.replica import files
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Answer, NoAnswer, Request
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.queries.attachments import content_path, shown_path
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace

pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
from ..hub.whole import Whole, whole

pytestmark = pytest.mark.slow


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from random import Random
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.sync.replica import files
from solo_unicorn.sync.client.engine import Engine
from solo_unicorn.sync.client.transport import FixedBearer, HttpTransport

files.PIECE = 1000
token = sys.stdin.readline().strip()

class Line(HttpTransport):
    pieces = 0

    async def send(self, request):
        answer = await super().send(request)
        self.pieces += request.piece is not None
        if self.pieces == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

async def main():
    async with WorkspaceThread(Path(sys.argv[1])) as thread:
        await Engine(thread, lambda account: Line(account.hub, FixedBearer(token)), random=Random(3)).once()

asyncio.run(main())
"""


class Key:
    """A token that stays."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str | None:
        return self._token

    async def renewed(self, refused: str) -> str | None:
        return None


class Line(HttpTransport):
    """The network, which can be cut after some pieces."""

    pieces = 0
    left = 10**9

    async def send(self, request: Request) -> Answer:
        if request.piece is not None:
            if self.left == 0:
                return NoAnswer("cut")
            self.left -= 1
            self.pieces += 1
        return await super().send(request)


class Machine:
    """A workspace with its engine."""

    def __init__(self, thread: WorkspaceThread, account: Account, token: str) -> None:
        self.thread, self.account, self.token = thread, account, token
        self.line = Line(account.hub, Key(token))
        self.engine = Engine(thread, lambda account: self.line, random=Random(1))

    async def started_anew(self) -> None:
        await self.engine.close()
        self.line = Line(self.account.hub, Key(self.token))
        self.engine = Engine(self.thread, lambda account: self.line, random=Random(2))

    async def sync(self) -> None:
        for _ in range(2):
            assert await self.engine.once() == []
        assert await self.thread.read(replica.sync_steps.verify_mirror, self.project) == []

    project = ""


@asynccontextmanager
async def machine(hub: Whole, directory: Path, name: str) -> AsyncIterator[Machine]:
    account = Account("ann@hub", "hub", hub.url, "ann", "ann@example.org", "token", True, {})
    async with WorkspaceThread(directory / f"{name}.db") as thread:
        made = Machine(thread, account, hub.ann_token)
        document, parts = await fetching.project(made.line, hub.url, hub.project)
        await thread.run(replica.connecting.put_account, account)
        await thread.write(replica.connecting.connect, account, document, parts)
        made.project = hub.project
        yield made
        await made.engine.close()


@pytest.fixture
async def hub(home: Path, tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path / "hub") as served:
        yield served


@pytest.fixture
async def both(hub: Whole, tmp_path: Path) -> AsyncIterator[tuple[Machine, Machine]]:
    async with machine(hub, tmp_path, "a") as first, machine(hub, tmp_path, "b") as second:
        yield first, second


async def test_everything_of_a_project_goes_both_ways(both: tuple[Machine, Machine], hub: Whole) -> None:
    a, b = (one.thread for one in both)

    def change(workspace: Workspace) -> None:
        workspace.write(operations.projects.create_actor, hub.project, "Careful", focus="tests")
        workspace.write(operations.projects.add_repository, hub.project, "web", local_path="/here/only")
        flow = workspace.write(operations.projects.create_flow, hub.project, "Short", [FlowStage("plan", True)])
        workspace.write(
            operations.projects.edit, hub.project, {"default_flow_id": flow.id, "description": "Light for ships"}
        )
        workspace.write(operations.memory.append, hub.project, "decisions", "of a")
        workspace.write(operations.missions.add_note, hub.mission, "decision", "by a")
        workspace.write(operations.comments.add, hub.mission, "lamp.py", 3, "new", "too bright")

    await both[0].sync()
    await a.run(change)
    await both[0].sync()
    await both[1].sync()

    def answer(workspace: Workspace) -> None:
        (actor,) = workspace.read(queries.projects.actors, hub.project)
        (repository,) = workspace.read(queries.projects.repositories, hub.project)
        assert (actor.focus, repository.local_path) == ("tests", "")
        project = workspace.read(queries.projects.get, hub.project)
        assert project.description == "Light for ships"
        assert workspace.read(queries.projects.flow, project.default_flow_id or "").name == "Short"
        assert workspace.read(queries.memory.get, hub.project, "decisions").text == "of a\n"
        assert [
            one.note for one in workspace.read(queries.missions.history, hub.mission) if one.kind == "noted_decision"
        ] == ["by a"]
        (comment,) = workspace.read(queries.comments.of_mission, hub.mission)
        workspace.write(operations.comments.resolve, comment.id)
        workspace.write(operations.parts.edit, Actor, actor.id, {"focus": "tests and docs"})
        workspace.write(operations.parts.remove, ProjectRepository, repository.id)
        workspace.write(operations.memory.append, hub.project, "decisions", "of b")

    await b.run(answer)
    await a.write(operations.memory.append, hub.project, "decisions", "of a again")
    await both[1].sync()
    await both[0].sync()
    assert [one.focus for one in await a.read(queries.projects.actors, hub.project)] == ["tests and docs"]
    assert await a.read(queries.projects.repositories, hub.project) == []
    assert [one.open for one in await a.read(queries.comments.of_mission, hub.mission)] == [False]
    assert (await a.read(queries.memory.get, hub.project, "decisions")).text == "of a\n\nof b\n\nof a again\n"
    for one in (a, b):
        assert await one.read(replica.resolving.list_open) == [] and await one.read(replica.sync_steps.queued) == []


async def test_a_file_that_was_cut_off_goes_on_where_it_stood(
    both: tuple[Machine, Machine], hub: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE", 1000)
    a, b = (one.thread for one in both)
    source = tmp_path / "log.txt"
    source.write_bytes(b"line\n" * 1000)
    await both[0].sync()
    mission = await a.write(operations.missions.create, hub.project, MissionDraft("New, with a file"))
    file = await a.run(operations.attachments.attach, mission.id, source)
    assert await a.read(replica.files.file_states, mission.id) == {file.id: "waiting"}
    assert mission.id in {one.mission_id for one in await a.read(replica.sync_steps.queued)}
    both[0].line.left = 2
    (trouble,) = await both[0].engine.once()
    assert trouble.kind == "unreachable"
    listed = await hub.ask("GET", f"/api/v1/projects/{hub.project}/missions")
    assert "New, with a file" in listed.text, "a mission does not wait for its files"
    await both[0].started_anew()
    await both[0].sync()
    assert both[0].line.pieces == 3, "what had arrived is not sent again"
    assert await a.read(replica.files.file_states, mission.id) == {}

    content_path(file).unlink()
    await both[1].sync()
    (there,) = await b.read(queries.attachments.of_mission, mission.id)
    assert (there.id, there.sha256, there.size) == (file.id, sha256(source.read_bytes()).hexdigest(), 5000)
    with pytest.raises(NotFound, match="is not on this machine"):
        shown_path(there)
    path = await fetch(both[1].line, both[1].account, there)
    assert path.read_bytes() == source.read_bytes() and shown_path(there).name == "log.txt"

    await b.write(operations.attachments.detach, mission.id, "log.txt")
    await both[1].sync()
    await both[0].sync()
    assert await a.read(queries.attachments.of_mission, mission.id) == []
    assert (await hub.ask("GET", f"/api/v1/missions/{mission.id}/attachments")).json()["items"] == []


async def test_killed_in_the_middle_of_an_upload_the_next_goes_on_there(
    both: tuple[Machine, Machine], hub: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE", 1000)
    source = tmp_path / "log.txt"
    source.write_bytes(b"line\n" * 1000)
    await both[0].sync()
    file = await both[0].thread.run(operations.attachments.attach, hub.mission, source)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path / "a.db"), stdin=asyncio.subprocess.PIPE
    )
    await asyncio.wait_for(child.communicate(hub.ann_token.encode() + b"\n"), 60)
    assert child.returncode == -signal.SIGKILL
    assert await both[0].thread.read(replica.files.file_states, hub.mission) == {file.id: "waiting"}
    await both[0].sync()
    assert both[0].line.pieces == 3, "what had arrived is not sent again"
    assert await both[0].thread.read(replica.files.file_states, hub.mission) == {}
    (there,) = (await hub.ask("GET", f"/api/v1/missions/{hub.mission}/attachments")).json()["items"]
    assert (there["id"], there["sha256"]) == (file.id, sha256(source.read_bytes()).hexdigest())


async def test_other_bytes_than_were_attached_are_thrown_away(
    both: tuple[Machine, Machine], hub: Whole, tmp_path: Path
) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(b"true words")
    await both[0].sync()
    file = await both[0].thread.run(operations.attachments.attach, hub.mission, source)
    await both[0].sync()
    content_path(file).unlink()
    (kept,) = [one for one in (tmp_path / "hub").rglob("*") if one.is_file() and one.read_bytes() == b"true words"]
    kept.write_bytes(b"fake words")
    with pytest.raises(Offline, match="arrived incomplete or changed"):
        await fetch(both[0].line, both[0].account, file)
    assert not content_path(file).exists()
    kept.write_bytes(b"true words")
    assert (await fetch(both[0].line, both[0].account, file)).read_bytes() == b"true words"


async def test_what_the_hub_will_not_have_is_kept_here_with_its_words(
    both: tuple[Machine, Machine], hub: Whole, tmp_path: Path
) -> None:
    source = tmp_path / "picture.png"
    source.write_bytes(b"<html>no picture</html>")
    await both[0].sync()
    file = await both[0].thread.run(operations.attachments.attach, hub.mission, source)
    await both[0].sync()
    (parked,) = await both[0].thread.read(replica.sync_steps.queued, parked=True)
    assert parked.entity_id == file.id and parked.error
    assert await both[0].thread.read(replica.files.file_states, hub.mission) == {file.id: "parked"}
    assert content_path(file).read_bytes() == b"<html>no picture</html>"
    await both[0].thread.write_as(SYSTEM, replica.sync_steps.discard_parked, parked.seq)
    assert [one.id for one in await both[0].thread.read(queries.attachments.of_mission, hub.mission)] == [file.id]


async def test_two_files_of_one_name_are_both_kept(both: tuple[Machine, Machine], hub: Whole, tmp_path: Path) -> None:
    for number, one in enumerate(both):
        source = tmp_path / f"{number}" / "log.txt"
        source.parent.mkdir()
        source.write_bytes(b"of machine %d" % number)
        await one.sync()
        await one.thread.run(operations.attachments.attach, hub.mission, source)
    for one in (*both, *both):
        await one.sync()
    for one in both:
        found = await one.thread.read(queries.attachments.of_mission, hub.mission)
        assert sorted(file.name for file in found) == ["log (2).txt", "log.txt"]
        assert len({file.sha256 for file in found}) == 2
