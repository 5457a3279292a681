"""Many agents at once: every call answered, nothing lost, nothing mixed up."""

from __future__ import annotations

import asyncio

from solo_unicorn.workspace import queries

from .conftest import Board, data, head
from .test_http import connected, serving

AGENTS = 9  # as many as the agent has slots
NOTES = 5


async def test_agents_at_once_lose_nothing_and_stay_apart(board: Board) -> None:
    """Each over HTTP with its own token, in both eras."""
    runs = {}
    for number in range(1, AGENTS + 1):
        mission = await board.add(f"Mission {number}")
        runs[f"M-{mission.number}"] = await board.start(mission.id)

    async def work(url: str, reference: str, token: str, era: str) -> None:
        async with connected(url, token, era) as client:
            assert head(await client.call_tool("get_context", {}))["id"] == reference
            for number in range(NOTES):
                data(await client.call_tool("add_note", {"text": f"{reference} {number}"}))
                data(await client.call_tool("memory_append", {"document": "log", "text": f"{reference} {number}"}))
            data(await client.call_tool("update_tasks", {"titles": [reference], "finished": 1}))

    async with serving(board) as host:
        eras = ("auto", "legacy")
        await asyncio.gather(
            *(work(host.url, reference, token, eras[n % 2]) for n, (reference, token) in enumerate(runs.items()))
        )
    log = (await board.do(lambda ws: ws.read(queries.memory.get, board.project, "log"))).text.split("\n")
    for reference in runs:
        events = await board.do(lambda ws: ws.read(queries.missions.history, reference))  # noqa: B023 - awaited here
        notes = [one.note for one in events if one.kind == "noted_progress"]
        assert notes == [f"{reference} {number}" for number in range(NOTES)]
        assert [line for line in log if line.startswith(f"{reference} ")] == notes
        mission = await board.mission(reference)
        assert [task.title for task in mission.tasks] == [reference]
