"""A fault of the program in every chore of the service and every job for a mission, on simulated time."""

from __future__ import annotations

import ast
import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn import workstation as package
from solo_unicorn.cli.main import main
from solo_unicorn.config import loading, paths
from solo_unicorn.missions.entities import SYSTEM, Author, CodeAgent, Mission, service_of
from solo_unicorn.missions.ids import new_ulid
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client
from solo_unicorn.workstation.composition import Composition
from solo_unicorn.workstation.landing import landings
from solo_unicorn.workstation.landing.pull_requests import PullRequests
from solo_unicorn.workstation.session.runner import SessionRunner
from solo_unicorn.workstation.supervisor import TRIES, Supervisor, Work
from solo_unicorn.worktrees.pool.pool import Pool

from ...simulated_time import SimulatedLoop, simulated
from ...worktrees.conftest import MemorySlots
from ..conftest import Shop, until

HOUR = 3600.0
OWNERS = {"supervisor.py", "runner.py"}
"""Where tasks are made: by the supervisor, and by a session for the time that it waits for both of its tasks."""


class Fault(Exception):
    """Nothing in the product expects it."""


def broken(work: Work, calls: Counter[str], name: str, times: float) -> Work:
    """Breaks off so often, and is `work` from then on."""

    async def instead() -> float | None:
        calls[name] += 1
        if calls[name] <= times:
            raise Fault(name)
        return await work()

    return instead


async def opened(monkeypatch: pytest.MonkeyPatch, calls: Counter[str], times: float) -> Composition:
    """A service whose every chore breaks off so often, started."""
    parts = await Composition.open(loading.load(), lambda: None)
    chores = {name: broken(work, calls, name, times) for name, work in parts.chores().items()}
    monkeypatch.setattr(parts, "chores", lambda: chores)
    parts.start()
    return parts


@pytest.mark.slow
def test_every_chore_that_breaks_off_comes_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    async def main(loop: SimulatedLoop) -> None:
        parts = await opened(monkeypatch, calls, times=2)
        try:
            await asyncio.sleep(30)
            assert {name for name, count in calls.items() if count >= 3} == set(parts.chores())
            await asyncio.sleep(HOUR / 2)
            assert parts.context.supervisor.problems == []
            assert parts.scheduler.settled and parts.context.mcp.up.is_set()
        finally:
            await parts.close()

    simulated(main, grace=0.02)


def test_a_chore_that_breaks_off_again_and_again_is_reported_and_tried_a_few_times_an_hour(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    async def main(loop: SimulatedLoop) -> None:
        parts = await opened(monkeypatch, calls, times=float("inf"))
        try:
            await asyncio.sleep(HOUR)
            first_hour = Counter(calls)
            await asyncio.sleep(HOUR)
            for name in parts.chores():
                assert 3 <= first_hour[name] <= 13
                assert calls[name] - first_hour[name] <= 4
            problems = {one.name: one for one in parts.context.supervisor.problems}
            assert problems.keys() == parts.chores().keys()
            assert all(one.lasting and f"unexpected Fault: {name}" in one.why for name, one in problems.items())
        finally:
            await parts.close()

    simulated(main)


def test_no_task_is_made_that_nobody_owns() -> None:
    found = set()
    for file in Path(package.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("create_task", "ensure_future"):
                found.add(file.name)
    assert found == OWNERS


async def test_a_problem_comes_and_goes() -> None:
    changes: list[int] = []
    supervisor = Supervisor(lambda: changes.append(len(supervisor.problems)))

    async def breaks() -> None:
        raise OSError("no room")

    async def works() -> None:
        pass

    assert not await supervisor.tried("copying", breaks)
    [problem] = supervisor.problems
    assert (problem.name, problem.why, problem.times, problem.again_at) == ("copying", "no room", 1, None)
    assert await supervisor.tried("copying", works)
    assert supervisor.problems == [] and changes == [1, 0]


async def test_what_works_at_the_moment_is_no_problem_and_its_pauses_go_on_growing() -> None:
    """The board said for a quarter of an hour that a synchronisation fails which had long come back."""
    supervisor = Supervisor()
    pauses = [supervisor.met("synchronisation", Fault()) for _ in range(3)]
    supervisor.works("synchronisation")
    assert supervisor.problems == []
    pauses.append(supervisor.met("synchronisation", Fault()))
    assert [one.times for one in supervisor.problems] == [4] and pauses == [2.0, 4.0, 8.0, 16.0]
    supervisor.well("synchronisation")
    assert supervisor.problems == [] and supervisor.met("synchronisation", Fault()) == 2.0


@pytest.mark.slow
def test_a_synchronisation_that_broke_off_and_came_back_is_no_problem(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the fifteen minutes after which its faults are forgotten."""
    calls: Counter[str] = Counter()

    async def main(loop: SimulatedLoop) -> None:
        parts = await Composition.open(loading.load(), lambda: None)
        chore = parts.chores()["synchronisation"]
        monkeypatch.setattr(parts, "chores", lambda: {"synchronisation": broken(chore, calls, "synchronisation", 2)})
        with Workspace.open() as opened:
            ann = Account("ann@hub", "hub", "http://127.0.0.1:9", "ann", "", "token", True, {})
            replica.connecting.put_account(opened, ann)
            opened.write(replica.connecting.connect, ann, {"id": new_ulid(), "name": "Shared"}, {})
        parts.start()
        try:
            await asyncio.sleep(3)
            assert [one.times for one in parts.context.supervisor.problems] == [2]
            await asyncio.sleep(30)
            assert calls["synchronisation"] == 3 and parts.context.supervisor.problems == []
        finally:
            await parts.close()

    simulated(main, grace=0.02)


@pytest.mark.slow
def test_what_does_not_work_is_said_by_status_doctor_and_open_screens(
    workstation: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The fault of a real machine: the port that the settings name is another program's."""
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("SOLO_UNICORN_MCP_PORT", str(taken.getsockname()[1]))
        keeper = client.Keeper(lambda news: heard.append(getattr(news, "problem", repr(news)))).start()
        try:
            until(lambda: heard and heard[-1] == "MCP server fails", lambda: f"the screen heard of it: {heard}")
            assert main(["workstation", "status"]) == 0
            assert "MCP server: " in capfd.readouterr().out
            assert main(["doctor"]) == 1
            assert "service, MCP server" in capfd.readouterr().out
            taken.close()
            until(lambda: heard[-1] == "", lambda: f"the screen heard that it works again: {heard}")
            assert client.status()["problems"] == []
        finally:
            keeper.close()


# ---- jobs for one mission: put off after each fault, and left to a person after a few


def served(holds: Callable[[], object], minutes: float = 2) -> None:
    """Let a service run on simulated time until something holds; fails when it does not."""

    async def main(loop: SimulatedLoop) -> None:
        parts = await Composition.open(loading.load(), lambda: None)
        parts.start()
        try:
            for _ in range(round(minutes * 60)):
                await asyncio.sleep(1)
                if holds():
                    return
            pytest.fail(f"not within {minutes} minutes; problems: {parts.context.supervisor.problems}")
        finally:
            await parts.close()

    simulated(main, grace=0.02)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str, str], list[object]]:
    """Let calls of a function break off whose arguments hold a word; what they were called with is counted."""

    def put(owner: object, name: str, word: str) -> list[object]:
        calls: list[object] = []
        real = getattr(owner, name)

        def instead(*arguments: Any, **named: Any) -> Any:
            if word in repr((arguments, named)):
                calls.append(arguments)
                raise Fault(name)
            return real(*arguments, **named)

        monkeypatch.setattr(owner, name, instead)
        return calls

    return put


def finished(shop: Shop, title: str) -> Mission:
    """A mission whose only stage is finished, so that it is to be landed."""
    agent = CodeAgent(type="rehearsal", name="rehearsal", title="Rehearsal", slots=4, state="ready")
    shop.workspace.write_as(SYSTEM, operations.workstation.set_agents, [agent])
    mission = shop.mission(title)
    session = shop.workspace.write_as(
        SYSTEM, operations.dispatch.claim, mission.id, session_id=title, agent=agent, workstation_id="elsewhere"
    )
    shop.workspace.write_as(
        service_of(session.id),
        operations.sessions.begin,
        session.id,
        host_pid=1,
        worktree_path="/w",
        branch="b",
        base_commit="c",
    )
    shop.workspace.write_as(
        Author("agent", agent.name, session.id), operations.review.complete_stage, mission.id, "Done", ""
    )
    return shop.workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "completed")


Faults = Callable[[object, str, str], list[object]]


def test_a_landing_that_breaks_off_is_tried_a_few_times_and_left_to_a_person(shop: Shop, faults: Faults) -> None:
    mission = finished(shop, "Coupons")
    assert mission.landing_status == "queued"
    calls = faults(landings, "land", "Coupons")
    served(lambda: shop.now(mission).landing_status == "failed")
    assert len(calls) == TRIES
    assert "it failed 4 times in a row: unexpected Fault: land" in (shop.now(mission).attention or "")


def test_a_claim_that_breaks_off_holds_up_no_other_mission_and_is_left_to_a_person(
    shop: Shop, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def begin(runner: SessionRunner) -> None:
        begun.append(runner.session.mission_id)
        await asyncio.Event().wait()

    monkeypatch.setattr(SessionRunner, "run_to_end", begin)
    broken, other = shop.mission("Coupons"), shop.mission("Refunds")
    calls = faults(operations.dispatch, "claim", broken.id)
    served(lambda: shop.now(broken).question and begun)
    assert len(calls) == TRIES
    assert begun == [other.id]
    assert "it failed 4 times in a row: unexpected Fault: claim" in (shop.now(broken).attention or "")


def test_a_session_that_cannot_be_followed_ends_with_the_reason(shop: Shop, faults: Faults) -> None:
    mission = shop.mission("Coupons")
    calls = faults(SessionRunner, "_carry", "")
    served(lambda: shop.now(mission).attention)
    assert len(calls) == TRIES
    [session] = shop.sessions(mission)
    assert session.outcome == "unknown"
    assert "it failed 4 times in a row: unexpected Fault: _carry" in (shop.now(mission).attention or "")


def test_a_worktree_that_cannot_be_given_back_is_told_and_holds_up_nothing(shop: Shop, faults: Faults) -> None:
    mission = shop.mission("Coupons", ready=False)
    slots = MemorySlots()
    pool = Pool(slots, paths.worktrees_dir(), clock=lambda: datetime.now(UTC), new_id=new_ulid)
    pool.acquire(shop.recorded, mission, branch="coupons")
    [slot] = slots.worktrees()
    shop.workspace.write_as(SYSTEM, operations.workstation.put_worktree, slot)
    shop.workspace.write(operations.missions.move, mission.id, "done")
    calls = faults(Pool, "release", "Worktree")
    served(
        lambda: any(
            "could not be released" in one.note for one in shop.workspace.read(queries.missions.history, mission.id)
        )
    )
    assert TRIES <= len(calls) <= TRIES + 1, "given up at the start, and begun again by the daily cleaning"


def test_a_request_that_breaks_off_is_told_and_not_repeated(shop: Shop, faults: Faults) -> None:
    mission = shop.mission("Coupons", ready=False)
    shop.workspace.write(operations.workstation.request, "merge_pull_request", mission=mission.id)
    calls = faults(PullRequests, "merge", mission.id)
    served(
        lambda: any(
            "could not be done" in one.note for one in shop.workspace.read(queries.missions.history, mission.id)
        )
    )
    assert len(calls) == 1 and shop.workspace.read(queries.workstation.requests) == []
