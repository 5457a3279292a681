"""Tools of agents that change missions and memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.mcp_server.caller import personal
from solo_unicorn.mcp_server.tools.memory import LISTED
from solo_unicorn.missions.entities import Mission
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import Board, data, error, head, said

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
GOLDEN = Path(__file__).parents[1] / "tools-list.json"


async def test_moving_within_the_lists_an_agent_may_use(board: Board) -> None:
    await board.add("One")
    await board.add("Two")
    async with board.client(await board.person()) as client:
        moved = data(await client.call_tool("move_mission", {"mission": "M-2", "list": "todo", "position": "top"}))
        await client.call_tool("move_mission", {"mission": "M-1", "list": "doing"})
        rows = data(await client.call_tool("list_missions", {}))["missions"]
    assert moved["list"] == "todo"
    assert [(one["id"], one["list"]) for one in rows] == [("M-2", "todo"), ("M-1", "doing")]


async def test_links_both_ways_and_cycles_are_refused(board: Board) -> None:
    await board.add("One")
    await board.add("Two")
    async with board.client(await board.person()) as client:
        linked = data(
            await client.call_tool("link_missions", {"mission": "M-1", "other": "M-2", "relation": "blocked_by"})
        )
        cycle = error(await client.call_tool("link_missions", {"mission": "M-1", "other": "M-2", "relation": "blocks"}))
        freed = data(
            await client.call_tool(
                "link_missions", {"mission": "M-1", "other": "M-2", "relation": "blocked_by", "remove": True}
            )
        )
    assert linked["links"][0]["relation"] == "blocked_by"
    assert cycle["code"] == "invalid"
    assert "M-1" in cycle["message"]
    assert freed["links"] == []


@ERAS
async def test_a_run_reports_its_work(board: Board, era: str) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1"), era) as client:
        tasks = data(await client.call_tool("update_tasks", {"titles": ["read", "write", "test"], "finished": 1}))
        data(await client.call_tool("add_note", {"text": "Chose a queue, it is simpler.", "kind": "decision"}))
        data(await client.call_tool("attach_solution", {"text": "## Done\nAll of it."}))
        notes = said(await client.call_tool("get_mission", {"include": ["notes", "solution"]}))
    assert tasks["tasks"] == "1/3"
    mission = await board.mission("M-1")
    assert [task.title for task in mission.tasks] == ["read", "write", "test"]
    assert mission.tasks_current == 1
    assert mission.solution == "## Done\nAll of it."
    assert "decision: Chose a queue" in notes
    events = await board.do(lambda ws: ws.read(queries.missions.history, "M-1"))
    assert {one.author.name for one in events if one.kind == "noted_decision"} == {"rehearsal"}


async def test_tasks_sent_as_a_string_of_json_are_taken(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        data(await client.call_tool("update_tasks", {"titles": '["a", "b"]', "finished": 2}))
    assert [task.title for task in (await board.mission("M-1")).tasks] == ["a", "b"]


async def test_more_finished_than_there_are_is_invalid(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        refused = error(await client.call_tool("update_tasks", {"titles": ["a"], "finished": 2}))
    assert (refused["code"], refused["field"]) == ("invalid", "finished")


async def test_completing_a_stage_asks_for_the_review_the_flow_wants(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        done = data(await client.call_tool("complete_stage", {"summary": "clear", "to_check": "the currencies"}))
    mission = await board.mission("M-1")
    assert (mission.list, mission.review_status, mission.to_check) == ("review", "pending", "the currencies")
    assert "End your turn" in done["next"]


async def test_completing_twice_in_one_session_counts_once(board: Board) -> None:
    """An agent that goes on after its stage must not run through the stages that follow."""
    await board.add("Retry payments", flow_id="Direct")
    async with board.client(await board.run_of("M-1")) as client:
        data(await client.call_tool("complete_stage", {"summary": "first"}))
        before = await board.mission("M-1")
        again = data(await client.call_tool("complete_stage", {"summary": "second"}))
        other = data(await client.call_tool("request_review", {"summary": "third"}))
    assert again["already"] is True
    assert other["already"] is True
    assert await board.mission("M-1") == before
    assert before.stage_summary == "first"


async def test_a_review_can_be_requested_where_the_flow_asks_for_none(board: Board) -> None:
    await board.add("Retry payments", flow_id="Direct")
    async with board.client(await board.run_of("M-1")) as client:
        data(await client.call_tool("request_review", {"summary": "unsure", "to_check": "rounding"}))
    assert (await board.mission("M-1")).review_status == "pending"


async def test_asking_parks_the_mission_with_its_question(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        parked = data(await client.call_tool("ask_user", {"question": "Euro or dollar?"}))
    assert parked["parked"] is True
    assert (await board.mission("M-1")).question == "Euro or dollar?"


async def test_a_limit_parks_the_agent(board: Board) -> None:
    await board.add("Retry payments")
    until = (datetime.now(UTC) + timedelta(hours=5)).replace(microsecond=0)
    async with board.client(await board.run_of("M-1")) as client:
        for not_told in (f"{until:%Y-%m-%dT%H:%M:%S}", "2099-01-01T00:00:00Z"):  # no zone; longer than any limit lasts
            refused = error(await client.call_tool("report_limit", {"until": not_told, "text": "5-hour limit"}))
            assert refused["code"] == "invalid"
        data(await client.call_tool("report_limit", {"until": until.isoformat(), "text": "5-hour limit"}))
    agents = await board.do(lambda ws: ws.read(queries.workstation.agents))
    assert agents[0].rate_limit_reset_at == until


async def test_memory_is_read_written_and_searched(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        added = data(
            await client.call_tool(
                "memory_append", {"document": "build", "text": "Run make test first.", "heading": "Testing"}
            )
        )
        result = await client.call_tool("memory_read", {"document": "build", "heading": "testing"})
        listed = data(await client.call_tool("memory_read", {}))
        found = data(await client.call_tool("memory_search", {"query": "make"}))
        stale = error(
            await client.call_tool("memory_replace", {"document": "build", "text": "x", "expected_version": 7})
        )
        replaced = data(
            await client.call_tool(
                "memory_replace",
                {"document": "build", "text": "Run `make check`.", "expected_version": 1, "heading": "Testing"},
            )
        )
        new = data(
            await client.call_tool("memory_replace", {"document": "style", "text": "# S", "expected_version": 0})
        )
        whole = said(await client.call_tool("memory_read", {"document": "build"}))
        edited = data(
            await client.call_tool("memory_edit", {"document": "Build.md", "old": "make check", "new": "make test"})
        )
        twice = error(await client.call_tool("memory_edit", {"document": "build", "old": "make check", "new": "x"}))
        gone = data(await client.call_tool("memory_replace", {"document": "style", "text": "", "expected_version": 1}))
        nothing = data(await client.call_tool("memory_search", {"query": "teasting"}))
        nowhere = data(await client.call_tool("memory_search", {"query": "zzz"}))
    assert (edited["document"], edited["version"], twice["code"]) == ("build", 3, "invalid")
    assert gone == {"document": "style", "deleted": True}
    assert [hit["heading"] for hit in nothing["hits"]] == ["Testing"]
    assert nowhere == {"hits": [], "total": 0, "nearestHeadings": ["build › Testing"]}
    assert (added["document"], added["version"], added["headings"]) == ("build", 1, ["Testing"])
    assert head(result)["version"] == 1
    assert "Run make test first." in said(result)
    assert [one["document"] for one in listed["documents"]] == ["build"]
    assert found["hits"][0]["document"] == "build"
    assert (stale["code"], stale["currentVersion"]) == ("version_conflict", 1)
    assert replaced["version"] == 2
    assert new["version"] == 1
    assert "## Testing\n\nRun `make check`." in whole


async def test_a_missing_document_or_heading_names_what_there_is(board: Board) -> None:
    await board.do(lambda ws: ws.write(operations.memory.append, board.project, "build", "text", "Testing"))
    async with board.client(await board.person()) as client:
        document = error(await client.call_tool("memory_read", {"document": "bild"}))
        heading = error(await client.call_tool("memory_read", {"document": "build", "heading": "Test"}))
    assert (document["code"], heading["code"]) == ("not_found", "not_found")
    assert "build" in document["hint"]
    assert "Testing" in heading["hint"]


async def test_a_long_document_is_cut_with_the_way_to_read_on(board: Board) -> None:
    await board.do(lambda ws: ws.write(operations.memory.append, board.project, "log", "x" * 70_000))
    await board.do(lambda ws: ws.write(operations.memory.append, board.project, "log", "the end", "Last"))
    async with board.client(await board.person()) as client:
        whole = said(await client.call_tool("memory_read", {"document": "log"}))
        last = said(await client.call_tool("memory_read", {"document": "log", "heading": "Last"}))
    assert "read one section by its heading" in whole
    assert "Last" in json.loads(whole.split("\n", 1)[0])["headings"]
    assert "the end" in last


async def test_several_projects_must_be_named(board: Board) -> None:
    await board.do(lambda ws: ws.write(operations.projects.create, "Garden"))
    async with board.client(personal("/elsewhere")) as client:
        unnamed = error(await client.call_tool("create_mission", {"title": "Paint"}))
        made = data(await client.call_tool("create_mission", {"title": "Paint", "project": "garden"}))
    assert unnamed["code"] == "invalid"
    assert "garden" in unnamed["hint"]
    assert (await board.mission(made["id"])).project_id != board.project


async def test_the_persons_own_agent_must_name_the_mission(board: Board) -> None:
    await board.add("One")
    async with board.client(await board.person()) as client:
        refused = error(await client.call_tool("update_tasks", {"titles": [], "finished": 0}))
    assert (refused["code"], refused["field"]) == ("invalid", "mission")


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("get_mission", {"mission": 1}),
        ("get_mission", {"missionId": "M-1", "include": "tasks"}),
        ("list_missions", {"lists": "todo"}),
        ("list_missions", {"lists": "todo, doing"}),
        ("list_missions", {"lists": '["todo"]'}),
        ("create_mission", {"title": "Next", "dependsOn": [1]}),
        ("update_tasks", {"titles": [{"title": "Read", "finished": True}, "Write"], "finished": "1", "mission": 1}),
    ],
)
async def test_what_is_clear_is_taken_in_another_form(board: Board, tool: str, given: dict[str, Any]) -> None:
    await board.add("Retry payments")
    async with board.client(await board.person()) as client:
        data(await client.call_tool(tool, given))


async def test_a_plan_is_not_replaced_unseen(board: Board) -> None:
    await board.add("Retry payments")
    plan = {"titles": ["Read"], "finished": 0, "mission": "M-1", "expected_version": 1}
    async with board.client(await board.person()) as client:
        data(await client.call_tool("update_tasks", plan))
        late = error(await client.call_tool("update_tasks", plan | {"titles": ["Other"]}))
        unseen = error(await client.call_tool("update_tasks", {"titles": ["Other"], "mission": "M-1"}))
    assert (late["code"], late["currentVersion"]) == ("version_conflict", 2)
    assert unseen["code"] == "invalid" and "has tasks that `titles` leaves out" in unseen["message"]
    assert [task.title for task in (await board.mission("M-1")).tasks] == ["Read"]


async def test_an_addition_that_is_repeated_stands_there_once(board: Board) -> None:
    """A client whose connection broke is told to try again; the addition had been written in three of six cases."""
    async with board.client(await board.person()) as client:
        for given in ({"text": "One."}, {"text": "Two.", "heading": "Facts"}):
            first = data(await client.call_tool("memory_append", {"document": "notes", **given}))
            assert data(await client.call_tool("memory_append", {"document": "notes", **given})) == first
        read = said(await client.call_tool("memory_read", {"document": "notes"}))
    assert (read.count("One."), read.count("Two.")) == (1, 1)


async def test_a_large_memory_is_listed_in_a_few_kilobytes(board: Board) -> None:
    """With 10,000 documents a list was 1.03 MB."""

    def fill(ws: Workspace) -> None:
        for number in range(LISTED + 30):
            ws.write(operations.memory.append, board.project, f"note-{number}", "## A\n\n## B\n\n## C\n")

    await board.do(fill)
    async with board.client(await board.person()) as client:
        listed = await client.call_tool("memory_read", {})
        resources = (await client.list_resources()).resources
    assert (data(listed)["total"], len(data(listed)["documents"])) == (LISTED + 30, LISTED)
    assert len(said(listed)) < 20_000
    assert len(resources) < LISTED + 5


def _mission(ref: str, workspace: Workspace) -> Mission:
    return workspace.read(queries.missions.get, ref)


@pytest.mark.parametrize(
    ("agent", "name", "model", "effort"),
    [
        ("claude", "claude", "", ""),
        ("claude/opus", "claude", "opus", ""),
        ("claude high", "claude", "", "high"),
        ("claude/anthropic/claude-opus-4-5 high", "claude", "anthropic/claude-opus-4-5", "high"),
    ],
)
async def test_an_agent_is_named_with_its_model_and_effort(
    board: Board, agent: str, name: str, model: str, effort: str
) -> None:
    async with board.client(await board.person()) as client:
        data(await client.call_tool("create_mission", {"title": "Retry payments", "agent": agent}))
        data(await client.call_tool("create_mission", {"title": "Refund payments", "agent": "claude/sonnet low"}))
        data(await client.call_tool("update_mission", {"mission": "M-2", "agent": agent}))
    for ref, before in (("M-1", ("", "")), ("M-2", ("sonnet", "low"))):
        made = await board.do(partial(_mission, ref))
        wanted = (name, model or before[0], effort or before[1])
        assert (made.code_agent_name, made.agent_model, made.agent_effort) == wanted, "what is not named stays"
