"""The first start on one sheet: this repository, the agents found, and what to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from ...missions.entities import CodeAgent
from ...missions.errors import SoloUnicornError
from ...sync.workspace import Workspace
from .. import welcome_data
from ..app import SoloUnicornApp
from ..keyline import KeyLine
from ..keys import binding
from ..lines import Lines, Row, row
from ..welcome_data import RepositoryFound
from ..workstation_data import agent_rows, read


class WelcomeScreen(ModalScreen[str | None]):
    """Gives the id of the project to open, None when the person wants to look around first."""

    CSS_PATH = "welcome.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]  # noqa: RUF012
    BINDING_GROUP_TITLE = "First start"
    BINDINGS = [  # noqa: RUF012
        binding(
            "welcome.repository",
            "enter",
            "repository",
            "this repository",
            "A project for the repository of this directory",
        ),
        binding("welcome.sample", "s", "sample", "sample", "A short sample project to look around in; X removes it"),
        binding("welcome.empty", "n", "empty", "empty project", "An empty project without a repository"),
        binding("welcome.later", "escape", "later", "later", "Look at the empty board; n begins"),
    ]
    AUTO_FOCUS = ""
    app = getters.app(SoloUnicornApp)

    def __init__(self, directory: Path | None) -> None:
        super().__init__(classes="sheet")
        self.directory = directory
        self.found: RepositoryFound | None = None
        self._looked = False
        self._making = False

    def compose(self) -> ComposeResult:
        """Three parts, three keys."""
        marks = self.app.marks
        with Vertical(classes="box") as box, VerticalScroll(can_focus=False):
            box.border_title = "Welcome to Solo Unicorn"
            yield Static(
                "Write missions on a board; your code agents work on them in git worktrees; you review, and it lands.",
                classes="hint",
            )
            yield Static("1  This repository?", classes="part")
            yield Lines(marks, id="repository")
            yield Static("2  Agents found", classes="part")
            yield Lines(marks, id="agents")
            yield Static("3  Start with", classes="part")
            with Horizontal(id="choices"):
                yield Button("This repository  (⏎)", id="repository-button", variant="primary", compact=True)
                yield Button("The sample  (s)", id="sample", compact=True)
                yield Button("An empty project  (n)", id="empty", compact=True)
            yield Static("", id="doing", classes="hint")
        yield KeyLine(marks)

    def on_mount(self) -> None:
        """Look around."""
        for lines in self.query(Lines):
            lines.can_focus = False
        self.query_one("#repository-button").display = False
        self._show("#repository", [row((" looking …", "faint"))])
        self._show("#agents", [row((" looking …", "faint"))])
        self._find_repository()
        self._find_agents()

    @work
    async def _find_repository(self) -> None:
        self.found = await welcome_data.find_repository(self.directory)
        self._looked = True
        found, marks = self.found, self.app.marks
        if found is None:
            where = str(self.directory) if self.directory else "here"
            rows = [
                row(
                    (f" {marks.idle} ", "faint"),
                    ("no git repository in ", "faint"),
                    where,
                    ("; `solo-unicorn repo add PATH` links one later", "faint"),
                    indent=3,
                )
            ]
        else:
            remote = f"  {found.remote}" if found.remote else "  no remote"
            branch = found.branch or "detached HEAD"
            rows = [
                row(
                    (f" {marks.ready} ", "good"),
                    (found.name, "strong"),
                    (f"  {marks.branch} {branch}{remote}", "faint"),
                    indent=3,
                )
            ]
            rows.append(row("   ", (str(found.path), "faint"), indent=3))
        self._show("#repository", rows)
        self.query_one("#repository-button").display = found is not None
        self.refresh_bindings()

    @work
    async def _find_agents(self) -> None:
        try:
            await welcome_data.find_agents()
        except SoloUnicornError as error:
            self._show("#agents", [row((f" {self.app.marks.attention} {error}", "bad"), indent=3)])
            return
        data = await self.app.perform(read)
        if data is None or not self.is_mounted:
            return
        agents: tuple[CodeAgent, ...] = data.agents
        if not any(agent.state == "ready" and agent.type != "rehearsal" for agent in agents):
            hint = row((" None is ready yet; the rehearsal agent (no model) shows how it goes.", "faint"), indent=1)
        else:
            hint = row(("", ""))
        self._show("#agents", [*agent_rows(data, self.app.marks, self.app.clock()), hint])

    def _show(self, selector: str, rows: Sequence[Row]) -> None:
        if self.is_mounted:
            lines = self.query_one(selector, Lines)
            lines.set_rows(rows)
            lines.styles.height = max(1, len(rows))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter takes the repository when there is one; a choice that was made is the only one."""
        if action in ("repository", "sample", "empty", "later") and self._making:
            return False
        return self.found is not None if action == "repository" else True

    def _make(self, what: str) -> None:
        """A choice was made: say what is being done, and take no other."""
        self._making = bool(what)
        self.query_one("#choices").display = not what
        self.query_one("#doing", Static).update(what)
        self.refresh_bindings()

    @work
    async def action_repository(self) -> None:
        """A project named after the repository, with it linked."""
        found = self.found
        if found is None or self._making:
            return
        self._make(f"Adding {found.name} …")
        project = await self.app.perform(welcome_data.start_project, found.name)
        if project is not None:
            try:
                await welcome_data.add_repository(found, project)
            except SoloUnicornError as error:
                self.app.complain(error)
            self.dismiss(project.id)
            return
        self._make("")

    @work
    async def action_sample(self) -> None:
        """The sample project."""
        if self._making:
            return
        self._make("Making the sample …")
        project = await self.app.perform(Workspace.create_sample_project)
        if project is not None:
            self.dismiss(project.id)
            return
        self._make("")

    @work
    async def action_empty(self) -> None:
        """An empty project."""
        if self._making:
            return
        self._make("Making a project …")
        project = await self.app.perform(welcome_data.start_project, "My project")
        if project is not None:
            self.dismiss(project.id)
            return
        self._make("")

    def action_later(self) -> None:
        """An empty board."""
        self.dismiss(None)

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        await self.run_action({"sample": "sample", "empty": "empty"}.get(event.button.id or "", "repository"))
