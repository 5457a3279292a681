"""What a starting mission does not wait for: its base looked up on the remote, told in its history."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client

from ..conftest import Shop, until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("start_from", ["local", "remote"])
def test_a_remote_that_went_on_is_told_while_the_agent_works(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_from: str
) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKTREES_START_FROM", start_from)
    there = tmp_path / "origin.git"
    shop.git("clone", "-q", "--bare", ".", str(there))
    shop.git("remote", "add", "origin", str(there))
    shop.git("fetch", "-q", "origin")
    branch = shop.git("symbolic-ref", "--short", "HEAD").strip()
    theirs = shop.git("commit-tree", "-p", "HEAD", "-m", "Theirs", "HEAD^{tree}").strip()
    shop.git("push", "-q", "origin", f"{theirs}:refs/heads/{branch}")
    shop.git("update-ref", f"refs/remotes/origin/{branch}", "HEAD")
    ours = shop.git("rev-parse", "HEAD").strip()
    with Workspace.open() as workspace:
        workspace.write(operations.parts.edit, ProjectRepository, shop.recorded.id, {"remote_url": str(there)})
    mission = shop.mission("Retry payments", flow="Quick fix")
    client.ensure_running()
    shop.review(mission, "code")
    until(
        lambda: any(
            f"{branch} is 1 behind origin/{branch}" in one.note
            for one in shop.workspace.read(queries.missions.history, mission.id)
        ),
        "the difference is told",
    )
    assert shop.git("rev-parse", "HEAD").strip() == ours, "the person's branch is theirs to move"
    assert shop.sessions(mission)[0].base_commit == ours, "what was known when it started"
    second = shop.mission("Another", flow="Quick fix")
    shop.review(second, "code")
    assert shop.sessions(second)[0].base_commit == (ours if start_from == "local" else theirs)


def test_a_mission_begins_from_the_base_it_names_and_lands_where_it_should(shop: Shop) -> None:
    branch = shop.git("symbolic-ref", "--short", "HEAD").strip()
    other = shop.git("commit-tree", "-p", "HEAD", "-m", "Work of another", "HEAD^{tree}").strip()
    shop.git("branch", "next", other)
    mission = shop.mission("On top of it", start_from="next")
    lost = shop.mission("Nowhere", start_from="no/such/branch")
    client.ensure_running()
    shop.until(mission, lambda one: one.list == "done", "landed")
    assert shop.sessions(mission)[0].base_commit == other
    assert shop.git("merge-base", branch, "next").strip() == other, "what it stands on landed with it"
    told = shop.until(lost, lambda one: one.attention, "nobody knows its base")
    assert "no/such/branch" in str(told.attention)
