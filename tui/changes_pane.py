"""What a mission changed in its worktree: files at the left, the diff at the right."""

from __future__ import annotations

from datetime import datetime

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal

from ..missions.entities import JsonObject
from ..missions.errors import SoloUnicornError
from .child import as_object, ask
from .diff_rows import diff_rows, file_rows
from .keys import binding
from .lines import Lines, row
from .marks import Marks
from .mission_data import MissionData


class ChangesPane(Horizontal):
    """Read by a child process when it is opened, and again when the mission moves on."""

    BINDING_GROUP_TITLE = "Changes"
    BINDINGS = [  # noqa: RUF012
        binding("changes.reload", "ctrl+l,R", "reload", "read again", "Read the worktree anew"),
        binding("changes.next", "right_square_bracket", "file(1)", "next file", "The next file", show=False),
        binding("changes.previous", "left_square_bracket", "file(-1)", "previous file", "The file before", show=False),
    ]

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="changes")
        self.marks = marks
        self.diff: JsonObject = {}
        self._ref = ""
        self._seen: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Files and diff."""
        yield Lines(self.marks, cursor=True, id="files")
        yield Lines(self.marks, cursor=True, empty="reading the worktree …", id="diff")

    @property
    def counts(self) -> str:
        """`+128 −31` once it is known."""
        return f"+{self.diff.get('added', 0)} −{self.diff.get('removed', 0)}" if self.diff else ""

    async def show(self, data: MissionData, now: datetime) -> None:
        """See Pane."""
        mission = data.mission
        seen = (
            mission.id,
            mission.worktree_path,
            mission.stage,
            mission.list,
            mission.tasks_current,
            data.live is None,
        )
        self._ref = mission.id
        if seen != self._seen:
            self._seen = seen
            self.action_reload()

    def action_reload(self) -> None:
        """Read the worktree anew."""
        self._load(self._ref)

    @work(exclusive=True, group="diff")
    async def _load(self, ref: str) -> None:
        try:
            self.diff = as_object(await ask("mission", "diff", ref))
        except SoloUnicornError as error:
            self.diff = {}
            said = [part for part in (error.what, error.why, error.todo) if part]
            self.query_one("#files", Lines).set_rows([])
            self.query_one("#diff", Lines).set_rows([row(("  " + ". ".join(said), "faint"), indent=2)])
            return
        files = file_rows(self.diff)
        self.query_one("#files", Lines).set_rows(files)
        self.query_one("#diff", Lines).set_rows(
            diff_rows(self.diff, self.marks) or [row(("  Nothing is changed.", "faint"))]
        )

    def action_file(self, step: int) -> None:
        """Another file."""
        self.query_one("#files", Lines).action_step(step)

    @on(Lines.CursorMoved, "#files")
    def _to_file(self, event: Lines.CursorMoved) -> None:
        event.stop()
        if event.row is None:
            return
        lines = self.query_one("#diff", Lines)
        place = next((index for index, shown in enumerate(lines.rows) if shown.key == (event.row.key, None)), None)
        if place is not None:
            lines.show_at_top(place)

    @on(Lines.Chosen, "#files")
    def _into_diff(self, event: Lines.Chosen) -> None:
        event.stop()
        self.query_one("#diff", Lines).focus()
