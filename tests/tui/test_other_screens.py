"""Workstation, inbox, projects, first start, palette, help."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from solo_unicorn.config import paths
from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.missions.entities import CodeAgent, Json, Worktree
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.sync.workspace import Workspace
from solo_unicorn.tui import hub_data, welcome_data, workstation_data, workstation_machine
from solo_unicorn.tui.app import SoloUnicornApp
from solo_unicorn.tui.data import opening
from solo_unicorn.tui.keyline import KeyLine
from solo_unicorn.tui.palette_screen import Palette
from solo_unicorn.tui.screens import gallery
from solo_unicorn.tui.screens import workstation as workstation_screen
from solo_unicorn.tui.screens.board import BoardScreen
from solo_unicorn.tui.screens.confirm import ConfirmScreen
from solo_unicorn.tui.screens.inbox import InboxScreen
from solo_unicorn.tui.screens.line import LineScreen
from solo_unicorn.tui.screens.mission import MissionScreen
from solo_unicorn.tui.screens.projects import ProjectsScreen
from solo_unicorn.tui.screens.sign_in import SignInScreen
from solo_unicorn.tui.screens.welcome import WelcomeScreen
from solo_unicorn.tui.screens.workstation import WorkstationScreen
from solo_unicorn.tui.screens.write import WriteScreen

from .conftest import Story, ready, screen_text, shown, understood, until


def text(pilot: Pilot[Any]) -> str:
    """The screen."""
    assert isinstance(pilot.app, SoloUnicornApp)
    return screen_text(pilot.app)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The child commands that were asked for; none is run."""
    asked: list[tuple[str, ...]] = []

    async def ask(*arguments: str, seconds: float = 60.0, heard: object = None) -> Json:
        understood(*arguments)
        asked.append(arguments)
        return {}

    monkeypatch.setattr(workstation_screen, "ask", ask)
    monkeypatch.setattr(welcome_data, "ask", ask)
    monkeypatch.setattr(hub_data, "ask", ask)
    monkeypatch.setattr(workstation_data, "service_status", lambda: {"state": "running", "pid": 7, "version": "1.0"})
    return asked


# -- workstation -----------------------------------------------------------------------------------------------------


async def open_workstation(pilot: Pilot[Any]) -> WorkstationScreen:
    """The panel, filled."""
    await ready(pilot)
    await pilot.press("w")
    await until(pilot, lambda: isinstance(pilot.app.screen, WorkstationScreen) and "service running" in text(pilot))
    screen = pilot.app.screen
    assert isinstance(screen, WorkstationScreen)
    return screen


async def test_agents_sessions_worktrees_and_why_not(story: Story, commands: object) -> None:
    mission = story.card("Checkout")
    repository = story.workspace.repositories(story.project)[0]
    story.workspace.put_worktree(Worktree("W1", repository.id, "/w/web-retry", "b", story.now, story.now, mission.id))
    story.workspace.put_worktree(Worktree("W2", repository.id, "/w/web-2", "c", story.now, story.now))
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await until(pilot, lambda: "web-retry" in text(pilot))
        screen = text(pilot)
        for words in (
            "● Claude Code 2.1.4",
            "2/2",
            "limit until 23:14,",
            "9:12:00 left",
            "every project is on this machine only",
            "service running",
            "○ OpenCode",
            "not installed",
            "04:12  38k  $0.41",
            "Worktrees  2, 1 vacant",
            "vacant, used now",
            "blocked by",
        ):
            assert words in screen


async def test_pause_scan_clean_and_service_by_key(story: Story, commands: list[tuple[str, ...]]) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await pilot.press("p")
        await until(pilot, story.workspace.workstation_paused)
        await until(pilot, lambda: "paused" in text(pilot).splitlines()[0])
        await pilot.press("d")
        await until(pilot, lambda: [one.kind for one in story.workspace.requests()] == ["drain"])
        await until(pilot, lambda: len(pilot.app.screen.query_one("#sessions").rows) == 2)  # type: ignore[attr-defined]
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: [one.kind for one in story.workspace.requests()] == ["drain", "stop_session"])
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkstationScreen))
        for key, command in (("s", ("agent", "scan")), ("c", ("worktree", "clean")), ("S", ("workstation", "stop"))):
            await pilot.press(key)
            await until(pilot, lambda command=command: commands[-1:] == [command])
            await until(pilot, lambda: not pilot.app.screen._busy)  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_the_log_sizes_and_rates_of_the_machine(story: Story, commands: object, tmp_path: Path) -> None:
    mission = story.card("Checkout")
    repository = story.workspace.repositories(story.project)[0]
    (tmp_path / "web-retry").mkdir()
    (tmp_path / "web-retry" / "large").write_bytes(b"x" * 3_000_000)
    slot = Worktree("W1", repository.id, str(tmp_path / "web-retry"), "b", story.now, story.now, mission.id)
    story.workspace.put_worktree(slot)
    record = {"at": story.now.isoformat(), "level": "warning", "process": "service", "message": "not done", "why": "no"}
    (paths.logs_dir() / "solo-unicorn.log").write_text("{half a rec\n" + json.dumps(record) + "\n")
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await until(pilot, lambda: "3.0 MB" in text(pilot) or "2.9 MB" in text(pilot))
        await until(pilot, lambda: "14:02 service ▲ not done  why=no" in text(pilot))
        assert "kept for code" in text(pilot)


def test_rates_are_bytes_a_second(home: Path) -> None:
    rates = workstation_machine.Rates()
    transcript = paths.run_dir("S") / "transcript.jsonl"
    transcript.write_bytes(b"x" * 100)
    rates.look(["S", "gone"], 10.0)
    assert rates.rates == {}
    transcript.write_bytes(b"x" * 700)
    rates.look(["S", "gone"], 12.0)
    assert rates.rates == {"S": 300.0}


async def test_a_session_leads_to_its_mission(story: Story, commands: object) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await until(pilot, lambda: len(pilot.app.screen.query_one("#sessions").rows) == 2)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen))


# -- inbox -----------------------------------------------------------------------------------------------------------


async def open_inbox(pilot: Pilot[Any], waiting: int) -> InboxScreen:
    """The inbox, filled."""
    await ready(pilot)
    await pilot.press("i")
    await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen) and len(pilot.app.screen.waiting) == waiting)
    screen = pilot.app.screen
    assert isinstance(screen, InboxScreen)
    return screen


async def test_what_waits_is_answered_where_it_stands(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 2)
        assert "Is one edit per four letters" in text(pilot)
        await pilot.press("a")
        await until(pilot, lambda: story.card("Search: typo").review_status != "pending")
        await until(pilot, lambda: len(screen.waiting) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        await pilot.press(*"Each year", "ctrl+s")
        await until(pilot, lambda: len(story.workspace.waiting()) == 0)
        await until(pilot, lambda: "Nothing waits for you." in text(pilot))


async def test_a_review_is_rejected_and_a_failure_tried_again(story: Story) -> None:
    failing = story.card("Design tokens")
    story.workspace.set_ready(failing.id, True)
    here = story.workspace.workstation().id
    agent = next(one for one in story.workspace.agents() if one.name == "gemini")
    story.workspace.update_project(story.project, {"wip_limits": {}})
    story.workspace.claim(failing.id, session_id="SX", agent=agent, workstation_id=here)
    story.workspace.session_started("SX", host_pid=1, worktree_path=None, branch=None, base_commit=None)
    story.workspace.end_session("SX", "unknown", "the machine was switched off")
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 3)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, WriteScreen))
        await pilot.press(*"Two", "ctrl+s")
        await until(pilot, lambda: story.card("Search: typo").list == "doing")
        await until(pilot, lambda: len(screen.waiting) == 2)
        place = next(at for at, one in enumerate(screen.waiting) if one.kind in ("attention", "conflict"))
        screen.lines.cursor = place
        await pilot.press("space")
        await until(pilot, lambda: story.card("Design tokens").ready)


async def test_enter_goes_into_what_waits(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 2)
        await pilot.click(screen.lines, offset=(20, 1))
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen) and pilot.app.screen.tab == "review")
        await pilot.press("escape", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen) and len(pilot.app.screen.waiting) == 2)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen) and pilot.app.screen.tab == "review")


async def test_permissions_are_given_once_for_good_or_not(story: Story) -> None:
    session = next(one for one in story.workspace.sessions(active=True) if one.agent_name == "claude")

    def ask(command: str) -> int:
        return story.workspace.ask_permission(session.id, "Bash", {"command": command, "description": "why"}).id

    def decided(item: int) -> str | None:
        return story.workspace.permission(item).decision

    first, second, third = ask("npm test"), ask("npm ci"), ask("rm -rf /")
    async with story.app().run_test(size=(160, 45)) as pilot:
        screen = await open_inbox(pilot, 5)
        assert "5 wait for you" in screen_text(pilot.app) or story.workspace.waiting_count() == 5  # type: ignore[arg-type]
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.item and one.item.id == first)
        await until(pilot, lambda: "Bash  npm test" in text(pilot) and "allow once" in text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: decided(first) == "allow" and len(screen.waiting) == 4)
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.item and one.item.id == second)
        await pilot.press("Y")
        await until(pilot, lambda: decided(second) == "allow" and len(screen.waiting) == 3)
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.item and one.item.id == third)
        await pilot.press("n")
        await until(pilot, lambda: decided(third) == "deny" and len(screen.waiting) == 2)
    assert decided(ask("npm ci")) == "allow" and decided(ask("npm ci --force")) is None
    (rule,) = story.workspace.permission_rules(story.project)
    assert (rule.tool, rule.subject) == ("Bash", "npm ci")
    story.workspace.forget_permission_rule(rule.id)
    assert decided(ask("npm ci")) is None


# -- projects --------------------------------------------------------------------------------------------------------


async def test_another_project_is_opened_and_opened_again_next_time(story: Story) -> None:
    other = story.workspace.create_project("Other")
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen) and len(pilot.app.screen.lines.rows) == 2
        )
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "Other" in text(pilot).splitlines()[0])
        await until(pilot, lambda: story.workspace.meta("board.project") == other.id)


async def test_a_project_is_made(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen) and len(pilot.app.screen.lines.rows) == 1
        )
        await pilot.press("n", *"Side", "enter")
        await until(pilot, lambda: any(project.name == "Side" for project in story.workspace.projects()))
        await until(pilot, lambda: "Side" in text(pilot).splitlines()[0])


# -- first start -----------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    """A git repository with a commit."""
    path = tmp_path / "shop"
    path.mkdir()
    for command in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "begin"]):
        subprocess.run(["git", "-C", str(path), *command], check=True, capture_output=True)
    return path


def first_app(home: Path, directory: Path | None) -> SoloUnicornApp:
    """The application at its first start."""
    path = home / "workspace.db"
    return SoloUnicornApp(lambda: opening(path, None, directory), path=path, directory=directory, serve=False)


async def welcomed(pilot: Pilot[Any]) -> WelcomeScreen:
    """The first sheet."""
    await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen) and pilot.app.screen._looked)
    screen = pilot.app.screen
    assert isinstance(screen, WelcomeScreen)
    return screen


async def test_the_repository_of_the_directory_is_offered(
    home: Path, repository: Path, commands: list[tuple[str, ...]]
) -> None:
    with Workspace.open(home / "workspace.db") as workspace:
        workspace.set_agents([CodeAgent("claude", "claude", "Claude Code", state="ready", agent_version="2.1")])
    (repository / "src").mkdir()
    async with first_app(home, repository / "src").run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        assert "1 of 4" in text(pilot) and "● shop  ⎇ main  no remote" in text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "2 of 4" in text(pilot) and "● Claude Code 2.1" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "3 of 4" in text(pilot) and "This repository, shop  (⏎)" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "4 of 4" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "shop" in text(pilot).splitlines()[0])
        added = next(command for command in commands if command[0] == "repo")
        assert added[:3] == ("repo", "add", str(repository))


async def test_without_a_repository_it_says_so(home: Path, tmp_path: Path, commands: object) -> None:
    async with first_app(home, tmp_path).run_test(size=(120, 40)) as pilot:
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
    async with first_app(home, tmp_path).run_test(size=(120, 40)) as pilot:
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
        await until(pilot, lambda: words in commands)  # type: ignore[operator]
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "Tutorial" in text(pilot))


async def test_the_tutorial_is_done_by_doing_it(home: Path, tmp_path: Path, commands: object) -> None:
    app = first_app(home, tmp_path)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await welcomed(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "4 of 4" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and app.connected)
        with Workspace.open(home / "workspace.db") as workspace:
            project = workspace.projects()[0].id

            def done() -> list[str]:
                return sorted(card.title[0] for card in workspace.cards(project, "done"))

            def mission(number: str) -> str:
                found = workspace.missions(project, limit=50).items
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
            workspace.create_mission(project, MissionDraft(title="Mine"))
            await until(pilot, lambda: done() == ["1", "2"])
            workspace.set_ready(mission("4"), True)
            workspace.reject(mission("6"), "Another plan")
            await until(pilot, lambda: done() == ["1", "2", "4", "6"])
            workspace.approve(mission("5"))
            workspace.move_mission(mission("Mine"), "loop")
            workspace.undo(project)
            await until(pilot, lambda: done() == ["1", "2", "3", "4", "5", "6", "7"])
            await until(pilot, lambda: any("8. Find" in one.message for one in app._notifications))
            workspace.edit_mission(mission("8"), {"description": "- [x] I know where to look"})
            await until(pilot, lambda: len(done()) == 8)


async def test_the_sample_and_the_key_that_removes_it(home: Path, tmp_path: Path, commands: object) -> None:
    async with first_app(home, tmp_path).run_test(size=(120, 40)) as pilot:
        await welcomed(pilot)
        await pilot.press("s")
        await until(pilot, lambda: "4 of 4" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen) and "X removes the sample" in text(pilot))
        assert "Design tokens" in text(pilot)
        await pilot.press("X")
        await welcomed(pilot)
        with Workspace.open(home / "workspace.db") as workspace:
            assert workspace.projects() == []


@pytest.mark.parametrize("key", ["n", "escape"])
async def test_an_empty_project_or_later(home: Path, tmp_path: Path, commands: object, key: str) -> None:
    async with first_app(home, tmp_path).run_test(size=(120, 40)) as pilot:
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


async def test_a_repository_that_is_refused_is_told(
    home: Path, repository: Path, commands: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*arguments: object) -> None:
        raise SoloUnicornError("shop is a shallow clone", todo="fetch the rest: git fetch --unshallow")

    monkeypatch.setattr(welcome_data, "add_repository", refused)
    async with first_app(home, repository).run_test(size=(120, 40), notifications=True) as pilot:
        await welcomed(pilot)
        for step in ("2 of 4", "3 of 4", "4 of 4"):
            await pilot.press("enter")
            await until(pilot, lambda step=step: step in text(pilot))
        await until(pilot, lambda: any("shallow" in one.title for one in pilot.app._notifications))


# -- palette and help ------------------------------------------------------------------------------------------------


async def test_the_palette_runs_what_a_key_does(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Write a new mission" in text(pilot))
        await pilot.press(*"to the top")
        await until(
            pilot, lambda: "Make the card the first" in text(pilot) and "Write a new mission" not in text(pilot)
        )
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        await pilot.press("j", "ctrl+p", *"to the top")
        await until(
            pilot, lambda: "Make the card the first" in text(pilot) and "Write a new mission" not in text(pilot)
        )
        await pilot.press("enter")
        await until(pilot, lambda: story.titles("todo")[0].startswith("Design tokens"))


async def test_a_letter_that_comes_after_the_palette_was_left_starts_no_search(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Write a new mission" in text(pilot))
        palette = pilot.app.screen
        assert isinstance(palette, Palette)
        palette.dismiss()
        assert palette._gather_commands("lo") is None
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_the_palette_finds_missions(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p", *"flaky login")
        await until(
            pilot,
            lambda: (
                "Fix flaky login test" in text(pilot).splitlines()[6] or "M-12  Fix flaky login test" in text(pilot)
            ),
        )
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen))


async def test_help_names_every_key_of_the_board_and_the_marks(story: Story) -> None:
    async with story.app().run_test(size=(160, 95)) as pilot:
        await ready(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Write a new mission" in text(pilot))
        for words in ("Take the mission off the board", "⇧←", "waits for you", "p>=4"):
            assert words in text(pilot)
        assert pilot.app.screen.query(KeyLine) is not None


async def test_two_boards_over_one_workspace(story: Story) -> None:
    async with story.app().run_test(size=(160, 45)) as one:
        first = await ready(one)
        await one.press("n")
        await until(one, lambda: one.app.focused is not None and one.app.focused.id == "title")
        await one.press(*"From the first", "ctrl+s")
        await until(one, lambda: "From the first" in shown(first)["todo"])


# -- a hub's gallery ---------------------------------------------------------------------------------------------------


async def test_a_public_project_is_found_starred_asked_for_and_mirrored(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    found = [{"id": "P1", "publicSlug": "lighthouse", "name": "Lighthouse", "starCount": 1}]

    async def ask(*arguments: str, seconds: float = 60.0) -> object:
        understood(*arguments)
        asked.append(arguments)
        if arguments[:2] == ("projects", "star"):
            raise SoloUnicornError("hub wants a sign-in", todo="`solo-unicorn auth login`")
        if arguments == ("project", "connect"):
            return [{"id": "P3", "name": "Cellar", "visibility": "private"}]
        return found if arguments[1] in ("browse", "search", "templates") else {"id": "P2"}

    monkeypatch.setattr(gallery, "ask", ask)
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen))
        await pilot.press("b")
        await until(pilot, lambda: "Lighthouse" in text(pilot))
        await pilot.press("slash", *"lamp", "enter")
        await until(pilot, lambda: ("projects", "search", "--", "lamp") in asked and pilot.app.screen.focused)
        await pilot.press("s")
        await until(pilot, lambda: [one.title for one in pilot.app._notifications] == ["hub wants a sign-in"])
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, LineScreen))
        await pilot.press("end", "space", *"please", "enter")
        wish = ("projects", "request-access", "lighthouse", "--role", "contributor", "--message=please")
        await until(pilot, lambda: wish in asked)
        await until(pilot, lambda: isinstance(pilot.app.screen, gallery.GalleryScreen))
        await pilot.press("m")
        await until(pilot, lambda: "Your projects" in text(pilot) and "private" in text(pilot))
        await pilot.press("m")
        await until(pilot, lambda: "Public projects with lamp" in text(pilot))
        await pilot.press("t")
        await until(pilot, lambda: "Templates" in text(pilot) and "Lighthouse" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LineScreen))
        await pilot.press("enter")
        await until(pilot, lambda: ("project", "connect", "P2") in asked)
        assert ("projects", "create-from-template", "P1", "--name=Lighthouse") in asked


async def test_what_the_hub_says_against_it_stands_in_the_gallery(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*arguments: str, seconds: float = 60.0) -> object:
        understood(*arguments)
        raise SoloUnicornError("Nobody is signed in", todo="`solo-unicorn auth login --hub URL`")

    monkeypatch.setattr(gallery, "ask", ask)
    async with story.app().run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        pilot.app.push_screen(gallery.GalleryScreen())
        await until(pilot, lambda: "Nobody is signed in" in text(pilot) and "auth login --hub URL" in text(pilot))
        await pilot.press("s", "r", "enter", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, SignInScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, gallery.GalleryScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
