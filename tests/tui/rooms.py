"""Every screen beside the board, each in the states in which its keys do something: opened as a person opens it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from solo_unicorn.missions import ids
from solo_unicorn.missions.entities import SYSTEM, Author, Json, PullRequest, service_of
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica import conflicts
from solo_unicorn.sync.replica.capabilities import FULL
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.kinds.table import kind_of
from solo_unicorn.tui.hub.conflicts import ConflictsScreen
from solo_unicorn.tui.hub.gallery import GalleryScreen
from solo_unicorn.tui.hub.sign_in import SignInScreen
from solo_unicorn.tui.inbox.screen import InboxScreen
from solo_unicorn.tui.kit.fields import FieldList
from solo_unicorn.tui.kit.lines import Lines
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.kit.sheets.line import LineScreen
from solo_unicorn.tui.kit.sheets.write import WriteScreen
from solo_unicorn.tui.mission.changes.pane import ChangesPane
from solo_unicorn.tui.project.live import TABS
from solo_unicorn.tui.project.metrics import MetricsScreen
from solo_unicorn.tui.project.projects import ProjectsScreen
from solo_unicorn.tui.project.screen import ProjectScreen
from solo_unicorn.tui.welcome.screen import STEPS, WelcomeScreen
from solo_unicorn.tui.workstation import data as workstation_data
from solo_unicorn.tui.workstation import machine as workstation_machine
from solo_unicorn.tui.workstation.screen import WorkstationScreen
from solo_unicorn.workspace import operations, queries

from .conftest import Commanded, Story, ready, text, until
from .mission.test_screen import DIFF, enter, says, write_transcript

Open = Callable[[Pilot[Any], Story], Awaitable[object]]


ANSWERS: dict[tuple[str, ...], Json] = {
    ("mission", "diff"): DIFF,
    ("member", "list"): [
        {"userId": "U1", "email": "ann@example.org", "name": "Ann", "role": "owner"},
        {"userId": "U2", "email": "ben@example.org", "name": "Ben", "role": "collaborator"},
        {"id": "R1", "userId": "U3", "email": "cleo@example.org", "role": "maintainer", "message": "I can help"},
    ],
    ("projects", "browse"): [
        {
            "id": "P1",
            "publicSlug": "lighthouse",
            "name": "Lighthouse",
            "starCount": 12,
            "category": "infrastructure",
            "description": "Keeps ships off the rocks",
        },
        {"id": "P2", "publicSlug": "harbour", "name": "Harbour", "starCount": 1},
    ],
    ("project", "connect"): [
        {"id": "P3", "name": "Cellar", "visibility": "private", "description": "Oil for the lamp"}
    ],
    ("projects", "templates"): [{"id": "T1", "name": "Tower", "description": "A lamp, stairs and a keeper"}],
}
"""What the command line says, as a child process."""


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, story: Story) -> None:
    """No child process, no service, the same machine everywhere; what a room makes has the same id each time."""

    async def sizes(commands: object, directories: list[str]) -> dict[str, int]:
        return {}

    made = count()
    monkeypatch.setattr(ids, "time_ns", lambda: 2_000_000_000_000_000_000)
    monkeypatch.setattr(ids, "urandom", lambda size: next(made).to_bytes(size, "big"))
    story.commands = Commanded(lambda *arguments: ANSWERS.get(arguments[:2], {}))
    monkeypatch.setattr(workstation_machine, "sizes", sizes)
    monkeypatch.setattr(workstation_machine, "free_space", lambda: "72 GB free")
    monkeypatch.setattr("solo_unicorn.workspace.operations.workstation._chosen_name", lambda: "laptop-7")
    monkeypatch.setattr(
        workstation_data, "service_status", lambda: {"state": "running", "pid": 7, "version": "1.0", "load": [1.2]}
    )


def mission(title: str, tab: str, *, words: str = "") -> Open:
    """The mission room at a tab."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        await enter(pilot, story, title, tab)
        await until(pilot, lambda: words in text(pilot))

    return go


async def session(pilot: Pilot[Any], story: Story) -> None:
    """A transcript with something in it."""
    write_transcript(story, [says("I'll put the back-off into one place"), says("The tests pass")])
    await mission("Checkout", "session", words="The tests pass")(pilot, story)


async def changes(pilot: Pilot[Any], story: Story) -> None:
    """The diff, with the cursor on a line and a comment below it."""
    card = story.card("Checkout")
    story.workspace.write(operations.comments.add, card.id, "src/pay/retry.ts", 12, "new", "Three times at most")
    await mission("Checkout", "changes", words="you: Three times at most")(pilot, story)
    pane = pilot.app.screen.query_one(ChangesPane)
    pane.lines.cursor = next(at for at, row in enumerate(pane.lines.rows) if getattr(row.key, "new", None) == 12)


async def comment(pilot: Pilot[Any], story: Story) -> None:
    """The diff, with the cursor on a comment."""
    await changes(pilot, story)
    pane = pilot.app.screen.query_one(ChangesPane)
    pane.lines.cursor = (pane.lines.cursor or 0) + 1


async def tour(pilot: Pilot[Any], story: Story) -> None:
    """The diff as the agent's tour, with a comment that it handled, unfolded, and a range begun."""
    card = story.card("Search: typo")
    write = story.workspace.write
    made = write(operations.comments.add, card.id, "src/pay/retry.ts", 12, "new", "Three times at most")
    story.workspace.write_as(Author("agent", "claude"), operations.comments.answer, card.id, made.id, "Three it is")
    stops = [operations.comments.TourStop("src/pay/retry.ts", 12, "Every call goes through here now")]
    story.workspace.write_as(Author("agent", "claude"), operations.comments.propose_tour, card.id, stops)
    await mission("Search: typo", "changes", words="Three it is")(pilot, story)
    pane = pilot.app.screen.query_one(ChangesPane)
    pane.lines.cursor = next(at for at, row in enumerate(pane.lines.rows) if getattr(row.key, "id", "") == made.id)
    pane.lines.action_choose()
    pane.action_tour()
    await until(pilot, lambda: "as it was" in text(pilot) and "left out of the tour" in text(pilot))
    pane.lines.cursor = next(at for at, row in enumerate(pane.lines.rows) if getattr(row.key, "new", None) == 12)
    pane.action_range()
    await pilot.pause()


async def files(pilot: Pilot[Any], story: Story) -> None:
    """A file of a mission."""
    brief = Path(story.path).parent / "brief.md"
    brief.write_text("Brief")
    operations.attachments.attach(story.workspace, story.card("Checkout").id, brief)
    await mission("Checkout", "files", words="brief.md")(pilot, story)


async def landing(pilot: Pilot[Any], story: Story) -> None:
    """A mission whose landing failed, with a pull request."""
    workspace, ref = story.workspace, story.card("Search: typo").id
    workspace.write(operations.review.approve, ref)
    workspace.write_as(Author("agent", "claude"), operations.review.complete_stage, ref, "Done")
    workspace.write(operations.review.approve, ref)
    workspace.write_as(SYSTEM, operations.landing.started, ref)
    workspace.write_as(
        SYSTEM, operations.pull_requests.opened, ref, 7, "https://example.invalid/7", "b", PullRequest(checks="passed")
    )
    workspace.write_as(SYSTEM, operations.landing.failed, ref, "the remote refused")
    await mission("Search: typo", "overview", words="#7")(pilot, story)


async def landed(pilot: Pilot[Any], story: Story) -> None:
    """A mission that is done, with the commit that it landed as."""
    workspace, ref = story.workspace, story.card("Search: typo").id
    workspace.write(operations.review.approve, ref)
    workspace.write_as(Author("agent", "claude"), operations.review.complete_stage, ref, "Done")
    workspace.write(operations.review.approve, ref)
    workspace.write_as(SYSTEM, operations.landing.started, ref)
    workspace.write_as(SYSTEM, operations.landing.landed, ref, "5eed" * 10)
    await mission("Search: typo", "overview", words="undo landing")(pilot, story)


def inbox(kind: str) -> Open:
    """The inbox with the cursor on one kind."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        running = next(
            one for one in story.workspace.read(queries.sessions.find, active=True) if one.agent_name == "claude"
        )
        story.workspace.write(
            operations.inbox.ask, running.id, "Bash", {"command": "npm test", "description": "Run the tests"}
        )
        if kind == "rule":
            story.workspace.write(operations.review.reject, story.card("Search: typo").id, "Two letters at most.")
        if kind == "attention":
            story.workspace.write_as(
                service_of(running.id), operations.sessions.end, running.id, "unknown", "the machine was switched off"
            )
        await ready(pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen) and len(pilot.app.screen.waiting) >= 3)
        screen = pilot.app.screen
        assert isinstance(screen, InboxScreen)
        screen.lines.cursor = next(at for at, one in enumerate(screen.waiting) if one.kind == kind)
        await pilot.pause()

    return go


async def workstation(pilot: Pilot[Any], story: Story) -> None:
    """The console."""
    await ready(pilot)
    await pilot.press("w")
    await until(pilot, lambda: isinstance(pilot.app.screen, WorkstationScreen))
    await until(pilot, lambda: len(pilot.app.screen.query_one("#sessions", Lines).rows) == 2)
    await until(pilot, lambda: "service running" in text(pilot))


async def metrics(pilot: Pilot[Any], story: Story) -> None:
    """The plots."""
    await ready(pilot)
    await pilot.press("M")
    await until(pilot, lambda: isinstance(pilot.app.screen, MetricsScreen))
    await until(pilot, lambda: "3 missions done" in text(pilot))


async def projects(pilot: Pilot[Any], story: Story) -> None:
    """The list of projects."""
    await ready(pilot)
    await pilot.press("p")
    await until(pilot, lambda: isinstance(pilot.app.screen, ProjectsScreen) and pilot.app.screen.lines.rows)


def project(tab: str, *, details: bool = False) -> Open:
    """The project screen at a tab, with something in each."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        workspace = story.workspace
        workspace.write(
            operations.projects.create_actor, story.project, "Tester", methodology="Tries to break it", focus="Edges"
        )
        workspace.write(
            operations.memory.replace, story.project, "decisions", "# Decisions\n\nOne back-off for all callers.\n", 0
        )
        running = workspace.read(queries.sessions.find, active=True)[0]
        item = workspace.write(operations.inbox.ask, running.id, "Bash", {"command": "npm test"})
        workspace.write(operations.inbox.answer, item.id, "allow", always=True)
        await ready(pilot)
        await pilot.press("comma")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProjectScreen) and pilot.app.screen.query(FieldList))
        await pilot.press(str([*TABS].index(tab) + 1))  # type: ignore[arg-type]
        await until(pilot, lambda: pilot.app.screen.query(f"#{tab}") and pilot.app.focused is not None)
        if details:
            await pilot.press("enter")
            await until(pilot, lambda: pilot.app.focused is not None and "details" in (pilot.app.focused.id or ""))

    return go


def differ(story: Story) -> None:
    """Publish the project of the story; a title was changed here and there, and an edit was refused."""
    workspace = story.workspace
    account = Account("ann@hub", "hub", "https://hub.invalid", "ann", "", "token", True, {})
    replica.connecting.put_account(workspace, account)
    workspace.write(replica.connecting.publish, story.project, account)
    replica.sync_steps.hear(workspace, account.id, answered=True, due_in=1_000_000_000)
    checkout, dark = story.card("Checkout").id, story.card("Dark mode").id
    refused = next(entry for entry in workspace.read(replica.sync_steps.due, account.id) if entry.entity_id == dark)
    workspace.write_as(SYSTEM, replica.sending.freeze, refused.seq, FULL, 0.0)
    with workspace._change(SYSTEM) as change:
        conflicts.add(change, story.project, checkout, "M", "field", "title", "Checkout", "Pay page", "Till")
        kind_of(change, refused).park("invalid", "Dark mode is not for this project")


def undecided(kind: str) -> Open:
    """What differs between here and a hub, with the cursor on a conflict or on an edit that was refused."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        differ(story)
        await ready(pilot)
        await pilot.press("U")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, ConflictsScreen) and len(pilot.app.screen.undecided) > 1
        )
        screen = pilot.app.screen
        assert isinstance(screen, ConflictsScreen)
        screen.lines.cursor = next(at for at, one in enumerate(screen.undecided) if getattr(one, kind))
        await pilot.pause()

    return go


def members(row: int) -> Open:
    """The people of a connected project, with the cursor on one."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        differ(story)
        await project("members")(pilot, story)
        lines = pilot.app.screen.query_one("#people", Lines)
        await until(pilot, lambda: len(lines.rows) == 3)
        lines.cursor = row
        await pilot.pause()

    return go


def gallery(*keys: str) -> Open:
    """What the hub shows to everybody."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        await sheet(GalleryScreen)(pilot, story)
        screen = pilot.app.screen
        assert isinstance(screen, GalleryScreen)
        await until(pilot, lambda: len(screen.found) == 2)
        await pilot.press(*keys)
        await until(pilot, lambda: len(screen.found) == (1 if keys else 2))

    return go


def sheet(make: Callable[[], Any]) -> Open:
    """A sheet over the board."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        await ready(pilot)
        made = make()
        pilot.app.push_screen(made)
        await until(pilot, lambda: pilot.app.screen is made)

    return go


async def signing_in(pilot: Pilot[Any], story: Story) -> None:
    """The browser was asked to show the hub's page."""
    await sheet(SignInScreen)(pilot, story)
    screen = pilot.app.screen
    assert isinstance(screen, SignInScreen)
    await until(pilot, lambda: screen.query_one(Input).has_focus)
    screen.query_one(Input).value = "https://hub.example.org"
    screen._open = lambda page: None  # type: ignore[method-assign, assignment, misc]
    screen._go_to("https://hub.example.org/oauth/authorize?response_type=code&client_id=solo-unicorn-cli&state=x7")


def welcome(step: str) -> Open:
    """The first start at one of its screens."""

    async def go(pilot: Pilot[Any], story: Story) -> None:
        await sheet(lambda: WelcomeScreen(None))(pilot, story)
        screen = pilot.app.screen
        assert isinstance(screen, WelcomeScreen)
        await until(pilot, lambda: screen.looked.is_set())
        await until(pilot, lambda: screen.query_one("#agents", Lines).rows[0].parts[0][0] != " looking …")
        screen.step = STEPS.index(step)
        if step == "hub":
            screen.project = story.workspace.read(queries.projects.get, story.project)
        screen._show()

    return go


ROOMS: dict[str, Open] = {
    "overview": mission("Checkout", "overview", words="Payments"),
    "flow": mission("Checkout", "flow", words="is here"),
    "plan": mission("Checkout", "plan", words="Idempotency"),
    "session": session,
    "changes": changes,
    "changes-comment": comment,
    "changes-tour": tour,
    "review": mission("Search: typo", "review", words="approves"),
    "dependencies": mission("Dark mode", "dependencies", words="Waits for"),
    "history": mission("Checkout", "history", words="created"),
    "files": files,
    "question": mission("Consent", "overview", words="r answers"),
    "landing": landing,
    "landed": landed,
    "inbox-permission": inbox("permission"),
    "inbox-review": inbox("review"),
    "inbox-question": inbox("question"),
    "inbox-attention": inbox("attention"),
    "inbox-rule": inbox("rule"),
    "workstation": workstation,
    "metrics": metrics,
    "projects": projects,
    "conflicts": undecided("conflict"),
    "conflicts-refused": undecided("parked"),
    **{f"project-{tab}": project(tab) for tab in TABS},
    "project-stages": project("flows", details=True),
    "project-repository": project("repositories", details=True),
    "members": members(1),
    "members-request": members(2),
    "gallery": gallery(),
    "gallery-mine": gallery("m"),
    "gallery-templates": gallery("t"),
    "write": sheet(lambda: WriteScreen("Reject the plan", draft="reject", why="Say what to change.", text="Use two")),
    "sign-in": signing_in,
    "line": sheet(lambda: LineScreen("Name of the flow", text="Careful", about="as it is called in forms")),
    "confirm": sheet(lambda: ConfirmScreen("Stop claude at code?", "Stop it")),
    **{f"welcome-{step}": welcome(step) for step in STEPS},
}
"""By name."""
