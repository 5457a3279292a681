"""Resources, prompts and completion over real clients in memory."""

from __future__ import annotations

import json

import pytest
from mcp import MCPError
from mcp.types import PromptReference, TextContent, TextResourceContents

from solo_unicorn.workspace import operations

from .conftest import Board
from .tools.test_tools import ERAS


async def read(client, uri: str) -> str:  # type: ignore[no-untyped-def]
    """The text of a resource."""
    contents = (await client.read_resource(uri)).contents
    assert len(contents) == 1
    assert isinstance(contents[0], TextResourceContents)
    return contents[0].text


@ERAS
async def test_a_run_reads_its_mission_the_board_the_memory_and_stages(board: Board, era: str) -> None:
    await board.add("Retry payments", description="Three times.")
    await board.do(lambda ws: ws.write(operations.memory.append, board.project, "build", "make test"))
    async with board.client(await board.run_of("M-1"), era) as client:
        listed = {str(one.uri) for one in (await client.list_resources()).resources}
        templates = {one.uri_template for one in (await client.list_resource_templates()).resource_templates}
        mission = await read(client, "mission://current")
        summary = json.loads(await read(client, "board://summary"))
        index = json.loads(await read(client, "memory://index"))
        document = await read(client, "memory://build")
        stage = await read(client, "flow://Standard/plan")
    assert listed == {"mission://current", "board://summary", "memory://index", "memory://build"}
    assert templates == {"mission://{id}", "memory://{doc}", "flow://{flow}/{stage}"}
    assert json.loads(mission.split("\n", 1)[0])["id"] == "M-1"
    assert "Three times." in mission
    assert summary["projects"][0]["lists"]["doing"] == {"total": 1, "ready": 1, "running": 1}
    assert index["documents"][0]["document"] == "build"
    assert "make test" in document
    assert stage.strip()


@pytest.mark.parametrize(
    "uri",
    [
        "mission://M-9",
        "mission://current/x",
        "memory://nothing",
        "flow://Standard/nothing",
        "file:///etc/passwd",
        "x://y",
    ],
)
async def test_what_is_not_there_is_an_error_that_names_it(board: Board, uri: str) -> None:
    await board.add("Retry payments")
    async with board.client(await board.run_of("M-1")) as client:
        with pytest.raises(MCPError, match="not found") as refused:
            await client.read_resource(uri)
    assert refused.value.error.data == {"uri": uri}


async def test_another_mission_is_a_board_row_for_a_run(board: Board) -> None:
    await board.add("Mine")
    await board.add("Theirs", description="a secret plan")
    async with board.client(await board.run_of("M-1")) as client:
        row = await read(client, "mission://M-2")
    assert "Theirs" in row
    assert "secret" not in row


@ERAS
async def test_a_person_picks_a_prompt_with_completion(board: Board, era: str) -> None:
    await board.add("Retry payments", description="Three times.")
    await board.add("Paint the shed")
    async with board.client(await board.person(), era) as client:
        names = [one.name for one in (await client.list_prompts()).prompts]
        found = await client.complete(
            PromptReference(type="ref/prompt", name="plan"), {"name": "mission", "value": "retry"}
        )
        prompt = await client.get_prompt("plan", {"mission": "M-1"})
        with pytest.raises(MCPError, match="M-7"):
            await client.get_prompt("plan", {"mission": "M-7"})
    assert names == ["plan", "build", "review", "rework"]
    assert found.completion.values == ["M-1"]
    content = prompt.messages[0].content
    assert isinstance(content, TextContent)
    assert content.text.startswith("Plan mission M-1.")
    assert "Three times." in content.text
