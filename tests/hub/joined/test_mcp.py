"""A hosted project through a real MCP client: sent to sign in, the same tools, the rights of its person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from solo_unicorn.hub.records.comments import of_mission

from ..whole import Whole, whole

pytestmark = pytest.mark.slow


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path) as found:
        yield found


async def test_a_client_without_a_token_is_told_where_to_sign_in(hub: Whole) -> None:
    refused = await hub.nobody.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert refused.status_code == 401
    told = refused.headers["www-authenticate"]
    place = told.split('resource_metadata="')[1].split('"')[0]
    found = (await hub.nobody.get(place)).json()
    assert found["resource"] == hub.url + "/mcp" and found["authorization_servers"] == [hub.url]
    issuer = (
        await hub.nobody.get(f"{found['authorization_servers'][0]}/.well-known/oauth-authorization-server")
    ).json()
    assert issuer["registration_endpoint"]


async def test_the_tools_read_and_change_missions_with_the_rights_of_the_person(hub: Whole) -> None:
    async def use(token: str, tool: str, **arguments: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            streamable_http_client(hub.url + "/mcp", http_client=http) as (reading, writing, *_),
            ClientSession(reading, writing) as session,
        ):
            opened = await session.initialize()
            resources = opened.capabilities.resources
            assert resources is not None and not (resources.subscribe or resources.list_changed)  # nothing is published
            assert tool in {one.name for one in (await session.list_tools()).tools}
            return await session.call_tool(tool, arguments)

    listed = await use(hub.ann_token, "list_missions", project=hub.project)
    assert "Lamp" in str(listed.content), listed
    for _ in range(2):  # a repeated call with the same key makes it once
        made = await use(hub.ann_token, "create_mission", project=hub.project, title="Polish the lens", key="lens")
        assert not made.is_error, made
    titles = [
        one["title"] for one in (await hub.ask("GET", f"/api/v1/projects/{hub.project}/missions")).json()["items"]
    ]
    assert titles.count("Polish the lens") == 1
    noted = await use(hub.ann_token, "memory_append", project=hub.project, document="notes", text="The lens is French.")
    assert not noted.is_error, noted
    kept = await hub.ask("GET", f"/api/v1/projects/{hub.project}/memory/notes")
    assert kept.json()["text"] == "The lens is French.\n" and kept.json()["version"] > 0
    for name, text in (("No/Name", "text"), ("notes", " "), ("notes", "\0")):
        refused = await use(hub.ann_token, "memory_append", project=hub.project, document=name, text=text)
        assert refused.is_error, (name, text)
    assert (await hub.ask("GET", f"/api/v1/projects/{hub.project}/memory/notes")).json() == kept.json()
    await hub.ask("PATCH", f"/api/v1/projects/{hub.project}", json={"visibility": "public", "publicMissionRead": True})
    other = await use(hub.ben_token, "list_missions", project=hub.project)
    assert other.is_error and "not_found" in str(other.content), "a public project too is its members' here"
    other = await use(hub.ben_token, "get_mission", mission=hub.mission)
    assert other.is_error and "not_found" in str(other.content)

    async def titles_in_order() -> list[str]:
        listed = await hub.ask("GET", f"/api/v1/projects/{hub.project}/missions?list=todo")
        found = sorted(listed.json()["items"], key=lambda one: one["listOrder"])
        return [one["title"] for one in found]

    made = await use(hub.ann_token, "create_mission", project=hub.project, title="Oil it")
    for name in ("Polish the lens", "Oil it"):  # each just before the lamp
        (wanted,) = [
            one["id"]
            for one in (await hub.ask("GET", f"/api/v1/projects/{hub.project}/missions")).json()["items"]
            if one["title"] == name
        ]
        moved = await use(hub.ann_token, "move_mission", mission=wanted, list="todo", before=hub.mission)
        assert not moved.is_error, moved
    assert await titles_in_order() == ["Polish the lens", "Oil it", "Lamp"]
    elsewhere = await use(hub.ann_token, "move_mission", mission=hub.mission, list="doing", before=wanted)
    assert elsewhere.is_error and "is not in doing" in str(elsewhere.content)


async def test_line_comments_are_what_was_said_of_each_last(hub: Whole) -> None:
    now, place = "2026-05-01T10:00:00Z", f"/api/v1/missions/{hub.mission}/notes"
    first, second = (
        {
            "id": f"01J0000000000000000000000{one}",
            "missionId": hub.mission,
            "file": "lamp.py",
            "line": 3,
            "side": "new",
            "text": f"too bright {one}",
            "createdAt": now,
        }
        for one in "AB"
    )
    for kind, data in (
        ("commented", first),
        ("commented", second),
        ("comment_resolved", {**first, "resolvedAt": now}),
        ("comment_deleted", second),
        ("comment_reopened", {**second, "text": "deleted before"}),
    ):
        noted = await hub.ask("POST", place, json={"kind": kind, "text": "x", "data": data})
        assert noted.status_code == 201, noted.text
    (kept,) = await hub.hub.database.read(lambda at: of_mission(at, hub.mission))
    assert (kept.id, kept.text, kept.open) == (first["id"], "too bright A", False)
