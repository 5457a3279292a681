"""How many statements a request costs: with a database some milliseconds away, these are what a person waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.hub.storage import sqlite

from ..rest.world import World, world


class Counted:
    """Statements of all connections since the last look."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def taken(self) -> int:
        found, self.said[:] = len(self.said), []
        return found


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    found, prepare = Counted(), sqlite._prepare_sqlite

    def traced(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.set_trace_callback(found.said.append)

    monkeypatch.setattr(sqlite, "_prepare_sqlite", traced)
    return found


@pytest.fixture
async def hub(counted: Counted, tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "hub") as opened:
        yield opened


async def test_a_request_of_somebody_who_is_known_costs_few_statements(hub: World, counted: Counted) -> None:
    project = await hub.project()
    mission = await hub.mission(project)
    cost = dict.fromkeys(("get", "list", "patch", "create"), 1000)

    def count(name: str) -> None:
        cost[name] = min(cost[name], counted.taken())

    for _ in range(3):  # the first one looks up who it is; the hub's own work may fall into another
        counted.taken()
        await hub.owner.get(f"/missions/{mission['id']}")
        count("get")
        await hub.owner.get(f"/projects/{project['id']}/missions")
        count("list")
        mission = (await hub.patch(mission, title=f"{mission['title']}!")).json()
        count("patch")
        await hub.mission(project)
        count("create")
    most = {"get": 1, "list": 2, "patch": 17, "create": 18}  # with BEGIN and COMMIT; they were 6, 6, 20 and 23
    assert all(cost[name] <= most[name] for name in most), cost
