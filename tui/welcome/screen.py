"""The first start, four screens: this repository, the agents found, what to begin with, and a hub for who wants one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Static

from ...config.paths import for_people
from ...missions.entities import CodeAgent, Project
from ...missions.errors import SoloUnicornError
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import Sheet
from ..kit.lines import Lines, Row, row
from ..project import creating
from ..project.creating import RepositoryFound
from ..workstation.data import agent_rows, read
from . import data as welcome_data

STEPS: Final = ("repository", "agents", "begin", "hub")
TITLES: Final = ("This repository?", "Agents found", "Start with", "A hub, to work with others?")


class WelcomeScreen(Sheet[str | None]):
    """Gives the id of the project to open, None when the person wants to look around first; it goes on next time."""

    CSS_PATH = "welcome.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "First start"
    BINDINGS = [  # noqa: RUF012
        binding("welcome.next", "enter", "next", "next", "Continue with what is shown", label="⏎"),
        binding("welcome.without", "w", "without", "without it", "Continue without this repository"),
        binding("welcome.again", "r", "again", "look again", "Look for agents again"),
        binding("welcome.hub", "h", "hub", "sign in", "Sign in at a hub, in the browser"),
        binding("welcome.tutorial", "t", "tutorial", "tutorial", "Learn by doing, in eight steps; X removes it"),
        binding("welcome.sample", "s", "sample", "sample", "A short sample project to look around in; X removes it"),
        binding("welcome.empty", "n", "empty", "empty project", "An empty project without a repository"),
        binding("welcome.back", "left,b", "back", "back", "The previous screen", label="←"),
        binding("welcome.later", "escape", "later", "later", "Go to the empty board; n opens this again"),
    ]
    AUTO_FOCUS = ""
    app = getters.app(Application)

    def __init__(self, directory: Path | None) -> None:
        super().__init__(classes="sheet")
        self.directory = directory
        self.found: RepositoryFound | None = None
        self.step = 0
        self.with_repository = True
        self.project: Project | None = None
        self.looked = asyncio.Event()
        self._making = False

    def compose(self) -> ComposeResult:
        """One of four parts at a time."""
        marks = self.app.marks
        with Vertical(classes="box") as box, VerticalScroll(can_focus=False):
            box.border_title = "Welcome to Solo Unicorn"
            yield Static(
                "Write missions on a board. Your code agents work on them in git worktrees. "
                "You review, and the work lands.",
                id="intro",
                classes="hint",
            )
            yield Static("", id="title", classes="part")
            with Vertical(id="repository-step", classes="step"):
                yield Lines(marks, id="repository")
                with Horizontal(classes="choices"):
                    yield Button("This repository (⏎)", id="next-repository", variant="primary", compact=True)
                    yield Button("Without it (w)", id="without", compact=True)
            with Vertical(id="agents-step", classes="step"):
                yield Lines(marks, id="agents")
                with Horizontal(classes="choices"):
                    yield Button("Continue (⏎)", id="next-agents", variant="primary", compact=True)
                    yield Button("Look again (r)", id="again", compact=True)
            with Vertical(id="begin-step", classes="step"):
                yield Lines(marks, id="begin")
                with Horizontal(classes="choices"):
                    yield Button("This repository (⏎)", id="next-begin", variant="primary", compact=True)
                    yield Button("Tutorial (t)", id="tutorial", compact=True)
                    yield Button("Sample (s)", id="sample", compact=True)
                    yield Button("Empty (n)", id="empty", compact=True)
            with Vertical(id="hub-step", classes="step"):
                yield Lines(marks, id="hub")
                with Horizontal(classes="choices"):
                    yield Button("To the board (⏎)", id="next-hub", variant="primary", compact=True)
                    yield Button("Sign in (h)", id="sign-in", compact=True)
            yield Static("", id="doing", classes="hint")
        yield KeyLine(marks)

    @work
    async def on_mount(self) -> None:
        """Look around, and go on where the person was."""
        for lines in self.query(Lines):
            lines.can_focus, lines.least = False, 1
        self._say("#repository", [row((" looking …", "faint"))])
        self._say("#agents", [row((" looking …", "faint"))])
        self._say("#hub", _hub_rows())
        self._show()
        self._find_agents()
        kept = await self.app.perform(welcome_data.kept_step)
        self.found = await creating.find_repository(self.app.commands, self.directory)
        if self.is_gone:
            return
        self._say("#repository", _repository_rows(self.found, self.directory, self.app))
        self.step, self.with_repository = min(kept[0], 2) if kept else 0, kept[1] if kept else True
        self._show()
        self.looked.set()

    @work(exclusive=True, group="agents")
    async def _find_agents(self) -> None:
        try:
            await welcome_data.find_agents(self.app.commands)
        except SoloUnicornError as error:
            self._say("#agents", [row((f" {self.app.marks.attention} {error}", "bad"), indent=3)])
            return
        data = await self.app.perform(read)
        if data is None or self.is_gone:
            return
        agents: tuple[CodeAgent, ...] = data.agents
        if not any(agent.state == "ready" and agent.type != "rehearsal" for agent in agents):
            hint = row((" None is ready yet; the rehearsal agent (no model) shows how it works.", "faint"), indent=1)
        else:
            hint = row(("", ""))
        self._say("#agents", [*agent_rows(data, self.app.marks, self.app.clock()), hint])

    # -- showing -------------------------------------------------------------------------------------------------

    def _say(self, selector: str, rows: Sequence[Row]) -> None:
        if not self.is_gone:
            lines = self.query_one(selector, Lines)
            lines.set_rows(rows)

    def _show(self) -> None:
        if self.is_gone:
            return
        for place, name in enumerate(STEPS):
            self.query_one(f"#{name}-step").display = place == self.step
        self.query_one("#intro").display = self.step == 0
        self.query_one("#title", Static).update(f"{self.step + 1} of {len(STEPS)}  {TITLES[self.step]}")
        self.query_one("#next-repository").display = self.found is not None
        if self.found is not None and not self.found.has_commit:
            self.query_one("#next-repository", Button).label = "Make the first commit (⏎)"
        taken = self.found is not None and self.with_repository
        self.query_one("#next-begin", Button).label = "This repository (⏎)" if taken else "Tutorial (⏎)"
        self.query_one("#tutorial").display = taken
        self._say("#begin", _begin_rows(self.found if taken else None))
        self.set_focus(None)  # enter goes on, whichever button was clicked before
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What fits the screen that is open; a choice that was made is the only one."""
        if action == "later" and self.project is None:
            return not self._making
        if action in ("next", "without", "again", "hub", "tutorial", "sample", "empty", "back", "later"):
            if self._making:
                return False
            here = STEPS[self.step]
            wanted = {"without": "repository", "again": "agents", "hub": "hub"}.get(action)
            if wanted is not None:
                return here == wanted
            if action in ("tutorial", "sample", "empty"):
                return self.project is None
            return action != "back" or (self.step > 0 and self.project is None)
        return True

    # -- going on ------------------------------------------------------------------------------------------------

    @work(group="steps")
    async def action_next(self) -> None:
        """The next screen; at the third, the project is made. A key that comes while we still look is not lost."""
        await self.looked.wait()
        match STEPS[self.step]:
            case "repository":
                await self._to(1, self.found is not None)
            case "agents":
                await self._to(2, self.with_repository)
            case "begin":
                if self.found is not None and self.with_repository:
                    await self._begin_with_repository(self.found)
                else:
                    await self._begin("Creating the tutorial …", welcome_data.tutorial)
            case "hub":
                self.dismiss(self.project.id if self.project else None)

    @work(group="steps")
    async def action_without(self) -> None:
        await self.looked.wait()
        await self._to(1, False)

    @work(group="steps")
    async def action_back(self) -> None:
        await self._to(max(0, self.step - 1), self.with_repository)

    async def _to(self, step: int, with_repository: bool) -> None:
        self.step, self.with_repository = step, with_repository
        self._show()
        await self.app.perform(welcome_data.keep_step, step, with_repository)

    def action_again(self) -> None:
        self._say("#agents", [row((" looking …", "faint"))])
        self._find_agents()

    @work(group="steps")
    async def action_tutorial(self) -> None:
        await self._begin("Creating the tutorial …", welcome_data.tutorial)

    @work(group="steps")
    async def action_sample(self) -> None:
        await self._begin("Creating the sample …", welcome_data.sample)

    @work(group="steps")
    async def action_empty(self) -> None:
        await self._begin("Creating a project …", partial(welcome_data.empty_project, found=self.found))

    async def _begin(self, what: str, make: welcome_data.Make) -> None:
        await self.looked.wait()
        if self._making:
            return
        self._busy(what)
        project = await self.app.perform(make)
        self._busy("")
        if project is not None:
            self._last(project)

    async def _begin_with_repository(self, found: RepositoryFound) -> None:
        if self._making:
            return
        self._busy(f"Adding {found.name} …")
        project = await creating.project_with(self.app, found, found.name)
        self._busy("")
        if project is not None:
            self._last(project)

    def _last(self, project: Project) -> None:
        """The project is there; the last screen asks for a hub."""
        self.project, self.step = project, STEPS.index("hub")
        self._show()

    def _busy(self, what: str) -> None:
        """Say what is being done, and take no other choice meanwhile."""
        self._making = bool(what)
        self.set_focus(None)
        self.query_one("#doing", Static).update(what)
        self.refresh_bindings()

    @work(group="steps")
    async def action_hub(self) -> None:
        """Sign in, in the browser."""
        from ..hub.sign_in import SignInScreen

        if hub := await self.app.push_screen_wait(SignInScreen()):
            where = row((" To publish this project there: `,` on the board, then Members, then p.", "faint"), indent=1)
            self._say("#hub", [row((f" {self.app.marks.ready} ", "good"), f"Signed in at {hub}", indent=3), where])

    def action_later(self) -> None:
        self.dismiss(self.project.id if self.project else None)

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        name = event.button.id or ""
        await self.run_action("hub" if name == "sign-in" else "next" if name.startswith("next") else name)


def _repository_rows(found: RepositoryFound | None, directory: Path | None, app: Application) -> list[Row]:
    marks = app.marks
    if found is None:
        return [
            row((f" {marks.idle} ", "faint"), ("no git repository in ", "faint"), str(directory or "here"), indent=3),
            row(("   Continue: `,` on the board links one later.", "faint"), indent=3),
        ]
    if not found.has_commit:
        return [
            row((f" {marks.attention} ", "wait"), (found.name, "strong"), ("  has no commit yet", "wait"), indent=3),
            row("   ", (for_people(str(found.path)), "faint"), indent=3),
            row(
                (
                    "   Missions start from a commit. An empty first commit will be made; your files are not changed.",
                    "faint",
                ),
                indent=3,
            ),
            row(("   An empty project (n) links it automatically after your first commit.", "faint"), indent=3),
        ]
    remote = f"  {found.remote}" if found.remote else "  no remote"
    branch = found.branch or "detached HEAD"
    return [
        row(
            (f" {marks.ready} ", "good"),
            (found.name, "strong"),
            (f"  {marks.branch} {branch}{remote}", "faint"),
            indent=3,
        ),
        row("   ", (for_people(str(found.path)), "faint"), indent=3),
    ]


def _begin_rows(found: RepositoryFound | None) -> list[Row]:
    taken = [("this repository", f"a project for {found.name}")] if found is not None else []
    ways = (
        *taken,
        ("the tutorial", "learn by doing, in eight steps"),
        ("the sample", "a board with something in every list"),
        ("empty", "your own project, without a repository for now"),
    )
    width = max(len(way) for way, _ in ways) + 2
    return [row((f" {way:<{width}}", "strong"), (about, "faint"), indent=width + 1) for way, about in ways]


def _hub_rows() -> list[Row]:
    return [
        row(" Everything works on this machine, without a hub or a network.", indent=1),
        row(
            (
                " A hub keeps a project in sync on several machines, and lets others take part. You can sign in later:",
                "faint",
            ),
            (" solo-unicorn auth login --hub URL", "key"),
            indent=1,
        ),
    ]
