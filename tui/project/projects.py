"""Another project, or a new one."""

from __future__ import annotations

from pathlib import Path

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from ...config.paths import for_people
from ...missions.board import ListCount
from ...missions.entities import ListName, Project
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..kit.application import Application
from ..kit.keyboard.keyline import KeyLine
from ..kit.keyboard.keys import binding
from ..kit.leaving import Sheet
from ..kit.lines import Lines, row
from ..kit.sheets.confirm import ConfirmScreen
from .creating import find_repository, project_with, unlinked


class ProjectsScreen(Sheet[str | None]):
    """Gives the id of the project to show."""

    CSS_PATH = "projects.tcss"
    BINDING_GROUP_TITLE = "Projects"
    BINDINGS = [  # noqa: RUF012
        binding("projects.close", "escape,q", "close", "board", "Back to the board"),
        binding("projects.new", "n", "new", "new", "Create a project"),
        binding("projects.gallery", "b", "gallery", "browse hub", "Public projects and templates of your hub"),
    ]
    app = getters.app(Application)
    lines = getters.query_one(Lines)

    def __init__(self, now: Project | None) -> None:
        super().__init__(classes="sheet")
        self.now = now
        self.root: Path | None = None
        """The repository that a new project may be for."""

    def compose(self) -> ComposeResult:
        """List and a line for a new name."""
        with Vertical(classes="box") as box:
            box.border_title = "Projects"
            yield Lines(self.app.marks, cursor=True, empty="No project yet. n creates one.")
            yield Input(placeholder="type the name of the new project, then enter", id="name", max_length=200)
        yield KeyLine(self.app.marks)

    @work
    async def on_mount(self) -> None:
        """Read the projects with their counts."""
        self.query("#name").set(display=False)
        found = await self.app.perform(_read) or []
        if self.is_gone:
            return
        rows = []
        for project, counts in found:
            total = sum(count.total for name, count in counts.items() if name != "done")
            here = self.now is not None and project.id == self.now.id
            notes = (
                f"  {total} open" + ("  paused" if project.paused else "") + ("  sample" if project.is_sample else "")
            )
            rows.append(
                row(
                    (f" {self.app.marks.ready if here else ' '} ", "run"),
                    (project.name, "strong" if here else ""),
                    (notes, "faint"),
                    key=project.id,
                )
            )
        self.lines.styles.height = max(3, len(rows))
        self.lines.set_rows(rows)
        self.lines.cursor = next((at for at, one in enumerate(rows) if self.now and one.key == self.now.id), 0)

    @on(Lines.Chosen)
    def _open(self, event: Lines.Chosen) -> None:
        self.dismiss(str(event.row.key))

    def action_new(self) -> None:
        self._ask_name()

    @work
    async def _ask_name(self) -> None:
        """A name; that of this directory's repository is proposed where no project is for that."""
        self.root = await self.app.perform(unlinked, self.app.directory)
        entry = self.query_one("#name", Input)
        entry.value = self.root.name if self.root else ""
        entry.display = True
        entry.focus()

    @work
    async def action_gallery(self) -> None:
        """What the hub shows to everybody."""
        from ..hub.gallery import GalleryScreen

        taken = await self.app.push_screen_wait(GalleryScreen())
        if taken:
            self.dismiss(taken)

    def action_close(self) -> None:
        """Out of the name first, then out."""
        entry = self.query_one("#name", Input)
        if entry.display:
            entry.display = False
            self.lines.focus()
        else:
            self.dismiss(None)

    @on(Input.Submitted)
    @work
    async def _make(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        found = await find_repository(self.app.commands, self.root) if self.root and name else None
        question = f"Link the repository {for_people(str(self.root))} to {name}?"
        if found is not None and not found.has_commit:
            question += " It has no commit yet: an empty first one will be made; your files stay as they are."
        if found is not None and await self.app.push_screen_wait(ConfirmScreen(question, "Link it")):
            made = await project_with(self.app, found, name)
        else:
            made = await self.app.write(operations.projects.create, name)
        if made is not None:
            self.dismiss(made.id)


def _read(workspace: Workspace) -> list[tuple[Project, dict[ListName, ListCount]]]:
    return [
        (project, workspace.read(queries.board.list_counts, project.id))
        for project in workspace.read(queries.projects.list_all)
    ]
