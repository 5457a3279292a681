"""A question of the person's own client: in the client's form and in the inbox at once, answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from mcp import Client
from mcp.types import ElicitRequestFormParams, ElicitResult, Implementation

from solo_unicorn.mcp_server.caller import McpCaller
from solo_unicorn.mcp_server.server import build_server
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.workspace import operations, queries

from .conftest import Board, data, error, head, said
from .tools.test_tools import ERAS

ASKED = {"mission": "M-1", "question": "Which currency?", "options": ["EUR", "USD"]}


@dataclass
class Form:
    """The client's side: what it was shown, and what the person does with it."""

    does: ElicitResult | None = None
    """None: the form stays open."""
    shown: list[ElicitRequestFormParams] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    withdrawn: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _context: Any, params: Any) -> ElicitResult:
        self.shown.append(params)
        self.open.set()
        if self.does is not None:
            return self.does
        try:
            await asyncio.Event().wait()
        finally:
            self.withdrawn.set()
        raise AssertionError("nobody fills it in")


def filled(answer: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"answer": answer})


@asynccontextmanager
async def claude(board: Board, era: str, form: Any, caller: McpCaller | None = None) -> AsyncIterator[Client]:
    """A client that calls itself claude-code, with forms or without."""
    who = caller or await board.person()
    server = build_server(on(board.thread), version="1", changes=board.changes, caller=who)
    info = Implementation(name="claude-code", version="2")
    async with Client(server, mode=era, client_info=info, elicitation_callback=form) as client:
        yield client


async def answer_in_the_inbox(board: Board, text: str) -> None:
    await board.do(lambda ws: ws.write(operations.review.answer, "M-1", text))
    events = await board.do(lambda ws: ws.read(queries.missions.history, "M-1"))
    await board.changes.publish(on(board.thread), events[-1:])


@ERAS
async def test_the_form_of_the_client_answers_it_and_starts_no_run(board: Board, era: str) -> None:
    await board.add("Retry payments")
    form = Form(filled("EUR"))
    async with claude(board, era, form) as client:
        answered = data(await client.call_tool("ask_user", ASKED))
    (shown,) = form.shown
    assert shown.message == "Which currency?\n- EUR\n- USD"
    assert shown.requested_schema["properties"]["answer"]["enum"] == ["EUR", "USD"]
    assert answered["answer"] == "EUR"
    mission = await board.mission("M-1")
    assert (mission.question, mission.answer, mission.attention, mission.ready) == (None, "EUR", None, False)
    asked, told = (await board.do(lambda ws: ws.read(queries.missions.history, "M-1")))[-2:]
    assert (asked.kind, asked.author.kind, asked.author.name) == ("asked", "agent", "claude-code")
    assert (told.kind, told.author.kind, told.author.name) == ("answered", "user", "you, in claude-code")


async def test_an_answer_in_the_inbox_withdraws_the_form(board: Board) -> None:
    await board.add("Retry payments")
    form = Form()
    async with claude(board, "legacy", form) as client:
        asking = asyncio.create_task(client.call_tool("ask_user", ASKED))
        await asyncio.wait_for(form.open.wait(), 30)
        assert [one.kind for one in await board.do(lambda ws: ws.read(queries.missions.waiting))] == ["question"]
        await answer_in_the_inbox(board, "USD")
        assert data(await asking)["answer"] == "USD"
        await asyncio.wait_for(form.withdrawn.wait(), 30)
    assert not (await board.mission("M-1")).ready


async def test_a_form_that_comes_after_the_inbox_does_not_count(board: Board) -> None:
    """From 2026-07-28 on a form cannot be taken back; what was answered first is what the client is told."""
    await board.add("Retry payments")

    async def late(_context: Any, _params: Any) -> ElicitResult:
        await answer_in_the_inbox(board, "USD")
        return filled("EUR")

    async with claude(board, "auto", late) as client:
        assert data(await client.call_tool("ask_user", ASKED))["answer"] == "USD"
    assert (await board.mission("M-1")).answer == "USD"


FORMS = [None, Form(ElicitResult(action="cancel")), Form(ElicitResult(action="decline"))]


@pytest.mark.parametrize("form", FORMS, ids=["no forms", "closed", "declined by a client that has nobody to ask"])
@ERAS
async def test_else_it_waits_in_the_inbox_and_the_client_reads_the_answer_later(
    board: Board, era: str, form: Form | None
) -> None:
    await board.add("Retry payments")
    async with claude(board, era, form) as client:
        for _ in range(2):  # asked again, it is asked once
            waiting = data(await client.call_tool("ask_user", ASKED))
            assert waiting["waiting"] is True and "inbox" in waiting["next"]
        refused = error(await client.call_tool("ask_user", ASKED | {"question": "Which bank?"}))
        await answer_in_the_inbox(board, "USD")
        told = data(await client.call_tool("get_mission", {"mission": "M-1"}))
    assert "is already asking: Which currency?" in refused["message"]
    assert (told["asked"], told["answer"]) == ("Which currency?\n- EUR\n- USD", "USD")
    kinds = [one.kind for one in await board.do(lambda ws: ws.read(queries.missions.history, "M-1"))]
    assert kinds == ["created", "asked", "answered"]
    assert not (await board.mission("M-1")).ready


@ERAS
async def test_a_run_cannot_answer_itself_by_a_form(board: Board, era: str) -> None:
    """Its program fills in forms; a person answers in the inbox, and its conversation goes on."""
    await board.add("Retry payments")
    run = await board.run_of("M-1")
    form = Form(filled("EUR"))
    async with claude(board, era, form, run) as client:
        assert data(await client.call_tool("ask_user", {"question": "Which currency?"}))["parked"] is True
    assert form.shown == []
    await board.end(run.session_id, "needs_input")
    await board.do(lambda ws: ws.write(operations.missions.set_ready, "M-1", False))
    await answer_in_the_inbox(board, "EUR")
    mission = await board.mission("M-1")
    assert (mission.answer, mission.ready) == ("EUR", True)


@ERAS
async def test_a_question_about_no_mission_is_asked_in_the_client_or_not_at_all(board: Board, era: str) -> None:
    async with claude(board, era, Form(filled("Ship it"))) as client:
        assert data(await client.call_tool("ask_user", {"question": "And now?"}))["answer"] == "Ship it"
    async with claude(board, era, None) as client:
        assert "in your reply" in error(await client.call_tool("ask_user", {"question": "And now?"}))["hint"]


async def test_the_next_run_is_told_who_had_asked(board: Board) -> None:
    await board.add("Retry payments")
    async with claude(board, "auto", Form(filled("EUR"))) as client:
        await client.call_tool("ask_user", ASKED)
    async with board.client(await board.run_of("M-1")) as client:
        context = await client.call_tool("get_context", {})
    assert head(context)["id"] == "M-1"
    assert "## claude-code asked\n" in said(context) and "EUR" in said(context)
