"""More than twenty goals, reached by a caller that knows only the schemas and writes as models do: none is refused."""

from __future__ import annotations

from typing import Any

from mcp.types import ElicitResult

from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import Board
from ..scripted_caller import Caller
from ..test_asking import Form, claude
from .test_tools import ERAS

MEMORY = "# Money\nIntegers of cents.\n\n## Rounding\nTo even.\n"


def _titles(answer: dict[str, Any]) -> list[str]:
    return [one["title"] for one in answer["missions"]]


async def _filled(board: Board) -> None:
    def fill(ws: Workspace) -> None:
        for title, priority, words in (("Ledger", 3, "Keep a book."), ("Retry payments", 2, "With a backoff.")):
            ws.write(operations.missions.create, board.project, MissionDraft(title, words, priority=priority))
        ws.write(operations.memory.append, board.project, "money", MEMORY)

    await board.do(fill)


@ERAS
async def test_a_person_plans_with_any_client(board: Board, era: str) -> None:
    await _filled(board)
    form = Form(ElicitResult(action="accept", content={"answer": "EUR"}))
    async with claude(board, era, form) as client:
        model = Caller(client)
        wish = model.wish

        assert "hereMission" not in (await wish("get context", {}))["text"]
        found = await wish("search missions that match words", {"words": "backoff"})
        assert _titles(found) == ["Retry payments"]
        read = await wish("get one mission", {"mission": "retry payments"})
        assert "With a backoff." in read["text"]

        key = {"title": "Refund", "priority": "high", "missions it waits for": "ledger", "key": 7}
        made = await wish("create new work", key | {"flow": "quick fix"})
        assert made["id"] == (await wish("create new work", key))["id"]
        assert (made["priority"], made["stage"], made["blockers"]) == (4, "code", 1)

        listed = await wish("board rows of what is next", {"may be begun now": True})
        assert _titles(listed) == ["Ledger", "Retry payments"]
        raised = await wish("replace what is given of a mission", {"mission": "Retry", "priority": "Urgent"})
        assert raised["priority"] == 5
        assert _titles(await wish("board rows of what is next", {"next": "true"}))[0] == "Retry payments"

        read = await wish("get one mission", {"mission": "2", "include": "Description"})
        written = await wish("update the mission", {"mission": 2, "what and why": "With a backoff and a limit."})
        assert written["version"] > read["version"]
        await wish("update the mission", {"mission": "M-2", "ready": "yes", "branch": "pay"})
        assert (await board.mission("M-2")).ready
        await wish("update the mission", {"mission": "M-2", "ready": "false"})

        moved = await wish("move to doing", {"list": "In Progress", "mission": "retry payments", "position": "TOP"})
        assert moved["list"] == "doing"
        assert _titles(await wish("list board rows", {"lists": "Doing, To Do", "rows": "1"})) == ["Ledger"]
        assert _titles(await wish("list board rows", {"lists": ["in-progress"]})) == ["Retry payments"]
        await wish("move to todo", {"list": "backlog", "mission": "retry payments"})

        linked = await wish("link two missions", {"mission": 2, "other mission": "Refund", "relation": "Blocked By"})
        assert linked["links"][0]["relation"] == "blocked_by"
        link = {"mission": 2, "other mission": "Refund", "relation": "blocked-by", "take the link away": True}
        assert (await wish("link two missions", link))["links"] == []

        plan = await wish("update the tasks of the plan", {"mission": 2, "titles": ["Read", "Write", "Test"]})
        names = {one["title"]: one["id"] for one in plan["plan"]}
        await wish("update the tasks", {"mission": 2, "check": names["Write"]})
        await wish("update the tasks", {"mission": 2, "add": "Measure", "next": ["Measure", names["Test"]]})
        assert await _plan(board) == (["Write", "Measure", "Test", "Read"], 1)
        await wish("update the tasks", {"mission": 2, "not done after all": "write"})
        assert (await _plan(board))[1] == 0
        await wish("update the tasks", {"mission": 2, "whole plan": [{"title": "Begin anew"}]})
        assert await _plan(board) == (["Begin anew"], 0)

        for _ in range(2):
            await wish("add a note", {"mission": 2, "markdown": "Three times is enough.", "kind": "Decision"})
        asked = await wish("ask a person", {"mission": 2, "question": "Which currency?", "options": ["EUR", "USD"]})
        assert asked["answer"] == "EUR"
        await wish("attach the solution", {"mission": 2, "markdown": "# Approach\nBackoff."})
        await wish("request a review before it goes on", {"mission": 2, "what was done": "Thought about it."})
        assert (await board.mission("M-2")).review_status == "pending"

        hits = await wish("memory search", {"words": "how do we round money?"})
        assert hits["hits"][0]["heading"].endswith("Rounding")
        assert "To even." in (await wish("memory read", {"document": "Money.md", "section": "rounding"}))["text"]
        for _ in range(2):
            await wish("memory append", {"document": "Money", "markdown": "Never floats.", "section": "Rounding"})
        for _ in range(2):
            await wish(
                "memory edit a passage", {"document": "money", "passage": "To even.", "new": "To even, as IEEE."}
            )
        await wish(
            "memory move a section", {"document": "money", "section to move": "Rounding", "to": "Rounding Rules"}
        )
        await wish("memory read", {"document": "money"})
        await wish("memory replace or delete", {"document": "money", "text": ""})
        listed = await wish("memory read", {})
    assert [one["document"] for one in listed["documents"]] == ["rounding-rules"]
    assert "## Rounding\nTo even, as IEEE.\n\nNever floats." in (await _document(board)).strip()
    notes = [one.note for one in await _history(board) if one.kind == "noted_decision"]
    assert notes == ["Three times is enough."]
    assert model.refused == []


@ERAS
async def test_a_run_reports_its_work_with_any_client(board: Board, era: str) -> None:
    await _filled(board)
    async with claude(board, era, None, await board.run_of("M-2")) as client:
        wish = (model := Caller(client)).wish
        assert (await wish("get context", {}))["id"] == "M-2"
        plan = await wish("update the tasks of the plan", {"titles": ["Read", "Write"]})
        await wish("update the tasks", {"check": ["write"]})
        done = await wish("update the tasks", {"check": plan["plan"][0]["id"]})
        assert done["tasks"] == "2/2"
        made = await wish("create new work", {"title": "Follow up", "priority": "low"})
        await wish("link two missions", {"other mission": made["id"], "relation": "relates to"})
        finished = await wish("complete the stage, finished and checked", {"what was done": "All of it."})
        again = await wish("complete the stage, finished and checked", {"what was done": "All of it."})
    assert finished["next"] == again["next"]
    assert model.refused == []


async def test_a_page_goes_on_where_it_ended_while_missions_move(board: Board) -> None:
    """The first of a page goes to the end: with counted cursors the next page would leave one out."""
    for number in range(6):
        await board.add(f"Mission {number}")
    seen: list[str] = []
    async with claude(board, "auto", None) as client:
        wish = Caller(client).wish
        cursor: dict[str, Any] = {}
        for _ in range(3):
            page = await wish("list board rows", {"rows": 2, **cursor})
            seen += _titles(page)
            first = page["missions"][0]["id"]
            await board.thread.write(operations.missions.delete, first)
            cursor = {"cursor": page.get("nextCursor")}
    assert seen == [f"Mission {number}" for number in range(6)]


async def _plan(board: Board) -> tuple[list[str], int]:
    mission = await board.mission("M-2")
    return [task.title for task in mission.tasks], mission.tasks_current


async def _document(board: Board) -> str:
    found: str = (await board.do(lambda ws: ws.read(queries.memory.get, board.project, "rounding-rules"))).text
    return found


async def _history(board: Board) -> list[Any]:
    found: list[Any] = await board.do(lambda ws: ws.read(queries.missions.history, "M-2"))
    return found
