"""`approve`: a question of Claude Code goes into the inbox and waits there for a person."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from solo_unicorn.mcp_server.tools import permission
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.missions.entities import InboxItem
from solo_unicorn.workspace import operations, queries

from ..conftest import Board, error, said
from .test_tools import ERAS

BASH = {"tool_name": "Bash", "input": {"command": "make deploy"}, "tool_use_id": "toolu_1"}


async def asked(board: Board) -> InboxItem:
    """The open question, once it is there."""
    while True:
        found = await board.do(lambda ws: ws.read(queries.inbox.items))
        if found:
            item: InboxItem = found[0]
            return item
        await asyncio.sleep(0)


async def answer(board: Board, decision: Any, message: str = "") -> None:
    """As a person does, in another process; the service tells the server that something changed."""
    item = await asked(board)
    before = await board.do(lambda ws: ws.read(queries.board.last_seq))
    await board.do(lambda ws: ws.write(operations.inbox.answer, item.id, decision, message))
    await board.changes.publish(
        on(board.thread), await board.do(lambda ws: ws.read(queries.missions.events_since, before))
    )


@ERAS
async def test_a_person_allows_it(board: Board, era: str) -> None:
    await board.add("Retry payments")
    caller = await board.run_of("M-1")
    async with board.client(caller, era) as client:
        call = asyncio.create_task(client.call_tool("approve", BASH))
        item = await asked(board)
        assert (item.tool, item.input, item.session_id) == ("Bash", {"command": "make deploy"}, caller.session_id)
        assert not call.done()
        await answer(board, "allow")
        result = await asyncio.wait_for(call, 20)
    assert result.structured_content is None
    assert json.loads(said(result)) == {"behavior": "allow", "updatedInput": {"command": "make deploy"}}


async def test_a_person_denies_it_and_says_why(board: Board) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        call = asyncio.create_task(client.call_tool("approve", BASH))
        await answer(board, "deny", "Not on a Friday")
        result = await asyncio.wait_for(call, 20)
    assert json.loads(said(result)) == {"behavior": "deny", "message": "Not on a Friday"}
    kinds = [event.kind for event in await board.do(lambda ws: ws.read(queries.missions.history, "M-1"))]
    assert kinds[-2:] == ["permission_asked", "permission_answered"]


async def test_nobody_answers(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "PATIENCE_SECONDS", 0)
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        result = await client.call_tool("approve", BASH)
    assert json.loads(said(result)) == {"behavior": "deny", "message": permission.NOBODY}
    (item,) = await board.do(lambda ws: ws.read(queries.inbox.items, open_only=False))
    assert (item.decision, item.answered_by) == ("deny", "system")


async def test_a_repeated_call_gets_the_answer_that_was_given(board: Board) -> None:
    """The connection was lost while it waited: the same question is not asked twice."""
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        call = asyncio.create_task(client.call_tool("approve", BASH))
        await answer(board, "allow")
        await call
        again = await client.call_tool("approve", BASH)
    assert json.loads(said(again))["behavior"] == "allow"
    assert len(await board.do(lambda ws: ws.read(queries.inbox.items, open_only=False))) == 1


async def test_the_end_of_the_session_ends_the_waiting(board: Board) -> None:
    await board.add("Retry payments")
    caller = await board.run_of("M-1")
    async with board.client(caller) as client:
        call = asyncio.create_task(client.call_tool("approve", BASH))
        await asked(board)
        before = await board.do(lambda ws: ws.read(queries.board.last_seq))
        await board.end(caller.session_id, "cancelled", "stopped")
        await board.changes.publish(
            on(board.thread), await board.do(lambda ws: ws.read(queries.missions.events_since, before))
        )
        assert error(await asyncio.wait_for(call, 20))["code"] == "not_allowed"


async def test_only_runs_see_it_and_too_much_is_refused(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "PATIENCE_SECONDS", 0)
    await board.add("Retry payments")
    async with board.client(await board.person()) as client:
        assert "approve" not in {tool.name for tool in (await client.list_tools()).tools}
        assert error(await client.call_tool("approve", BASH))["code"] == "not_allowed"
    async with board.client(await board.run_of("M-1")) as client:
        assert "approve" in {tool.name for tool in (await client.list_tools()).tools}
        huge = BASH | {"input": {"content": "x" * 5_000_000}}
        assert error(await client.call_tool("approve", huge))["code"] == "limit"
        assert error(await client.call_tool("approve", {"tool_name": "Ba\nsh", "input": {}}))["code"] == "invalid"
        kept = "a\x1b[31m\x00b"
        result = await client.call_tool("approve", {"tool_name": "Write", "input": {"content": kept}})
        assert json.loads(said(result))["behavior"] == "deny"
    assert len(await board.do(lambda ws: ws.read(queries.inbox.items, open_only=False))) == 1
