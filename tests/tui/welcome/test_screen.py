"""The first start, the tutorial and the sample."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button

from solo_unicorn.missions.entities import SYSTEM, CodeAgent
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tui.app import SoloUnicornApp
from solo_unicorn.tui.board.data import opening
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.hub.sign_in import SignInScreen
from solo_unicorn.tui.welcome.screen import STEPS, WelcomeScreen
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.worktrees.repository.linking import link_awaited

from ..conftest import Commanded, text, until


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    """A git repository with a commit."""
    path = tmp_path / "shop"
    path.mkdir()
    for command in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "begin"]):
        subprocess.run(["git", "-C", str(path), *command], check=True, capture_output=True)
    return path


def first_app(home: Path, directory: Path | None, commands: Commanded | None = None) -> SoloUnicornApp:
    """The application at its first start."""
    path = home / "workspace.db"
    return SoloUnicornApp(
        lambda: opening(path, None, directory), path=path, directory=directory, serve=False, commands=commands
    )


async def welcomed(pilot: Pilot[Any]) -> WelcomeScreen:
    """The first sheet."""
    await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen) and pilot.app.screen.looked.is_set())
    screen = pilot.app.screen
    assert isinstance(screen, WelcomeScreen)
    return screen


async def test_the_repository_of_the_directory_is_offered(home: Path, repository: Path, commands: Commanded) -> None:
    with Workspace.open(home / "workspace.db") as workspace:
        workspace.write_as(
            SYSTEM,
            operations.workstation.set_agents,
            [CodeAgent("claude", "claude", "Claude Code", state="ready", agent_version="2.1")],
        )
    (repository / "src").mkdir()
    async with first_app(home, repository / "src", commands).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        assert "1 of 4" in text(pilot) and "● shop  ⎇ main  no remote" in text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "2 of 4" in text(pilot) and "● Claude Code 2.1" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "3 of 4" in text(pilot) and "This repository (⏎)" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "4 of 4" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "shop" in text(pilot).splitlines()[0])
        added = next(command for command in commands if command[0] == "repo")
        assert added[:3] == ("repo", "add", str(repository))


@pytest.mark.parametrize(("key", "step"), [("enter", "2 of 4"), ("w", "2 of 4"), ("s", "4 of 4")])
async def test_a_key_that_comes_while_the_repository_is_looked_for_counts(
    home: Path, repository: Path, commands: Commanded, key: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed, run = asyncio.Event(), commands.run

    async def slowly(program: str, *arguments: str, **more: Any) -> tuple[str, str, int]:
        await pressed.wait()
        return await run(program, *arguments, **more)

    monkeypatch.setattr(commands, "run", slowly)
    async with first_app(home, repository, commands).run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen) and "looking" in text(pilot))
        await pilot.press(key)
        pressed.set()
        screen = await welcomed(pilot)
        await until(pilot, lambda: step in text(pilot))
        assert screen.with_repository == (key != "w")


async def test_without_a_repository_it_says_so(home: Path, tmp_path: Path, commands: Commanded) -> None:
    async with first_app(home, tmp_path, commands).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        await until(pilot, lambda: "no git repository in" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "2 of 4" in text(pilot))
        await pilot.press("r", "left")
        await until(pilot, lambda: "1 of 4" in text(pilot))
        await pilot.click("#without")
        await until(pilot, lambda: "2 of 4" in text(pilot))
        await pilot.click("#next-agents")
        await until(pilot, lambda: "3 of 4" in text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
    async with first_app(home, tmp_path, commands).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        await until(pilot, lambda: "3 of 4" in text(pilot))  # it goes on where it was left
        await until(pilot, lambda: "your own project" in text(pilot))
        await pilot.pause()
        await pilot.click("#next-begin")
        await until(pilot, lambda: "4 of 4" in text(pilot))
        await pilot.press("h")
        await until(pilot, lambda: isinstance(pilot.app.screen, SignInScreen))
        await pilot.press(*"https://hub.example", "enter")
        words = ("auth", "login", "--hub=https://hub.example", "--no-browser")
        await until(pilot, lambda: words in commands)
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "Tutorial" in text(pilot))


async def test_the_tutorial_is_done_by_doing_it(home: Path, tmp_path: Path, commands: Commanded) -> None:
    app = first_app(home, tmp_path, commands)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await welcomed(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "4 of 4" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and app.connected)
        with Workspace.open(home / "workspace.db") as workspace:
            project = workspace.read(queries.projects.list_all)[0].id

            def done() -> list[str]:
                return sorted(card.title[0] for card in workspace.read(queries.board.cards, project, "done"))

            def mission(number: str) -> str:
                found = workspace.read(queries.missions.page, project, limit=50).items
                return next(one.id for one in found if one.title.startswith(number))

            board = pilot.app.screen
            assert isinstance(board, BoardScreen)
            board.open_mission(mission("1"), "overview")
            await until(pilot, lambda: pilot.app.focused is not None and pilot.app.focused.id == "description")
            await until(pilot, lambda: "Acceptance criteria  0/1" in text(pilot))
            await pilot.press("w", "enter")
            await until(pilot, lambda: "Acceptance criteria  1/1" in text(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: done() == ["1"])
            workspace.write(operations.missions.create, project, MissionDraft(title="Mine"))
            await until(pilot, lambda: done() == ["1", "2"])
            workspace.write(operations.missions.set_ready, mission("4"), True)
            workspace.write(operations.review.reject, mission("6"), "Another plan")
            await until(pilot, lambda: done() == ["1", "2", "4", "6"])
            workspace.write(operations.review.approve, mission("5"))
            workspace.write(operations.missions.move, mission("Mine"), "loop")
            workspace.write(operations.undo.undo, project)
            await until(pilot, lambda: done() == ["1", "2", "3", "4", "5", "6", "7"])
            await until(pilot, lambda: any("8. Find" in one.message for one in app._notifications))
            workspace.write(operations.missions.edit, mission("8"), {"description": "- [x] I know where to look"})
            await until(pilot, lambda: len(done()) == 8)


async def test_the_sample_and_the_key_that_removes_it(home: Path, tmp_path: Path, commands: Commanded) -> None:
    async with first_app(home, tmp_path, commands).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        await pilot.press("s")
        await until(pilot, lambda: "4 of 4" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "X removes the sample" in text(pilot))
        assert "Design tokens" in text(pilot)
        await pilot.press("X")
        await welcomed(pilot)
        with Workspace.open(home / "workspace.db") as workspace:
            assert workspace.read(queries.projects.list_all) == []


@pytest.mark.parametrize("key", ["n", "escape"])
async def test_an_empty_project_or_later(home: Path, tmp_path: Path, commands: Commanded, key: str) -> None:
    async with first_app(home, tmp_path, commands).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        await pilot.press(key)
        if key == "n":
            await until(pilot, lambda: "4 of 4" in text(pilot))
            await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        if key == "n":
            await until(pilot, lambda: "My project" in text(pilot).splitlines()[0])
        else:
            await pilot.press("n")
            await welcomed(pilot)


@pytest.fixture
def young(tmp_path: Path, home: Path) -> Path:
    """A repository without a commit."""
    path = tmp_path / "young"
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    return path


async def test_a_repository_without_a_commit_is_offered_its_first(home: Path, young: Path) -> None:
    """It was shown with a green mark, and left a project behind that nothing could run in."""
    async with first_app(home, young).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        assert "▲ young  has no commit yet" in text(pilot) and "Make the first commit (⏎)" in text(pilot)
        for step in ("2 of 4", "3 of 4", "4 of 4"):
            await pilot.press("enter")
            await until(pilot, lambda step=step: step in text(pilot))
        with Workspace.open(home / "workspace.db") as workspace:
            assert [one.name for one in workspace.read(queries.projects.repositories)] == ["young"]


async def test_a_repository_whose_first_commit_was_declined_is_linked_with_the_persons_own(
    home: Path, young: Path
) -> None:
    commit = ["git", "-C", str(young), "commit", "-q", "--allow-empty", "-m", "mine"]
    async with first_app(home, young).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        await pilot.press("w")
        await until(pilot, lambda: "2 of 4" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "3 of 4" in text(pilot))
        await pilot.press("n")
        await until(pilot, lambda: "4 of 4" in text(pilot))
    with Workspace.open(home / "workspace.db") as workspace:
        assert link_awaited(workspace) == []
        await asyncio.to_thread(subprocess.run, commit, check=True)
        assert [one.name for one in link_awaited(workspace)] == ["young"]
        assert (
            link_awaited(workspace) == [] and workspace.read(queries.projects.repositories)[0].default_branch == "main"
        )


async def test_a_repository_that_cannot_be_linked_leaves_no_project(home: Path, repository: Path) -> None:
    async with first_app(home, repository).run_test(size=(120, 40), notifications=True) as pilot:
        await welcomed(pilot)
        for step in ("2 of 4", "3 of 4"):
            await pilot.press("enter")
            await until(pilot, lambda step=step: step in text(pilot))
        shutil.rmtree(repository / ".git")  # gone between the look and the link
        await pilot.press("enter")
        await until(pilot, lambda: "not a git repository" in text(pilot))
        assert "3 of 4" in text(pilot)
        with Workspace.open(home / "workspace.db") as workspace:
            assert workspace.read(queries.projects.list_all) == []


@pytest.mark.parametrize("step", range(len(STEPS)))
async def test_every_button_fits_on_a_terminal_of_eighty_columns(home: Path, repository: Path, step: int) -> None:
    async with first_app(home, repository).run_test(size=(80, 24)) as pilot:
        screen = await welcomed(pilot)
        screen.step = step
        screen._show()
        await pilot.pause()
        buttons = [button for button in screen.query(Button) if button.region]
        assert buttons
        for button in buttons:
            assert isinstance(button.parent, Widget) and button.parent.region.contains_region(button.region), (
                button.label
            )
