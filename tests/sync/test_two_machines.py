"""Two machines and a real hub that is killed again and again: in the end all say the same, and nothing is lost."""

from __future__ import annotations

import asyncio
import socket
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.missions.wire import to_wire
from solo_unicorn.sync.face import WorkspaceThread
from solo_unicorn.sync.remote.engine import Engine
from solo_unicorn.sync.remote.tokens import Tokens
from solo_unicorn.sync.remote.transport import HttpTransport
from solo_unicorn.sync.workspace import Workspace

pytest.importorskip("fastapi", reason="needs the extra solo-unicorn[hub]")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
EDITS, KILLS = 24, 3


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The bench knows how to start a hub and to run commands on a machine."""
    spec = spec_from_file_location("bench_sync", ROOT / "bench" / "sync.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Key:
    def __init__(self, token: str) -> None:
        self._tokens = Tokens(access=token)

    async def token(self) -> str | None:
        return self._tokens.access

    async def renewed(self, refused: str) -> str | None:
        return None


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_a_hub_killed_at_random_loses_nothing(bench: ModuleType, home: Path, tmp_path: Path, port: int) -> None:
    hub, random = tmp_path / "hub", Random(7)
    homes = [tmp_path / "a", tmp_path / "b"]
    bench.command(hub, "hub", "user", "add", "ann@example.org", "--organization", "T", "--data-dir", str(hub))
    token = bench.command(hub, "hub", "token", "create", "ann@example.org", "--data-dir", str(hub), "-q").strip()
    process = bench.serve(hub, port)
    try:
        for one in homes:
            url = f"http://127.0.0.1:{port}"
            bench.command(one, "auth", "login", "--hub", url, "--api-key", "-", "--store-in-file", stdin=token)
        bench.command(homes[0], "project", "create", "Shared")
        bench.command(homes[0], "project", "publish", "shared")
        bench.command(homes[0], "sync")
        bench.command(homes[1], "project", "connect", "shared")
        async with WorkspaceThread(homes[0] / "workspace.db") as a, WorkspaceThread(homes[1] / "workspace.db") as b:
            desks = (a, b)
            engines = [
                Engine(desk, lambda account: HttpTransport(account.hub, Key(token)), random=random) for desk in desks
            ]
            running = [asyncio.create_task(engine.run()) for engine in engines]
            made = []
            for number in range(EDITS):
                desk = random.choice(desks)
                mission = await desk.run(Workspace.create_mission, "shared", MissionDraft(title=f"mission {number}"))
                await desk.run(Workspace.edit_mission, mission.id, {"description": f"words {number}", "priority": 5})
                made.append(mission.id)
                if number % (EDITS // KILLS) == 3:
                    process.kill()
                    process.wait(20)
                    process = await asyncio.to_thread(bench.serve, hub, port)
                await asyncio.sleep(random.random() * 0.1)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            async with asyncio.timeout(60):
                for engine, desk in zip(engines, desks, strict=True):
                    for _ in range(200):  # the breaker lets a probe through only now and then
                        if not await engine.once() and not (await desk.run(Workspace.sync_state)).waiting:
                            break
                        await asyncio.sleep(0.05)
                await engines[0].once()
            shown = [
                {one.id: to_wire(one) for one in (await desk.run(Workspace.missions, "shared", limit=500)).items}
                for desk in desks
            ]
            for engine in engines:
                await engine.close()
    finally:
        process.terminate()
        process.wait(20)
    assert shown[0].keys() == shown[1].keys() == set(made)
    for number, mission_id in enumerate(made):
        for side in shown:
            assert side[mission_id]["description"] == f"words {number}" and side[mission_id]["priority"] == 5
