"""The same operation through each door leaves the same: the workspace, the hub's REST interface and the hub's MCP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from solo_unicorn.hub.identity import SCOPES, Caller
from solo_unicorn.hub.mcp.access import HubAccess
from solo_unicorn.missions.entities import Author, ListName
from solo_unicorn.missions.operations import missions
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from ..hub.rest.world import World, world

AGENT = Author("agent", "claude")


class Door(Protocol):
    """One way to the operations."""

    async def create(self, title: str) -> str: ...

    async def move(self, mission: str, to: ListName) -> None: ...

    async def set_ready(self, mission: str, ready: bool) -> None: ...

    async def note(self, mission: str, text: str) -> None: ...

    async def order(self, in_list: ListName) -> list[str]:
        """Titles, from the top."""
        ...

    async def kinds(self, mission: str) -> list[str]:
        """Of the mission's events, oldest first."""
        ...


class Local:
    """The workspace of this machine."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._project = workspace.write(operations.projects.create, "Shop").id

    async def create(self, title: str) -> str:
        return self._workspace.write(operations.missions.create, self._project, MissionDraft(title=title)).id

    async def move(self, mission: str, to: ListName) -> None:
        self._workspace.write(operations.missions.move, mission, to)

    async def set_ready(self, mission: str, ready: bool) -> None:
        self._workspace.write(operations.missions.set_ready, mission, ready)

    async def note(self, mission: str, text: str) -> None:
        self._workspace.write(operations.missions.add_note, mission, "decision", text)

    async def order(self, in_list: ListName) -> list[str]:
        return [one.title for one in self._workspace.read(queries.missions.page, self._project, lists=[in_list]).items]

    async def kinds(self, mission: str) -> list[str]:
        return [event.kind for event in self._workspace.read(queries.missions.history, mission)]


class Rest:
    """The hub's REST interface."""

    def __init__(self, hub: World, project: dict[str, Any]) -> None:
        self.hub, self.project = hub, project

    async def create(self, title: str) -> str:
        return str((await self.hub.mission(self.project, title))["id"])

    async def move(self, mission: str, to: ListName) -> None:
        await self._patch(mission, list=to)

    async def set_ready(self, mission: str, ready: bool) -> None:
        await self._patch(mission, ready=ready)

    async def note(self, mission: str, text: str) -> None:
        answer = await self.hub.owner.post(f"/missions/{mission}/notes", json={"kind": "noted_decision", "text": text})
        assert answer.status_code == 201, answer.text

    async def order(self, in_list: ListName) -> list[str]:
        path = f"/projects/{self.project['id']}/missions?sort=board&list={in_list}"
        return [one["title"] for one in (await self.hub.owner.get(path)).json()["items"]]

    async def kinds(self, mission: str) -> list[str]:
        return [one["kind"] for one in await self.events(mission)]

    async def events(self, mission: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.hub.owner.get(f"/missions/{mission}/events")).json()["items"]
        return found

    async def _patch(self, mission: str, **fields: Any) -> None:
        seen = (await self.hub.owner.get(f"/missions/{mission}")).json()
        answer = await self.hub.patch(seen, **fields)
        assert answer.status_code == 200, answer.text


class Mcp(Rest):
    """The hub's MCP server."""

    async def move(self, mission: str, to: ListName) -> None:
        await self._write(lambda access: access.write(AGENT, missions.move, mission, to))

    async def set_ready(self, mission: str, ready: bool) -> None:
        await self._write(lambda access: access.write(AGENT, missions.set_ready, mission, ready))

    async def note(self, mission: str, text: str) -> None:
        await self._write(lambda access: access.write(AGENT, missions.add_note, mission, "decision", text))

    async def _write(self, do: Any) -> None:
        who = Caller("personal", user_id=self.hub.ids["owner"], email="owner@example.com", scopes=frozenset(SCOPES))
        await self.hub.hub.database.write(lambda at: do(HubAccess(self.hub.hub, at, who)))


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened


@pytest.fixture(params=["workspace", "rest", "mcp"])
async def door(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Door]:
    if request.param == "workspace":
        yield Local(request.getfixturevalue("workspace"))
        return
    async with world(tmp_path / "hub") as hub:
        yield {"rest": Rest, "mcp": Mcp}[request.param](hub, await hub.project())


async def test_missions_moved_to_done_stand_there_in_the_order_of_the_moves(door: Door) -> None:
    for mission in [await door.create(title) for title in "ABC"]:
        await door.move(mission, "done")
    assert await door.order("done") == ["A", "B", "C"]


async def test_setting_ready_has_an_event_of_its_own(door: Door) -> None:
    mission = await door.create("A")
    await door.set_ready(mission, True)
    await door.set_ready(mission, False)
    assert await door.kinds(mission) == ["created", "readied", "unreadied"]


async def test_a_note_at_a_hub_has_an_id_by_which_mirrors_know_it(door: Door) -> None:
    mission = await door.create("A")
    await door.note(mission, "Retry three times")
    assert await door.kinds(mission) == ["created", "noted_decision"]
    if isinstance(door, Rest):
        assert len((await door.events(mission))[-1]["noteId"]) == 26
