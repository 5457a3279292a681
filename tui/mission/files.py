"""The files of a mission: attach, open, remove."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from ..kit.keyboard.keys import binding
from ..kit.lines import Lines
from ..kit.marks import Marks
from .data import MissionData
from .rows import file_rows


class FilesPane(Vertical):
    """The attached files; its messages ask the screen to act."""

    BINDING_GROUP_TITLE = "Files"
    BINDINGS = [  # noqa: RUF012
        binding("files.attach", "n,plus", "attach", "attach", "Attach a file: type its path"),
        binding("files.detach", "d,delete", "detach", "remove", "Remove the file under the cursor from the mission"),
    ]

    @dataclass
    class Attach(Message):
        """Attach the file at this path."""

        path: str

    @dataclass
    class Detach(Message):
        """Take this file off."""

        name: str

    @dataclass
    class Open(Message):
        """Show this file with the program that the system has for it."""

        name: str

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="files-tab")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """The list, and the line for a path."""
        yield Lines(
            self.marks,
            cursor=True,
            id="attached",
            empty="There are no files. n attaches one: a sketch, a log, a brief.",
        )
        path = Input(placeholder="type the path of the file, then enter", id="path")
        path.display = False  # it comes when it is wanted
        yield path

    async def show(self, data: MissionData, now: datetime) -> None:
        self.query_one(Lines).set_rows(file_rows(data, now))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to remove, nothing offered."""
        return action != "detach" or any(lines.rows for lines in self.query(Lines))

    def action_attach(self) -> None:
        """Ask for a path."""
        entry = self.query_one("#path", Input)
        entry.display = True
        entry.focus()

    def action_detach(self) -> None:
        lines = self.query_one(Lines)
        if lines.rows:
            self.post_message(self.Detach(str(lines.rows[lines.cursor or 0].key)))

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.post_message(self.Attach(event.value.strip()))
        self.leave_input()

    def leave_input(self) -> None:
        """Back to the list."""
        entry = self.query_one("#path", Input)
        entry.clear()
        entry.display = False
        self.query_one(Lines).focus()

    @on(Lines.Chosen)
    def _open(self, event: Lines.Chosen) -> None:
        event.stop()
        self.post_message(self.Open(str(event.row.key)))
