"""A hostile run: other missions' ids, approvals, huge inputs, control characters, path tricks. Nothing changes."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from solo_unicorn.mcp_server.caller import McpCaller
from solo_unicorn.mcp_server.tools.listed import TOOLS
from solo_unicorn.mcp_server.workspace_access import WorkspaceAccess
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Board, data, error, said

OTHERS = ("M-2", "2", "m-2")
WRITES_ON_A_MISSION: tuple[tuple[str, dict[str, Any]], ...] = (
    ("update_mission", {"title": "mine now"}),
    ("update_mission", {"ready": True}),
    ("move_mission", {"list": "doing"}),
    ("update_tasks", {"titles": ["x"], "finished": 1}),
    ("add_note", {"text": "x"}),
    ("attach_solution", {"text": "x"}),
    ("complete_stage", {"summary": "x"}),
    ("request_review", {"summary": "x"}),
    ("ask_user", {"question": "x"}),
    ("link_missions", {"other": "M-3", "relation": "blocks"}),
)


async def snapshot(board: Board) -> object:
    """Everything that must not change: missions with versions, memory, the last event."""
    return await board.do(
        lambda ws: (
            [(one.id, one.version) for one in ws.read(queries.missions.page, None, limit=100).items],
            [(one.name, one.version) for one in ws.read(queries.memory.list_all, board.project)],
            ws.read(queries.board.last_seq),
        )
    )


async def three(board: Board) -> McpCaller:
    """M-1 run by the attacker, M-2 under review, M-3 in todo, M-4 in another project."""
    await board.add("Mine")
    await board.add("Theirs", description="a secret plan")
    await board.add("Third")

    def prepare(ws: Workspace) -> None:
        ws.write(operations.missions.move, "M-2", "review")
        other = ws.write(operations.projects.create, "Elsewhere")
        ws.write(operations.missions.create, other.id, MissionDraft("Foreign", description="another secret"))
        ws.write(operations.memory.append, other.id, "index", "foreign memory")

    await board.do(prepare)
    return await board.run_of("M-1")


@pytest.mark.parametrize(("tool", "arguments"), WRITES_ON_A_MISSION)
async def test_a_run_changes_no_mission_but_its_own(
    board: Board, tool: str, arguments: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caller = await three(board)
    full = (await board.mission("M-2")).id
    before = await snapshot(board)
    async with board.client(caller) as client:
        for reference in (*OTHERS, full, full.lower()):
            refused = error(await client.call_tool(tool, arguments | {"mission": reference}))
            assert refused["code"] == "not_allowed"
        foreign = error(await client.call_tool(tool, arguments | {"mission": "M-4"}))
    assert foreign["code"] == "not_found"
    assert await snapshot(board) == before
    logged = [record for record in caplog.records if record.message == "refused" and record.levelno == logging.WARNING]
    assert len(logged) == 6


async def test_a_run_reads_other_missions_as_board_rows_only(board: Board) -> None:
    caller = await three(board)
    async with board.client(caller) as client:
        other = await client.call_tool(
            "get_mission", {"mission": "M-2", "include": ["description", "history", "links"]}
        )
        found = await client.call_tool("search_missions", {"query": "secret"})
        foreign = error(await client.call_tool("get_mission", {"mission": "M-4"}))
        rows = data(await client.call_tool("list_missions", {"project": "shop"}))
        elsewhere = error(await client.call_tool("list_missions", {"project": "elsewhere"}))
    assert data(other)["title"] == "Theirs"
    assert "secret" not in said(other)
    assert "secret" not in said(found)
    assert foreign["code"] == elsewhere["code"] == "not_found"
    assert {row["id"] for row in rows["missions"]} == {"M-1", "M-2", "M-3"}


async def test_a_run_sees_no_memory_of_another_project(board: Board) -> None:
    caller = await three(board)
    before = await snapshot(board)
    async with board.client(caller) as client:
        for tool, arguments in (
            ("memory_read", {"document": "index"}),
            ("memory_search", {"query": "foreign"}),
            ("memory_append", {"document": "index", "text": "mine"}),
            ("memory_replace", {"document": "index", "text": "mine", "expected_version": 1}),
            ("create_mission", {"title": "spam"}),
        ):
            assert error(await client.call_tool(tool, arguments | {"project": "elsewhere"}))["code"] == "not_found"
        own = error(await client.call_tool("memory_read", {"document": "index"}))
    assert own["code"] == "not_found"
    assert await snapshot(board) == before


async def test_nobody_passes_a_persons_gate(board: Board) -> None:
    """Neither by moving, completing again, changing the text under review, nor by reopening what is done."""
    await three(board)
    for caller in (await board.run_of("M-3"), await board.person()):
        async with board.client(caller) as client:
            shown = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert shown.keys().isdisjoint({"reject", "answer", "approve_mission", "delete_mission", "set_ready"})
            # what a run sees by that name asks a person for leave to use a tool; it approves no mission
            assert "approve" not in shown or "mission" not in shown["approve"].input_schema["properties"]
    async with board.client(await board.person()) as client:
        before = await snapshot(board)
        for tool, arguments in (
            ("move_mission", {"list": "done"}),
            ("move_mission", {"list": "doing"}),
            ("move_mission", {"list": "review"}),
            ("complete_stage", {"summary": "x"}),
            ("request_review", {"summary": "x"}),
            ("update_mission", {"title": "harmless"}),
            ("update_tasks", {"titles": ["x"], "finished": 1}),
            ("attach_solution", {"text": "x"}),
        ):
            refused = error(await client.call_tool(tool, arguments | {"mission": "M-2"}))
            assert refused["code"] == "not_allowed", tool
        for tool in ("approve", "reject", "approve_review", "answer", "delete_mission", "set_ready"):
            assert error(await client.call_tool(tool, {"mission": "M-2"}))["code"] in ("not_found", "not_allowed")
        assert await snapshot(board) == before


async def test_done_and_review_are_reached_by_finishing_not_by_moving(board: Board) -> None:
    await board.add("Mine")
    await board.add("Nobody's")
    run, person = await board.run_of("M-1"), await board.person()
    before = await snapshot(board)
    for caller, reference in ((run, "M-1"), (person, "M-2")):
        async with board.client(caller) as client:
            for target in ("done", "review"):
                arguments = {"mission": reference, "list": target}
                refused = error(await client.call_tool("move_mission", arguments))
                assert refused["code"] == "not_allowed"
    assert await snapshot(board) == before


async def test_ready_is_no_switch_for_runs(board: Board) -> None:
    await board.add("Mine")
    async with board.client(await board.run_of("M-1")) as client:
        for ready in (True, False):
            assert error(await client.call_tool("update_mission", {"ready": ready}))["code"] == "not_allowed"
    assert (await board.mission("M-1")).ready is True


async def test_a_run_cannot_unhook_its_review_by_a_move(board: Board) -> None:
    await board.add("Mine")
    caller = await board.run_of("M-1")
    async with board.client(caller) as client:
        data(await client.call_tool("complete_stage", {"summary": "x"}))
        for arguments in ({"list": "todo"}, {"list": "doing"}, {"list": "loop"}, {"list": "done"}):
            assert error(await client.call_tool("move_mission", arguments))["code"] == "not_allowed"
    assert (await board.mission("M-1")).review_status == "pending"


async def test_approved_work_on_its_way_to_the_target_branch_is_left_alone(board: Board) -> None:
    """A move would take the landing back: that is a person's decision."""
    await board.add("Small", flow_id="Direct")
    caller = await board.run_of("M-1")
    async with board.client(caller) as client:
        data(await client.call_tool("complete_stage", {"summary": "x"}))
    await board.end(caller.session_id, "completed")
    assert (await board.mission("M-1")).landing_status == "queued"
    async with board.client(await board.person()) as client:
        refused = error(await client.call_tool("move_mission", {"mission": "M-1", "list": "todo"}))
    assert refused["code"] == "not_allowed"
    assert (await board.mission("M-1")).landing_status == "queued"


async def test_a_run_creates_only_unready_missions_in_todo(board: Board) -> None:
    caller = await three(board)
    async with board.client(caller) as client:
        made = data(await client.call_tool("create_mission", {"title": "Follow-up", "flow": "Standard"}))
        unreviewed = error(await client.call_tool("create_mission", {"title": "x", "flow": "direct"}))
        assert unreviewed["code"] == "not_allowed" and "Direct lands without a review" in unreviewed["message"]
        odd: list[dict[str, Any]] = [{"ready": True}, {"list": "doing"}, {"stage_summary": "x"}, {"flow_config": {}}]
        for smuggled in odd:
            refused = error(await client.call_tool("create_mission", {"title": "x", **smuggled}))
            assert refused["code"] == "invalid"
    mission = await board.mission(made["id"])
    assert (mission.list, mission.ready, mission.project_id) == ("todo", False, board.project)


async def test_a_run_links_its_own_mission_and_takes_no_link_away(board: Board) -> None:
    caller = await three(board)
    async with board.client(caller) as client:
        data(await client.call_tool("link_missions", {"other": "M-3", "relation": "blocks"}))
        refused = error(await client.call_tool("link_missions", {"other": "M-3", "relation": "blocks", "remove": True}))
        foreign = error(await client.call_tool("link_missions", {"other": "M-4", "relation": "relates_to"}))
    assert refused["code"] == "not_allowed"
    assert foreign["code"] == "not_found"


async def test_a_session_that_ended_writes_no_more(board: Board) -> None:
    caller = await three(board)
    async with board.client(caller) as client:
        await board.end(caller.session_id, "unknown", "the machine died")
        before = await snapshot(board)
        for tool, arguments in (
            ("add_note", {"text": "x"}),
            ("complete_stage", {"summary": "x"}),
            ("memory_append", {"document": "notes", "text": "x"}),
            ("create_mission", {"title": "x"}),
        ):
            assert error(await client.call_tool(tool, arguments))["code"] == "not_allowed"
    assert await snapshot(board) == before


async def test_the_persons_own_agent_stays_out_of_a_running_mission(board: Board) -> None:
    await three(board)
    async with board.client(await board.person()) as client:
        refused = error(await client.call_tool("complete_stage", {"mission": "M-1", "summary": "x"}))
    assert refused["code"] == "not_allowed"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "x" * 65,
        "%2e%2e%2f",
        "a\x00b",
        "ünicode🦄",
        ".hidden",
        "-",
    ],
)
async def test_document_names_are_names_not_paths(board: Board, name: str) -> None:
    caller = await three(board)
    before = await snapshot(board)
    async with board.client(caller) as client:
        read = error(await client.call_tool("memory_read", {"document": name}))
        append = error(await client.call_tool("memory_append", {"document": name, "text": "x"}))
        replace = error(
            await client.call_tool("memory_replace", {"document": name, "text": "x", "expected_version": 0})
        )
    assert {read["code"], append["code"], replace["code"]} <= {"invalid", "not_found", "limit"}
    assert await snapshot(board) == before


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1b[31mred", "a\x7fb", "a\x9bb", "bell\x07"])
async def test_control_characters_are_refused_everywhere(board: Board, bad: str) -> None:
    caller = await three(board)
    before = await snapshot(board)
    async with board.client(caller) as client:
        for tool, arguments in (
            ("add_note", {"text": bad}),
            ("create_mission", {"title": bad}),
            ("create_mission", {"title": "x", "description": bad}),
            ("update_tasks", {"titles": [bad], "finished": 0}),
            ("attach_solution", {"text": bad}),
            ("complete_stage", {"summary": bad}),
            ("ask_user", {"question": bad}),
            ("memory_append", {"document": "notes", "text": bad}),
            ("get_mission", {"mission": bad}),
            ("search_missions", {"query": bad}),
        ):
            refused = error(await client.call_tool(tool, arguments))
            assert refused["code"] == "invalid", (tool, refused)
            assert bad not in said_safely(refused)
    assert await snapshot(board) == before


def said_safely(refused: dict[str, Any]) -> str:
    """All that an error shows."""
    return " ".join(str(value) for value in refused.values())


async def test_half_a_surrogate_pair_is_refused(board: Board) -> None:
    """JSON can carry it, UTF-8 and SQLite cannot."""
    tool = next(tool for tool in TOOLS if tool.name == "add_note")
    caller = await three(board)
    with pytest.raises(Exception, match=r"text") as refused:
        await board.do(lambda ws: tool.call(WorkspaceAccess(ws), caller, {"text": "a\ud800b"}))
    assert getattr(refused.value, "code", "") == "invalid"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("add_note", {"text": "x" * 5_000_000}),
        ("create_mission", {"title": "x" * 501}),
        ("create_mission", {"title": "x", "description": "x" * 5_000_000}),
        ("update_tasks", {"titles": ["x"] * 101, "finished": 0}),
        ("update_tasks", {"titles": ["x" * 501], "finished": 0}),
        ("attach_solution", {"text": "x" * 5_000_000}),
        ("complete_stage", {"summary": "x" * 5_000_000}),
        ("memory_append", {"document": "notes", "text": "x" * 5_000_000}),
        ("memory_replace", {"document": "notes", "text": "x" * 5_000_000, "expected_version": 0}),
        ("search_missions", {"query": "x" * 5_000_000}),
        ("get_mission", {"mission": "x" * 5_000_000}),
        ("get_mission", {"include": ["tasks"] * 9}),
    ],
)
async def test_what_is_too_large_is_a_limit(board: Board, tool: str, arguments: dict[str, Any]) -> None:
    caller = await three(board)
    before = await snapshot(board)
    async with board.client(caller) as client:
        refused = error(await client.call_tool(tool, arguments))
    assert refused["code"] == "limit"
    assert len(said_safely(refused)) < 1000
    assert await snapshot(board) == before


async def test_search_words_are_words_not_a_query_language(board: Board) -> None:
    caller = await three(board)
    async with board.client(caller) as client:
        for query in ('"', "secret OR (", "NEAR(", "*", "a AND", "title:x", "'; DROP TABLE mission; --", "-"):
            data(await client.call_tool("search_missions", {"query": query}))
            data(await client.call_tool("memory_search", {"query": query}))


async def test_unknown_arguments_and_tools_are_refused_with_what_there_is(board: Board) -> None:
    caller = await three(board)
    async with board.client(caller) as client:
        for tool in (tool for tool in TOOLS if tool.allows(caller)):
            refused = error(await client.call_tool(tool.name, {"surprise": 1}))
            assert refused["code"] == "invalid", tool.name
        unknown = error(await client.call_tool("drop_everything", {}))
    assert unknown["code"] == "not_found"


async def test_a_read_only_caller_and_toolsets_hold_at_listing_and_at_calling(board: Board) -> None:
    await three(board)
    reader = McpCaller("reader", project_id=board.project, read_only=True)
    historian = McpCaller("historian", project_id=board.project, toolsets=frozenset({"memory"}))
    async with board.client(reader) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        refused = error(await client.call_tool("create_mission", {"title": "x"}))
    assert names == {tool.name for tool in TOOLS if tool.effect == "read"}
    assert refused["code"] == "not_allowed"
    async with board.client(historian) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        refused = error(await client.call_tool("list_missions", {}))
    assert names == {f"memory_{what}" for what in ("search", "read", "append", "replace", "edit", "move")}
    assert refused["code"] == "not_allowed"
