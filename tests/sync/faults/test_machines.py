"""A machine in trouble: killed, stopped, its disk full, its clock wrong, its owner quicker than the network."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time as real_time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import Json
from solo_unicorn.sync import replica
from solo_unicorn.sync.client.single_process import EngineRuns, alone
from solo_unicorn.sync.replica.messages import Request
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.failures import StoreFull
from solo_unicorn.workspace.workspace import Workspace

from ..simulation.served import ServedHub
from .machines import PROJECT, Machine, Time, machine

YEAR = 365 * 86_400.0

ALONE = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from solo_unicorn.tests.sync.faults.machines import machine
from solo_unicorn.sync.client.single_process import alone

async def main():
    async with machine(Path(sys.argv[1]), sys.argv[2]) as one:
        if sys.argv[3] == "dies before it has written down the answer":
            send = one.link.transport.send
            async def sent(request):
                answer = await send(request)
                if request.method == "POST":
                    os.kill(os.getpid(), signal.SIGKILL)
                return answer
            one.link.transport.send = sent
            await one.engine.once()
        elif sys.argv[3] == "dies once the edit is committed":
            print(await one.make("acknowledged"), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            with alone(Path(sys.argv[1]).with_name("sync.lock")):
                print("runs", flush=True)
                await one.engine.keep_links()

asyncio.run(main())
"""


def another(path: Path, hub: ServedHub, what: str) -> subprocess.Popen[str]:
    """A process of its own on the same workspace."""
    words = [sys.executable, "-c", ALONE, str(path), hub.url, what, str(Path(__file__).parent)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def until(held: Any, what: str) -> None:
    """Wait for something that another process does."""
    deadline = real_time.monotonic() + 30
    while not held():
        assert real_time.monotonic() < deadline, what
        real_time.sleep(0.02)


def at_the_hub(served: ServedHub, method: str, mission_id: str, **fields: Any) -> None:
    """Somebody else changes a mission."""
    with served.lock:
        version = served.hub.state.missions[mission_id]["version"]
        path, headers = f"/api/v1/missions/{mission_id}", {"if-match": f'"{version}"'}
        assert served.hub.handle(Request(method, path, {}, headers, fields or None)).ok


async def test_killed_right_after_an_edit_it_is_there_and_sent_once(
    ann: Machine, tmp_path: Path, served: ServedHub
) -> None:
    child = another(tmp_path / "ann.db", served, "dies once the edit is committed")
    said, _ = await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert [one.id for one in await ann.board()] == [said.strip()]
    await ann.settle()
    await ann.engine.once()
    assert [effect.mission for effect in served.hub.effects] == [said.strip()]


async def test_killed_between_the_hubs_answer_and_our_note_of_it_the_edit_acts_once(
    ann: Machine, tmp_path: Path, served: ServedHub
) -> None:
    await ann.settle()
    mission_id = await ann.make("once")
    child = another(tmp_path / "ann.db", served, "dies before it has written down the answer")
    await asyncio.to_thread(child.communicate, timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert len(served.hub.effects) == 1 and (await ann.thread.read(replica.sync_steps.queued))[0].state == "inflight"
    await ann.settle()
    assert [effect.mission for effect in served.hub.effects] == [mission_id]


async def test_a_process_that_synchronises_and_hangs_holds_nobody_up_and_drains_later(
    ann: Machine, tmp_path: Path, served: ServedHub
) -> None:
    child = another(tmp_path / "ann.db", served, "runs")
    try:
        assert child.stdout and (await asyncio.to_thread(child.stdout.readline)).strip() == "runs"
        child.send_signal(signal.SIGSTOP)
        made = {await ann.make(f"meanwhile {number}") for number in range(3)}
        with pytest.raises(EngineRuns), alone(tmp_path / "sync.lock"):
            pass
        assert (await ann.thread.run(queries.connection.sync_state)).waiting == 3 and not served.hub.state.missions
        child.send_signal(signal.SIGCONT)
        await asyncio.to_thread(until, lambda: served.hub.state.missions.keys() == made, "nothing was sent")
    finally:
        child.kill()
        child.communicate()


async def test_a_full_disk_while_reading_moves_no_cursor_and_all_comes_later(ann: Machine, served: ServedHub) -> None:
    await ann.settle()
    before = await ann.thread.read(replica.sync_steps.mirrored, PROJECT["id"])
    for number in range(3):
        body: Json = {
            "id": f"01J{number:023d}",
            "title": f"big {number}",
            "description": "x" * 100_000,
            "list": "todo",
            "listOrder": 1.0,
            "stage": "plan",
            "createdAt": "2026-05-01T00:00:00Z",
        }
        path = f"/api/v1/projects/{PROJECT['id']}/missions"
        with served.lock:
            assert served.hub.handle(Request("POST", path, {}, {"idempotency-key": f"x{number}"}, body)).ok
    await ann.thread.run(_limit, 0)
    with pytest.raises(StoreFull):
        await ann.engine.once()
    assert await ann.board() == []
    assert (await ann.thread.read(replica.sync_steps.mirrored, PROJECT["id"])).cursor == before.cursor
    await ann.thread.run(_limit, 1_000_000)
    await ann.settle()
    assert len(await ann.board()) == 3 and await ann.thread.read(replica.sync_steps.verify_mirror, PROJECT["id"]) == []


def _limit(workspace: Workspace, pages: int) -> None:
    connection = workspace._store.connection
    pages = pages or connection.execute("PRAGMA page_count").fetchone()[0] + 4
    connection.execute(f"PRAGMA max_page_count = {pages}")


async def test_a_full_disk_does_not_end_the_running_engine(ann: Machine, served: ServedHub) -> None:
    mission_id = await ann.make("first")
    await ann.settle()
    at_the_hub(served, "PATCH", mission_id, description="y" * 200_000)
    await ann.thread.run(_limit, 0)
    failed, changed = asyncio.Event(), asyncio.Event()
    fails = ann.link.pace.failed

    def told(*words: Any) -> None:
        fails(*words)
        failed.set()

    ann.link.pace.failed = told  # type: ignore[method-assign, assignment]
    ann.link._clock = real_time.monotonic  # here time passes by itself
    running = asyncio.create_task(ann.engine.keep_links())
    stop = ann.thread.on_change(changed.set)
    try:
        async with asyncio.timeout(30):
            await failed.wait()
            await ann.thread.run(_limit, 1_000_000)
            while len((await ann.board())[0].description or "") != 200_000:
                await changed.wait()
                changed.clear()
    finally:
        stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


FULL = """
import resource, signal, sys
from pathlib import Path
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Workspace.open(Path(sys.argv[1])) as workspace:
    limit = max(one.stat().st_size for one in Path(sys.argv[1]).parent.iterdir()) + 60_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    kept = 0
    try:
        while True:
            draft = MissionDraft(title=f"mission {kept}", description="x" * 2000)
            workspace.write(operations.missions.create, "shared", draft)
            kept += 1
    except SoloUnicornError as error:
        print(kept, error.code, error.what)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    workspace.write(operations.missions.create, "shared", MissionDraft(title="there is space again"))
"""


async def test_a_disk_that_takes_no_more_refuses_the_edit_and_keeps_all_it_acknowledged(
    ann: Machine, tmp_path: Path, served: ServedHub
) -> None:
    await ann.settle()
    words = [sys.executable, "-c", FULL, str(tmp_path / "ann.db")]
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    kept, code, said = done.stdout.strip().split(" ", 2)
    assert code == "disk_full" and "Nothing was saved" in said and int(kept) > 0
    assert len(await ann.board()) == int(kept) + 1
    assert await ann.thread.run(Workspace.check) == []
    await ann.settle()
    assert len(served.hub.state.missions) == int(kept) + 1


@pytest.mark.parametrize("off", [YEAR, -YEAR], ids=["a year ahead", "a year behind"])
async def test_a_clock_a_year_off_changes_no_order_and_loses_nothing(
    ann: Machine, tmp_path: Path, served: ServedHub, caplog: pytest.LogCaptureFixture, off: float
) -> None:
    async with machine(tmp_path / "bob.db", served.url, wall=lambda: real_time.time() + off) as bob:
        served.hub.now = real_time.time()
        mission_id = await ann.make("by the right clock")
        await ann.settle()
        await bob.settle()
        await bob.edit(mission_id, title="by the wrong clock")
        await bob.settle()
        await ann.settle()
        await ann.edit(mission_id, title="by the right clock again")
        other = await bob.make("made by the wrong clock")
        await ann.settle()
        await bob.settle()
        await ann.settle()
        assert "this machine's clock differs from the hub's" in caplog.text
        assert abs(bob.link.skew - off) < 60
        for side in (ann, bob):
            assert {one.id: one.title for one in await side.board()} == {
                mission_id: "by the right clock again",
                other: "made by the wrong clock",
            }
            assert await side.thread.read(replica.resolving.list_open) == []


async def test_a_machine_that_slept_for_eight_hours_goes_on_at_once(
    ann: Machine, served: ServedHub, time: Time
) -> None:
    await ann.settle()
    served.before = lambda request: b"" if request.method == "POST" else None
    mission_id = await ann.make("before it slept")
    await ann.engine.once()
    time.now += 8 * 3600
    served.before = lambda request: None
    assert ann.link.pace.wait(time.now) == 0
    await ann.settle(rounds=3)
    assert mission_id in served.hub.state.missions and len(served.hub.effects) == 1


async def test_three_who_drag_the_same_cards_see_the_same_order(
    ann: Machine, tmp_path: Path, served: ServedHub
) -> None:
    cards = [await ann.make(f"card {number}") for number in range(5)]
    await ann.settle()
    async with AsyncExitStack() as others:
        people = [ann]
        for name in ("bob", "cia"):
            people.append(await others.enter_async_context(machine(tmp_path / f"{name}.db", served.url)))
        for one in people[1:]:
            await one.settle()
        for one, (card, before) in zip(people, ((4, 1), (3, 1), (4, 2)), strict=True):
            await one.thread.write(operations.missions.move, cards[card], "todo", before=cards[before])
        for _ in range(3):
            for one in people:
                await one.settle()
        orders = [[card.id for card in await one.board()] for one in people]
        assert orders[0] == orders[1] == orders[2] and sorted(orders[0]) == sorted(cards)
        assert all([await one.thread.read(replica.resolving.list_open) == [] for one in people])


@pytest.fixture
async def again(ann: Machine, tmp_path: Path, served: ServedHub) -> AsyncIterator[Machine]:
    """The same machine, started anew."""
    async with machine(tmp_path / "ann.db", served.url) as opened:
        yield opened


@pytest.mark.parametrize("mine", [True, False], ids=["kept mine", "kept theirs"])
async def test_deleted_there_and_edited_here_is_asked_about_even_after_a_restart(
    ann: Machine, again: Machine, served: ServedHub, mine: bool
) -> None:
    mission_id = await ann.make("base")
    await ann.settle()
    await ann.edit(mission_id, title="my words")
    at_the_hub(served, "DELETE", mission_id)
    await ann.settle()
    (conflict,) = await again.thread.read(replica.resolving.list_open)
    assert (conflict.kind, conflict.title) == ("deleted_remotely", "my words") and await again.board() == []
    await again.thread.write(replica.resolving.keep_mine if mine else replica.resolving.keep_theirs, conflict.id)
    await again.settle()
    assert [one.title for one in await again.board()] == (["my words"] if mine else [])
    assert [one["title"] for one in served.hub.state.missions.values()] == (["my words"] if mine else [])
    assert await again.thread.read(replica.resolving.list_open) == []


@pytest.mark.parametrize("mine", [True, False], ids=["kept mine", "kept theirs"])
async def test_deleted_here_and_edited_there_is_asked_about_even_after_a_restart(
    ann: Machine, again: Machine, served: ServedHub, mine: bool
) -> None:
    mission_id = await ann.make("base")
    await ann.settle()
    await ann.thread.write(operations.missions.delete, mission_id)
    at_the_hub(served, "PATCH", mission_id, title="their words")
    await ann.settle()
    (conflict,) = await again.thread.read(replica.resolving.list_open)
    assert conflict.kind == "deleted_locally"
    assert [one.title for one in await again.board()] == ["their words"]
    await again.thread.write(replica.resolving.keep_mine if mine else replica.resolving.keep_theirs, conflict.id)
    await again.settle()
    assert [one.title for one in await again.board()] == ([] if mine else ["their words"])
    assert bool(served.hub.state.missions) is not mine
