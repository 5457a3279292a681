"""The engine over real sockets: what it does when the other side does not do what it should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.client.engine import Engine
from solo_unicorn.sync.client.single_process import EngineRuns, alone
from solo_unicorn.sync.client.transport import HttpTransport
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Request, Response
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.thread import WorkspaceThread

from .simulation.hub import SimulatedHub
from .simulation.served import PAT, ServedHub

PROJECT = {"id": "01J00000000000000000000000", "name": "Shared", "slug": "shared"}


class Key:
    """A token that may be taken away."""

    def __init__(self) -> None:
        self.value: str | None = PAT

    async def token(self) -> str | None:
        return self.value

    async def renewed(self, refused: str) -> str | None:
        return None


@pytest.fixture
def served() -> Iterator[ServedHub]:
    with ServedHub(SimulatedHub(PROJECT["id"]), project=dict(PROJECT)) as hub:
        yield hub


@pytest.fixture
async def thread(home: Path, served: ServedHub) -> AsyncIterator[WorkspaceThread]:
    account = Account("ann@hub", "hub", served.url, "ann", "ann@example.org", "token", True, {})
    async with WorkspaceThread() as opened:
        await opened.run(replica.connecting.put_account, account)
        await opened.write(replica.connecting.connect, account, {**PROJECT}, {})
        yield opened


@pytest.fixture
def key() -> Key:
    return Key()


@pytest.fixture
async def engine(thread: WorkspaceThread, key: Key) -> AsyncIterator[Engine]:
    made = Engine(thread, lambda account: HttpTransport(account.hub, key), random=Random(1))
    yield made
    await made.close()


async def made(thread: WorkspaceThread, title: str) -> str:
    mission = await thread.write(operations.missions.create, PROJECT["id"], MissionDraft(title=title))
    return mission.id


async def test_what_is_made_here_is_there_and_the_other_way_round(
    thread: WorkspaceThread, engine: Engine, served: ServedHub
) -> None:
    mission_id = await made(thread, "Made on the train")
    assert await engine.once() == []
    assert served.hub.state.missions[mission_id]["title"] == "Made on the train"
    served.hub.handle(
        Request("PATCH", f"/api/v1/missions/{mission_id}", {}, {"if-match": '"1"'}, {"title": "Read in the office"})
    )
    assert await engine.once() == []
    assert (await thread.read(queries.missions.get, mission_id)).title == "Read in the office"
    assert (await thread.run(queries.connection.sync_state)).word == "synced"


@pytest.mark.parametrize(("status", "code"), [(503, "unavailable"), (507, "disk_full")])
async def test_offline_is_said_and_the_edit_goes_out_later(
    thread: WorkspaceThread, engine: Engine, served: ServedHub, status: int, code: str
) -> None:
    await engine.once()
    mission_id = await made(thread, "Offline")
    served.before = lambda request: Response(
        status, {"retry-after": "2"}, {"error": {"code": code, "message": "starting"}}
    )
    (trouble,) = await engine.once()
    state = await thread.run(queries.connection.sync_state)
    assert trouble.kind == "not_ready" and state.offline_since is not None and state.waiting == 1
    assert "hub not ready since" in state.word and "1 to send" in state.word
    served.before = lambda request: None
    assert await engine.once() == []
    assert mission_id in served.hub.state.missions


@pytest.mark.parametrize(
    "nonsense",
    [b"<html>please pay for this network</html>", b'{"changes": [', Response(200, {}, ["no", "page"])],
    ids=["captive portal", "cut off", "another shape"],
)
async def test_an_answer_that_cannot_be_read_changes_nothing(
    thread: WorkspaceThread, engine: Engine, served: ServedHub, nonsense: bytes | Response
) -> None:
    await engine.once()
    before = await thread.read(replica.sync_steps.mirrored, PROJECT["id"])
    mission_id = await made(thread, "Careful")
    served.before = lambda request: nonsense
    (trouble,) = await engine.once()
    after = await thread.read(replica.sync_steps.mirrored, PROJECT["id"])
    assert trouble.kind in ("unreadable", "unreachable") and after.cursor == before.cursor
    served.before = lambda request: None
    assert await engine.once() == [] and mission_id in served.hub.state.missions


async def test_signed_out_in_the_middle_keeps_the_outbox(
    thread: WorkspaceThread, engine: Engine, served: ServedHub, key: Key
) -> None:
    await engine.once()
    first, second = await made(thread, "one"), await made(thread, "two")
    served.before = lambda request: (
        Response(401, {}, {"error": {"code": "revoked", "message": "revoked"}}) if request.method == "POST" else None
    )
    (trouble,) = await engine.once()
    state = await thread.run(queries.connection.sync_state)
    assert trouble.kind == "signed_out" and state.signed_out == ("hub",) and state.waiting == 2
    assert state.word.startswith("needs sign-in")
    served.before = lambda request: None
    assert await engine.once() == []
    assert served.hub.state.missions.keys() == {first, second}
    assert len(served.hub.effects) == 2


async def test_a_refused_edit_is_set_aside_with_the_hubs_words_and_the_others_go_on(
    thread: WorkspaceThread, engine: Engine, served: ServedHub
) -> None:
    mission_id = await made(thread, "fine")
    await engine.once()
    await thread.write(operations.missions.edit, mission_id, {"title": "forbidden word"})

    def refuse(request: Request) -> Response | None:
        body = request.body if isinstance(request.body, dict) else {}
        if body.get("title") == "forbidden word":
            return Response(422, {}, {"error": {"code": "invalid", "message": "titles must be polite"}})
        return None

    served.before = refuse
    assert await engine.once() == []
    (parked,) = await thread.read(replica.sync_steps.queued, parked=True)
    assert parked.error == "titles must be polite"
    assert (await thread.read(queries.missions.get, mission_id)).title == "fine"
    await thread.write(operations.missions.edit, mission_id, {"title": "polite word"})
    assert await engine.once() == []
    assert served.hub.state.missions[mission_id]["title"] == "polite word"
    await thread.write_as(SYSTEM, replica.sync_steps.discard_parked, parked.seq)
    assert (await thread.run(queries.connection.sync_state)).word == "synced"


async def test_another_account_never_sends_what_this_one_queued(
    thread: WorkspaceThread, engine: Engine, served: ServedHub
) -> None:
    await made(thread, "Ann's")
    bob = Account("bob@hub", "bob", served.url, "bob", "", "token", True, {})
    await thread.run(replica.connecting.put_account, bob)
    await engine.link(bob).cycle()
    assert served.hub.effects == []
    assert await thread.read(replica.sync_steps.due, "bob@hub") == []


async def test_a_conflict_shows_both_sides_and_keeping_mine_wins(
    thread: WorkspaceThread, engine: Engine, served: ServedHub
) -> None:
    mission_id = await made(thread, "base")
    await engine.once()
    await thread.write(operations.missions.edit, mission_id, {"title": "mine"})
    served.hub.handle(Request("PATCH", f"/api/v1/missions/{mission_id}", {}, {"if-match": '"1"'}, {"title": "theirs"}))
    await engine.once()
    (conflict,) = await thread.read(replica.resolving.list_open)
    assert (conflict.base, conflict.mine, conflict.theirs) == ("base", "mine", "theirs")
    assert (await thread.read(queries.missions.get, mission_id)).title == "theirs"
    await thread.write(replica.resolving.keep_mine, conflict.id)
    await engine.once()
    assert served.hub.state.missions[mission_id]["title"] == "mine"
    assert await thread.read(replica.resolving.list_open) == []


async def test_a_plain_server_works_too(thread: WorkspaceThread, engine: Engine, served: ServedHub) -> None:
    served.hub.plain = True
    mission_id = await made(thread, "plain")
    assert await engine.once() == []
    assert served.hub.state.missions[mission_id]["title"] == "plain"
    await thread.write(operations.missions.edit, mission_id, {"priority": 5})
    assert await engine.once() == []
    assert served.hub.state.missions[mission_id]["priority"] == 5
    can = await thread.read(replica.sync_steps.capabilities, served.url)
    assert can is not None and not (can.changes or can.if_match or can.idempotency)


async def test_the_running_engine_sends_at_once_and_reads_when_nudged(
    thread: WorkspaceThread, engine: Engine, served: ServedHub
) -> None:
    news = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(effect: object) -> None:
        loop.call_soon_threadsafe(news.set)

    served.hub.on_effect = told
    running = asyncio.create_task(engine.keep_links())
    try:
        async with asyncio.timeout(20):
            mission_id = await made(thread, "quick")
            await news.wait()
            news.clear()
            thread.on_change(news.set)
            request = Request("PATCH", f"/api/v1/missions/{mission_id}", {}, {"if-match": '"1"'}, {"title": "there"})
            served.hub.handle(request)
            engine.nudge("ann@hub")
            while (await thread.read(queries.missions.get, mission_id)).title != "there":
                await news.wait()
                news.clear()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_there_is_one_engine(tmp_path: Path) -> None:
    with alone(tmp_path / "sync.lock"), pytest.raises(EngineRuns), alone(tmp_path / "sync.lock"):
        pass
    with alone(tmp_path / "sync.lock"):
        pass
