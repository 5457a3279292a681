"""Every tool over a real client in memory, in both protocol eras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import Implementation

from solo_unicorn.mcp_server.server import FOR_PEOPLE, INSTRUCTIONS, build_server
from solo_unicorn.mcp_server.tools.listed import TOOLS
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.missions.comments import Anchor
from solo_unicorn.missions.entities import Author
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import Board, data, error, head, said
from ..golden import listed

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
GOLDEN = Path(__file__).parents[1] / "tools-list.json"


def test_the_list_of_tools_is_as_committed_and_small() -> None:
    """A change of what every model is shown is a decision: `python tests/mcp_server/golden.py` writes the file anew."""
    faces = listed()
    assert json.loads(GOLDEN.read_text()) == faces
    for shown in faces.values():
        assert len(json.dumps({"tools": shown}, separators=(",", ":"))) <= 12 * 1024
        assert not [tool for tool in shown if "outputSchema" in tool], "a client may hide refusals behind it"


SAID_BY_ITS_NAME = {"limit", "document"}


def test_every_argument_is_described() -> None:
    """A model that knows only the schema has to know what to give."""
    for tool in (one for shown in listed().values() for one in shown):
        properties: Any = tool["inputSchema"]["properties"]  # type: ignore[index, call-overload]
        assert {name for name, part in properties.items() if not part.get("description")} <= SAID_BY_ITS_NAME, tool[
            "name"
        ]


def test_instructions_are_short() -> None:
    assert max(len(INSTRUCTIONS), len(FOR_PEOPLE)) < 900  # about 200 tokens


async def test_a_persons_client_is_not_told_to_work_on_a_mission(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.person(), "legacy") as client:
        assert client.instructions == FOR_PEOPLE
        assert "create_mission" in FOR_PEOPLE and "complete_stage" not in FOR_PEOPLE
        assert {"complete_stage", "report_limit"}.isdisjoint(tool.name for tool in (await client.list_tools()).tools)
    async with board.client(await board.run_of("M-1"), "legacy") as client:
        assert client.instructions == INSTRUCTIONS


@ERAS
async def test_a_hub_announces_no_changes_that_it_does_not_tell(board: Board, era: str) -> None:
    who = await board.person()
    hub = build_server(on(board.thread), version="1", changes=board.changes, caller=who, at_hub=True)
    async with Client(hub, mode=era) as client:
        can = client.server_capabilities
    assert can is not None and can.resources is not None and can.tools is not None
    assert not (can.resources.subscribe or can.resources.list_changed or can.tools.list_changed)


@ERAS
async def test_a_client_of_either_era_lists_the_same_tools_with_true_hints(board: Board, era: str) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1"), era) as client:
        listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == [tool.name for tool in TOOLS if tool.face != "person"]
    reads = {tool.name for tool in listed if tool.annotations and tool.annotations.read_only_hint}
    assert reads == {
        *("get_context", "list_missions", "search_missions", "get_mission", "list_comments"),
        *("memory_search", "memory_read"),
    }
    for tool in listed:
        assert tool.annotations is not None
        assert tool.annotations.open_world_hint is False


@ERAS
async def test_context_tells_a_run_its_mission_and_what_is_expected(board: Board, era: str) -> None:
    await board.add("Retry payments", description="Retry **three** times.")
    await board.do(lambda ws: ws.write(operations.memory.append, board.project, "index", "We use integers for money."))
    async with board.client(await board.run_of("M-1"), era) as client:
        result = await client.call_tool("get_context", {})
    facts = head(result)
    assert facts["id"] == "M-1"
    assert facts["worktree"] == "/trees/shop-42"
    assert facts["branch"] == "solo-unicorn/m"
    assert facts["stages"] == ["clarify", "plan", "code"]
    assert facts["version"] == (await board.mission("M-1")).version
    text = said(result)
    assert "Retry **three** times." in text
    assert "integers for money" in text
    assert "complete_stage" in text


async def test_context_tells_the_persons_own_agent_the_boards(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.person()) as client:
        found = data(await client.call_tool("get_context", {}))
    assert found["projects"][0]["project"] == "shop"
    assert found["projects"][0]["lists"] == {"todo": 1}
    assert found["projects"][0]["default"] is True


async def test_feedback_and_answers_stand_in_the_context(board: Board) -> None:
    await board.add("Retry payments")
    caller = await board.run_of("M-1")
    async with board.client(caller) as client:
        await client.call_tool("complete_stage", {"summary": "clear now"})

    await board.end(caller.session_id, "completed")

    def reject(ws: Workspace) -> None:
        ws.write(
            operations.comments.resolve,
            ws.write(operations.comments.add, "M-1", "pay.py", 1, "new", "Settled long ago").id,
        )
        ws.write(operations.comments.add, "M-1", "pay.py", 7, "new", "Which currency?", anchor=Anchor("charge(sum)"))
        ws.write(operations.review.reject, "M-1", "Name the *currencies*.")

    await board.do(reject)
    async with board.client(await board.run_of("M-1")) as client:
        text = said(await client.call_tool("get_context", {}))
    assert "Name the *currencies*." in text
    assert "sent it back" in text
    commented = text.partition('## Line comments\n<quoted source="comments">\n- [')[2]
    assert "`pay.py:7`, on `charge(sum)`:\n  > Which currency?" in commented
    assert "Settled" not in text


async def test_listing_pages_through_the_board(board: Board) -> None:
    for number in range(5):
        await board.add(f"Mission {number}")
    async with board.client(await board.person()) as client:
        first = data(await client.call_tool("list_missions", {"limit": 2}))
        second = data(await client.call_tool("list_missions", {"limit": 2, "cursor": first["nextCursor"]}))
        third = data(await client.call_tool("list_missions", {"limit": 2, "cursor": second["nextCursor"]}))
        none = data(await client.call_tool("list_missions", {"lists": ["done"], "ready": True}))
    seen = [one["id"] for page in (first, second, third) for one in page["missions"]]
    assert seen == ["M-1", "M-2", "M-3", "M-4", "M-5"]
    assert first["total"] == 5
    assert "nextCursor" not in third
    assert none == {"missions": [], "total": 0}


async def test_a_bad_cursor_is_invalid(board: Board) -> None:
    async with board.client(await board.person()) as client:
        refused = error(await client.call_tool("list_missions", {"cursor": "x"}))
    assert refused["code"] == "invalid"


async def test_search_finds_by_words(board: Board) -> None:
    await board.add("Retry payments", description="with a backoff")
    await board.add("Paint the shed")
    async with board.client(await board.person()) as client:
        found = data(await client.call_tool("search_missions", {"query": "backoff"}))
    assert [one["id"] for one in found["missions"]] == ["M-1"]
    assert found["total"] == 1


async def test_get_mission_answers_data_and_with_texts_markdown(board: Board) -> None:
    await board.add("Retry payments", description="# Why\nmoney")
    await board.add("Ledger")
    await board.do(lambda ws: ws.write(operations.missions.link, "M-2", "M-1", "blocks"))
    async with board.client(await board.person()) as client:
        facts = data(
            await client.call_tool("get_mission", {"mission": "m-1", "include": ["tasks", "links", "history"]})
        )
        result = await client.call_tool(
            "get_mission", {"mission": "1", "include": ["description", "spec", "notes", "review"]}
        )
    assert facts["links"] == [
        {"relation": "blocked_by", "id": "M-2", "title": "Ledger", "list": "todo", "resolved": False}
    ]
    assert facts["blockers"] == 1
    assert facts["plan"] == []
    assert facts["history"][0]["what"] == "created"
    assert head(result)["id"] == "M-1"
    assert '## Description\n<quoted source="description, by a person">\n# Why\nmoney\n</quoted>' in said(result)
    assert "## Specification\n(none)" in said(result)


async def test_a_created_mission_stands_in_todo_and_is_not_ready(board: Board) -> None:
    await board.add("Ledger")
    async with board.client(await board.person()) as client:
        made = data(
            await client.call_tool(
                "create_mission",
                {
                    "title": "Retry payments",
                    "description": "d",
                    "priority": 5,
                    "flow": "Quick fix",
                    "depends_on": ["M-1"],
                },
            )
        )
    mission = await board.mission(made["id"])
    assert (mission.list, mission.ready, mission.priority, mission.stage) == ("todo", False, 5, "code")
    assert mission.dependency_count == 1
    assert made["version"] == mission.version
    history = await board.do(lambda ws: ws.read(queries.missions.history, made["id"]))
    assert history[0].author.kind == "agent"


@ERAS
async def test_the_history_names_the_persons_own_client(board: Board, era: str) -> None:
    server = build_server(on(board.thread), version="1", changes=board.changes, caller=await board.person())
    async with Client(server, mode=era, client_info=Implementation(name="claude-code\x1b[2J", version="2")) as client:
        data(await client.call_tool("create_mission", {"title": "Retry payments"}))
    assert (await board.do(lambda ws: ws.read(queries.missions.history, "M-1")))[0].author == Author(
        "agent", "claude-code[2J"
    )


@ERAS
@pytest.mark.parametrize("name", ["gemini-cli-mcp-client", "claude-code"])
async def test_gemini_is_shown_a_name_that_it_keeps(board: Board, era: str, name: str) -> None:
    """Gemini CLI takes away each tool called `ask_user` when nobody sits in front of it; the call is the same."""
    await board.add("Retry payments")
    who = await board.run_of("M-1")
    server = build_server(on(board.thread), version="1", changes=board.changes, caller=who)
    async with Client(server, mode=era, client_info=Implementation(name=name, version="1")) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        other = name.startswith("gemini")
        assert (("ask_person" in tools), ("ask_user" in tools)) == (other, not other)
        asks = tools["ask_person" if other else "ask_user"]
        assert ("Called ask_user in your instructions" in str(asks.description)) == other
        assert data(await client.call_tool(asks.name, {"question": "Formal or warm?"}))["parked"] is True


async def test_creating_twice_with_one_key_makes_one_mission(board: Board) -> None:
    async with board.client(await board.person()) as client:
        first = data(await client.call_tool("create_mission", {"title": "Retry", "key": "retry-1"}))
        again = data(await client.call_tool("create_mission", {"title": "Retry", "key": "retry-1"}))
    assert again["id"] == first["id"]
    assert again["already"] is True
    assert (await board.do(lambda ws: ws.read(queries.missions.page, board.project))).total == 1


async def test_updating_a_text_needs_the_version_that_was_read(board: Board) -> None:
    await board.add("Retry payments", description="old")
    async with board.client(await board.person()) as client:
        missing = error(await client.call_tool("update_mission", {"mission": "M-1", "description": "new"}))
        stale = error(
            await client.call_tool("update_mission", {"mission": "M-1", "description": "new", "expected_version": 99})
        )
        version = data(await client.call_tool("get_mission", {"mission": "M-1"}))["version"]
        done = data(
            await client.call_tool(
                "update_mission", {"mission": "M-1", "description": "new", "expected_version": version}
            )
        )
    assert missing["code"] == "invalid"
    assert missing["field"] == "expected_version"
    assert (stale["code"], stale["currentVersion"]) == ("version_conflict", version)
    assert done["version"] == version + 1
    assert (await board.mission("M-1")).description == "new"


async def test_update_changes_only_what_is_given(board: Board) -> None:
    await board.add("Retry payments", description="keep")
    async with board.client(await board.person()) as client:
        data(
            await client.call_tool("update_mission", {"mission": "M-1", "title": "Retry", "priority": 1, "ready": True})
        )
        nothing = error(await client.call_tool("update_mission", {"mission": "M-1"}))
    mission = await board.mission("M-1")
    assert (mission.title, mission.priority, mission.ready, mission.description) == ("Retry", 1, True, "keep")
    assert nothing["code"] == "invalid"
