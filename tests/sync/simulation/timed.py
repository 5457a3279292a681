"""One machine by the clock: the engine's own loop, its timers and the doorbell, in simulated time.

Only the network is the simulation's. What an idle machine does in an hour can be counted, and a loop that wakes itself
is found, because time stands still while it runs: its cycles have a bound for each simulated minute.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from solo_unicorn.sync import replica
from solo_unicorn.sync.client.engine import Engine
from solo_unicorn.sync.client.link import AccountLink
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Answer, NoAnswer, Request, Response
from solo_unicorn.workspace.thread import WorkspaceThread
from solo_unicorn.workspace.workspace import Workspace

from ...simulated_time import SimulatedLoop
from .hub import SimulatedHub

PROJECT = "01J00000000000000000000000"
ANN = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
MOST_CYCLES_A_MINUTE = 200
"""A reading every 3 s, and as many again for each of the few edits of a minute; a loop that wakes itself makes more."""


class Livelock(AssertionError):
    """Something wakes itself."""


class Network:
    """The way to the hub: it takes a while, and now and then it does not get there."""

    def __init__(self, hub: SimulatedHub, random: Random) -> None:
        self.hub, self.random = hub, random
        self.requests: Counter[str] = Counter()
        self.down = False
        self.signed_out = False
        self.flaky = 0.0
        self.proxy: Answer | None = None
        """What something on the way says instead of the hub."""

    async def send(self, request: Request) -> Answer:
        """As the transport does."""
        self.requests[request.method] += 1
        await asyncio.sleep(self.random.uniform(0.001, 0.2))
        if self.down or self.random.random() < self.flaky:
            return NoAnswer("connection refused")
        if self.proxy is not None:
            return self.proxy
        if self.signed_out:
            return Response(401, {}, {"error": {"code": "unauthenticated", "message": "sign in"}})
        self.hub.now = 1_780_000_000 + asyncio.get_running_loop().time()
        answer = self.hub.handle(request)
        if self.random.random() < self.flaky:
            return NoAnswer("cut off")
        return answer

    async def reset(self) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing is kept."""


@dataclass
class Machine:
    """What runs, and what it did so far."""

    loop: SimulatedLoop
    thread: WorkspaceThread
    link: AccountLink
    network: Network
    running: asyncio.Task[None]
    counts: Counter[str] = field(default_factory=Counter)
    """`cycles`, `transactions` (that take the write lock) and `told` (changes that listeners were called for)."""

    async def minutes(self, number: float) -> Counter[str]:
        """Let time pass; what was done meanwhile, with `requests`. Raises Livelock."""
        before, asked = Counter(self.counts), self.network.requests.total()
        end = self.loop.time() + number * 60
        while (left := end - self.loop.time()) > 0:
            await asyncio.sleep(min(60.0, left))
            if self.running.done():
                self.running.result()
        spent = self.counts - before
        spent["requests"] = self.network.requests.total() - asked
        return spent


@asynccontextmanager
async def machine(
    loop: SimulatedLoop,
    path: Path,
    *,
    seed: int = 1,
    projects: int = 1,
    patch: Callable[[AccountLink], Any] | None = None,
) -> AsyncIterator[Machine]:
    """A machine with connected projects and the engine running, as the service composes it."""
    random = Random(seed)
    network = Network(SimulatedHub(PROJECT), random)
    async with WorkspaceThread(path) as thread:
        await thread.run(replica.connecting.put_account, ANN)
        for number in range(projects):
            shared: dict[str, Any] = {
                "id": f"{PROJECT[:-2]}{number:02d}",
                "name": f"Shared {number}",
                "slug": f"s{number}",
            }
            await thread.write(replica.connecting.connect, ANN, shared, {})
        engine = Engine(thread, lambda account: network, random=random)
        link = engine.link(ANN)
        running = asyncio.create_task(engine.keep_links())
        made = Machine(loop, thread, link, network, running)
        _count(made, thread.workspace)
        try:
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _count(made: Machine, workspace: Workspace) -> None:
    """Count what the real parts do; a minute with too many cycles is a livelock."""
    minutes: Counter[int] = Counter()
    cycle = made.link.cycle

    async def counted(project_id: str | None = None, *, pulling: bool = True) -> Any:
        made.counts["cycles"] += 1
        minute = int(made.loop.time() // 60)
        minutes[minute] += 1
        if minutes[minute] > MOST_CYCLES_A_MINUTE:
            raise Livelock(f"more than {MOST_CYCLES_A_MINUTE} cycles in a simulated minute")
        return await cycle(project_id, pulling=pulling)

    def traced(statement: str) -> None:
        made.counts["transactions"] += statement.startswith("BEGIN IMMEDIATE")

    made.link.cycle = counted  # type: ignore[method-assign]
    workspace._store.connection.set_trace_callback(traced)
    made.thread.on_change(lambda: made.counts.update(told=1))
