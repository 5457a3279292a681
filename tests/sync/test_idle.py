"""Idle means idle, held by counts: what a connected machine does in a simulated hour in which nothing happens.

Time is simulated, all else is real: the engine's own loop, its timers, the workspace with its thread, and the doorbell.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.client.answers import answer_of
from solo_unicorn.sync.client.link import AccountLink
from solo_unicorn.sync.client.pace import AT_ONCE, HOURLY_LIMIT, POLL_SECONDS, POLLING_SHARE, Attempts
from solo_unicorn.sync.replica import sync_steps
from solo_unicorn.sync.replica.messages import Request, Response
from solo_unicorn.sync.replica.trouble import Trouble
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.bell import ring
from solo_unicorn.workspace.change import Change
from solo_unicorn.workspace.sync_state import last_heard
from solo_unicorn.workspace.workspace import Workspace

from ..simulated_time import SimulatedLoop, simulated
from .simulation.timed import ANN, PROJECT, Machine, machine

Story = Callable[[Machine], object]


def idle(
    home: Path, minutes: int = 60, *, socket: bool = False, projects: int = 1, before: Story = lambda ann: None
) -> Counter[str]:
    """What is done in these minutes, after some in which everything was read and sent once."""

    async def main(loop: SimulatedLoop) -> Counter[str]:
        async with machine(loop, home / "workspace.db", projects=projects) as ann:
            ann.link.socket_open = socket
            await ann.thread.write(operations.missions.create, PROJECT, MissionDraft(title="sent before"))
            before(ann)
            await ann.minutes(10)
            return await ann.minutes(minutes)

    return simulated(main)


def test_an_idle_machine_with_a_socket_reads_once_a_minute_and_writes_nothing(home: Path) -> None:
    done = idle(home, socket=True)
    assert done["transactions"] == 0 and done["told"] == 0
    assert 55 <= done["cycles"] <= 61
    assert done["requests"] <= done["cycles"] + 2  # and once an hour what the hub can do


def silent(home: Path) -> None:
    """Without a socket, it polls, and nothing else."""
    done = idle(home, 15)
    assert done["transactions"] == 0 and done["told"] == 0
    assert 250 <= done["cycles"] <= 900 / POLL_SECONDS + 1
    assert done["requests"] <= done["cycles"] + 2


def test_an_idle_machine_without_a_socket_reads_every_few_seconds_and_writes_nothing(home: Path) -> None:
    silent(home)


def test_many_projects_are_polled_within_a_share_of_the_hubs_limit(home: Path) -> None:
    done = idle(home, 15, projects=40)
    share = HOURLY_LIMIT * POLLING_SHARE / 4
    assert 0.8 * share < done["requests"] <= share + 40


def test_a_machine_without_a_connected_project_does_nothing(home: Path) -> None:
    """After the last one was disconnected, it went on looking every few seconds."""

    async def main(loop: SimulatedLoop) -> None:
        async with machine(loop, home / "workspace.db") as ann:
            await ann.minutes(1)
            await ann.thread.write(replica.connecting.disconnect, PROJECT)
            await ann.minutes(1)
            done = await ann.minutes(60)
            assert done["cycles"] == 0 and done["requests"] == 0
            await ann.thread.write(replica.connecting.publish, PROJECT, ANN)
            assert (await ann.minutes(1))["requests"] > 10, "and goes on with the next"

    simulated(main)


def test_a_request_between_two_looks_does_not_bring_the_next_one_forward(home: Path) -> None:
    """After a refused edit the board said that the process which synchronises has stopped doing so."""

    async def main(loop: SimulatedLoop) -> None:
        async with machine(loop, home / "workspace.db") as ann:
            ann.link.socket_open = True
            await ann.minutes(2.5)
            due = last_heard.read(ann.thread.path)["ann@hub"].due_at
            ann.network.hub.refuse = lambda request: Response(422, {}, {"error": {"code": "x", "message": "no"}})
            await ann.thread.write(operations.missions.create, PROJECT, MissionDraft(title="refused"))
            done = await ann.minutes(0.1)
            after = last_heard.read(ann.thread.path)["ann@hub"]
            assert done["requests"] == 1 and due is not None
            assert after.due_at is not None and after.due_at >= due and after.tried_at is not None

    simulated(main)


def test_a_hub_that_is_away_is_tried_now_and_then_and_that_is_written_down_once(home: Path) -> None:
    done = idle(home, before=lambda ann: setattr(ann.network, "down", True))
    assert done["transactions"] == 0 and done["told"] == 0
    assert 100 <= done["requests"] <= 400


@pytest.mark.parametrize("status", [401, 403, 404, 407, 426, 429, 502])
def test_a_proxy_that_refuses_everything_is_asked_now_and_then_and_that_is_written_down_once(
    home: Path, status: int
) -> None:
    def refusing(ann: Machine) -> None:
        ann.network.proxy = answer_of(status, {}, b"")

    done = idle(home, before=refusing)
    assert done["transactions"] == 0 and done["told"] == 0
    assert 20 <= done["requests"] <= 400


def test_a_sign_in_that_ended_is_tried_now_and_then_and_that_is_written_down_once(home: Path) -> None:
    done = idle(home, before=lambda ann: setattr(ann.network, "signed_out", True))
    assert done["transactions"] == 0 and done["told"] == 0
    assert 50 <= done["requests"] <= 200


def busy(home: Path) -> None:
    """Each change of anybody wakes the engine: it looks for something to send, and no more."""

    async def main(loop: SimulatedLoop) -> None:
        async with machine(loop, home / "workspace.db") as ann:
            await ann.minutes(1)

            async def write() -> None:
                for number in range(10_000):
                    await asyncio.sleep(1.0)
                    await ann.thread.run(Workspace.set_meta, "anything", str(number))

            writing = asyncio.create_task(write())
            done = await ann.minutes(4)
            theirs = Request("POST", f"/api/v1/projects/{PROJECT}/missions", {}, {}, {"id": "01JX", "title": "theirs"})
            ann.network.hub.handle(theirs)
            await ann.minutes(0.1)
            writing.cancel()
            assert 235 <= done["told"] <= 241
            assert 70 <= done["requests"] <= 240 / POLL_SECONDS + 2
            assert [one.title for one in (await ann.thread.read(queries.missions.page, PROJECT)).items] == ["theirs"]

    simulated(main)


def test_a_busy_workspace_neither_reads_the_hub_more_often_nor_puts_the_next_reading_off(home: Path) -> None:
    busy(home)


def test_nudges_without_end_are_read_within_a_share_of_the_hubs_limit(home: Path) -> None:
    """A socket that flaps, or a project in which many work, had the hub read as often as it could answer."""

    async def main(loop: SimulatedLoop) -> None:
        async with machine(loop, home / "workspace.db", projects=3) as ann:
            await ann.minutes(1)

            async def nudge() -> None:
                while True:
                    ann.link.nudge()
                    await asyncio.sleep(0.05)

            nudging = asyncio.create_task(nudge())
            done = await ann.minutes(4)
            await ann.thread.write(operations.missions.create, PROJECT, MissionDraft(title="sent meanwhile"))
            await ann.minutes(0.1)
            nudging.cancel()
            share = HOURLY_LIMIT * POLLING_SHARE / 15
            assert 0.8 * share < done["requests"] <= share + AT_ONCE
            assert done["transactions"] == 0 and done["cycles"] <= done["requests"]
            assert [one["title"] for one in ann.network.hub.state.missions.values()] == ["sent meanwhile"]

    simulated(main)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_half_an_hour_of_troubles_has_no_livelock_and_ends_equal(home: Path, seed: int) -> None:
    """A bound on the cycles of each simulated minute."""
    simulated(lambda loop: troubled(loop, home / "workspace.db", seed))


async def troubled(loop: SimulatedLoop, path: Path, seed: int) -> None:
    """Edits on both sides, outages, sign-outs and sockets that come and go, drawn from a seed."""
    draw = Random(seed)
    async with machine(loop, path, seed=seed) as ann:
        network, titles = ann.network, 0
        for _ in range(60):
            match draw.randrange(9):
                case 0 | 1 | 2:
                    titles += 1
                    await ann.thread.write(operations.missions.create, PROJECT, MissionDraft(title=f"mine {titles}"))
                case 3:
                    for mission in (await ann.thread.read(queries.missions.page, PROJECT)).items[:2]:
                        title = f"edited {draw.random()}"
                        await ann.thread.write(operations.missions.edit, mission.id, {"title": title})
                case 4:
                    network.down = not network.down
                case 5:
                    network.signed_out = not network.signed_out
                case 6:
                    network.flaky = draw.choice((0.0, 0.3))
                case 7:
                    ann.link.socket_open = draw.random() < 0.5
                case 8:
                    ann.link.nudge()
            await ann.minutes(draw.random())
        network.down = network.signed_out = False
        network.flaky = 0.0
        ann.link.socket_open = False
        await ann.minutes(10)
        here = {one.id: one.title for one in (await ann.thread.read(queries.missions.page, PROJECT, limit=200)).items}
        assert here == {key: one["title"] for key, one in network.hub.state.missions.items()}
        assert (await ann.thread.run(queries.connection.sync_state)).word == "synced"


# -- the faults of an engine that used most of a core for ever and never read again, put back one by one


@contextmanager
def _says_that_it_is_signed_in_after_each_cycle() -> Iterator[None]:
    """In a transaction that rings although it changes nothing."""
    judged = AccountLink._judged

    def say(change: Change, account_id: str) -> None:
        change.connection.execute("UPDATE account SET signed_in = 1 WHERE id = ? AND signed_in <> 1", (account_id,))

    async def altered(self: AccountLink, project_id: str | None, pulling: bool) -> list[Trouble]:
        troubles = await judged(self, project_id, pulling)
        if not troubles:
            await self._workspace.write_as(SYSTEM, say, self.account.id)
            ring(paths.bell_dir())
        return troubles

    with patch.object(AccountLink, "_judged", altered):
        yield


@contextmanager
def _polls_by_a_time_out_that_each_wake_begins_anew() -> Iterator[None]:
    async def altered(self: AccountLink, since: float) -> None:
        self._pulled = self._clock() + 1e9
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._awake.wait()
        except TimeoutError:
            self.nudge()

    with patch.object(AccountLink, "_rest", altered):
        yield


@contextmanager
def _writes_the_time_of_each_answer_into_the_workspace() -> Iterator[None]:
    def altered(workspace: Workspace, account_id: str, *, answered: bool, due_in: float) -> None:
        workspace.set_meta(f"answered {account_id}", workspace.now().isoformat())

    with patch.object(sync_steps, "hear", altered):
        yield


@contextmanager
def _wakes_for_rows_whose_time_has_passed() -> Iterator[None]:
    def altered(self: Attempts, since: float) -> float | None:
        return min(self._next.values(), default=0.0)

    with patch.object(Attempts, "soonest", altered):
        yield


FAULTS: dict[str, tuple[Callable[[], AbstractContextManager[None]], Callable[[Path], object]]] = {
    "signed in, again and again": (_says_that_it_is_signed_in_after_each_cycle, idle),
    "a poll that is put off": (_polls_by_a_time_out_that_each_wake_begins_anew, busy),
    "answers written down": (_writes_the_time_of_each_answer_into_the_workspace, silent),
    "rows that are past": (_wakes_for_rows_whose_time_has_passed, idle),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_that_is_put_back_is_found(home: Path, name: str) -> None:
    fault, story = FAULTS[name]
    with fault(), pytest.raises(AssertionError):
        story(home)
