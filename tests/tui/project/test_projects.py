"""A board that is opened in a repository of no project: it says so, and the next project may be for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import Json
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.project.projects import ProjectsScreen
from solo_unicorn.workspace import queries

from ..conftest import Commanded, Story, ready, text, until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository without a commit."""
    root = tmp_path / "second repo"
    (root / "inside").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def names(story: Story) -> list[str]:
    return [project.name for project in story.workspace.read(queries.projects.list_all)]


async def test_it_is_told_and_n_makes_a_project_with_it(story: Story, root: Path) -> None:
    before = names(story)

    def answer(*arguments: str) -> Json:
        assert names(story) == [*before, "second repo"]
        return {}

    story.commands = asked = Commanded(answer)
    async with story.app(directory=root / "inside").run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        await until(pilot, lambda: any("second repo" in one.message for one in pilot.app._notifications))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen))
        await pilot.press("n")
        await until(pilot, lambda: pilot.app.screen.query_one("#name").has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        assert "an empty first one will be made" in text(pilot)
        await pilot.press("y")
        await until(pilot, lambda: asked and not isinstance(pilot.app.screen, ProjectsScreen))
    made = story.workspace.read(queries.projects.get, "second repo")
    assert asked == [("repo", "add", str(root), "--project", made.id, "--first-commit")]
