"""Which project and mission a person's own client means that names none: by where it works, looked up at each call."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.types import ListRootsResult, Root

from solo_unicorn.mcp_server.caller import McpCaller, personal
from solo_unicorn.mcp_server.server import build_server
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.missions.entities import SYSTEM, Worktree
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.worktrees.repository.around import compared

from .conftest import Board, data, error


def git(place: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(place), "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a commit and a remote."""
    place = tmp_path / "checkout"
    place.mkdir()
    git(place, "init", "-q")
    git(place, "commit", "-q", "--allow-empty", "-m", "one")
    git(place, "remote", "add", "origin", "git@example.com:shop/web.git")
    return place


async def linked(board: Board, checkout: Path, name: str = "Web") -> str:
    """A second project, which has linked the checkout."""

    def link(ws: Workspace) -> str:
        project = ws.write(operations.projects.create, name)
        ws.write(operations.projects.add_repository, project.id, "web", local_path=str(checkout))
        return project.id

    made: str = await board.do(link)
    return made


async def written(board: Board, directory: Path, caller: McpCaller | None = None) -> str:
    """The id of the project that a mission goes to which a client in a directory creates."""
    async with board.client(caller or personal(str(directory))) as client:
        made = data(await client.call_tool("create_mission", {"title": "x"}))
    mission = await board.mission(made["id"])
    return mission.project_id


async def test_a_checkout_a_worktree_and_a_second_clone_are_of_the_project(
    board: Board, checkout: Path, tmp_path: Path
) -> None:
    project = await linked(board, checkout)
    git(checkout, "worktree", "add", "-q", str(tmp_path / "beside"))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(checkout), str(clone))
    git(clone, "remote", "set-url", "origin", "https://example.com/shop/web")
    (clone / "deep").mkdir()
    link = tmp_path / "link"
    link.symlink_to(checkout)
    for place in (checkout, tmp_path / "beside", clone / "deep", link):
        assert await written(board, place) == project, place


async def test_elsewhere_nothing_is_written_and_the_projects_are_named(board: Board, tmp_path: Path) -> None:
    """With one project, a client in the folder for temporary files wrote to it."""
    async with board.client(personal(str(tmp_path))) as client:
        for tool, given in (
            ("create_mission", {"title": "x"}),
            ("memory_append", {"document": "notes", "text": "x"}),
            ("memory_replace", {"document": "notes", "text": "x", "expected_version": 0}),
        ):
            refused = error(await client.call_tool(tool, given))
            assert (refused["code"], refused["field"]) == ("invalid", "project")
            assert str(tmp_path) in refused["message"] and "shop" in refused["hint"]
        assert data(await client.call_tool("list_missions", {}))["missions"] == []
        assert data(await client.call_tool("create_mission", {"title": "x", "project": "shop"}))["id"] == "M-1"


async def test_a_project_that_is_made_later_is_seen(board: Board, checkout: Path) -> None:
    async with board.client(personal(str(checkout))) as client:
        assert error(await client.call_tool("create_mission", {"title": "x"}))["field"] == "project"
        project = await linked(board, checkout)
        made = data(await client.call_tool("create_mission", {"title": "x"}))
        assert (await board.mission(made["id"])).project_id == project
        await linked(board, checkout, "Other")
        refused = error(await client.call_tool("create_mission", {"title": "x"}))
        assert "other" in refused["hint"] and "web" in refused["hint"]


async def test_in_the_worktree_of_a_mission_this_one_is_meant(board: Board, tmp_path: Path) -> None:
    mission = await board.add("Retry payments", description="Thrice.")
    worktree = tmp_path / "trees" / "shop-1"
    (worktree / "src").mkdir(parents=True)

    def keep(ws: Workspace) -> None:
        repository = mission.project_repository_id or ""
        slot = Worktree(ws.new_id(), repository, str(worktree), "m", ws.now(), ws.now(), mission_id=mission.id)
        ws.write_as(SYSTEM, operations.workstation.put_worktree, slot)

    await board.do(keep)
    async with board.client(personal(str(worktree / "src"))) as client:
        assert data(await client.call_tool("get_mission", {}))["id"] == "M-1"
        assert data(await client.call_tool("add_note", {"text": "Looked."}))["id"] == "M-1"
        (here,) = [one for one in data(await client.call_tool("get_context", {}))["projects"] if "default" in one]
        assert (here["project"], here["hereMission"]["id"]) == ("shop", "M-1")
    assert await written(board, worktree) == board.project


async def test_the_roots_of_a_client_count_more_than_where_it_was_started(
    board: Board, checkout: Path, tmp_path: Path
) -> None:
    project = await linked(board, checkout)
    asked: list[int] = []

    async def roots(context: ClientRequestContext) -> ListRootsResult:
        asked.append(1)
        return ListRootsResult(roots=[Root(uri=checkout.as_uri())])  # type: ignore[arg-type]

    server: Any = build_server(on(board.thread), version="1", changes=board.changes, caller=personal(str(tmp_path)))
    async with Client(server, mode="legacy", list_roots_callback=roots) as client:
        for _ in range(2):
            made = data(await client.call_tool("create_mission", {"title": "x"}))
            assert (await board.mission(made["id"])).project_id == project
        assert len(asked) == 1
        await client.send_roots_list_changed()
        data(await client.call_tool("list_missions", {}))
        assert len(asked) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git@github.com:acme/web.git", "https://github.com/acme/web"),
        ("ssh://git@GitHub.com:22/acme/web.git", "git@github.com:acme/web"),
        ("https://ann:secret@example.com/acme/web/", "https://example.com/acme/web.git"),
    ],
)
def test_addresses_of_one_repository_are_alike(one: str, other: str) -> None:
    assert compared(one) == compared(other)
    assert compared(one) != compared("https://example.com/acme/other")
