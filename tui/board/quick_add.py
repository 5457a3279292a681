"""The line where a mission is written in one go, and above it where it goes and what else may be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from ...missions.entities import ListName, Mission, ProjectRepository
from ...missions.errors import InvalidValue
from ...missions.naming import choices
from ...missions.records import record
from ...missions.rules.creating import MissionDraft
from ...workspace import operations, queries
from ..kit.keyboard.keys import binding
from ..kit.list_names import NAMES
from ..kit.marks import UNICODE, Marks
from .filter_line import Hint

if TYPE_CHECKING:
    from pathlib import Path

    from ...workspace.workspace import Workspace

PRIORITY: Final = re.compile(r"\s!([1-5])(?=\s|$)")
REPOSITORY: Final = re.compile(r"\s#(\S+)")


@record
class Said:
    """What one line says: `Retry payments !4 #api` is a title, a priority and a repository."""

    title: str
    priority: int
    repository: str = ""


def understood(text: str) -> Said:
    """A line taken apart."""
    said = f" {text}"
    priority, repository = PRIORITY.search(said), REPOSITORY.search(said)
    title = " ".join(REPOSITORY.sub("", PRIORITY.sub("", said)).split())
    return Said(title, int(priority[1]) if priority else 3, repository[1] if repository else "")


def repositories(workspace: Workspace, project_id: str, directory: Path | None) -> tuple[ProjectRepository, ...]:
    """Those of a project, with the one around `directory` first: a new mission works in that one."""
    found = workspace.read(queries.projects.repositories, project_id)
    if directory is not None and len(found) > 1:
        from pathlib import Path

        inside = (directory, *directory.parents)
        found = sorted(found, key=lambda one: not one.local_path or Path(one.local_path) not in inside)
    return tuple(found)


def add(
    workspace: Workspace,
    project_id: str,
    line: Said,
    in_list: ListName,
    known: Sequence[ProjectRepository],
    ready: bool,
) -> Mission:
    """Make the mission of a line; InvalidValue when it names another repository."""
    chosen = known[0] if known else None
    if line.repository:
        names = [one.name for one in known]
        chosen = next((one for one in known if one.name.lower().startswith(line.repository.lower())), None)
        if chosen is None:
            what = f"The project has no repository {line.repository}"
            raise InvalidValue("repository", what, todo=choices(names) or "leave out #…")
    draft = MissionDraft(
        title=line.title,
        priority=line.priority,
        list=None if in_list == "todo" else in_list,
        project_repository_id=chosen.id if chosen else None,
        ready=ready,
    )
    return workspace.write(operations.missions.create, project_id, draft)


class QuickAdd(Vertical):
    """Posts `Added` for each line; it stays for the next one until it is closed."""

    BINDING_GROUP_TITLE = "Quick add"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(
            "quick.ready", "ctrl+s", "add(True)", "add, ready", "Add it as ready, so that an agent may start at once"
        ),
        binding("quick.close", "escape", "close", "close", "Back to the cards; a restores the text"),
    ]

    @dataclass
    class Added(Message):
        """A line is to become a mission."""

        text: str
        ready: bool

    @dataclass
    class Closed(Message):
        """Back to the cards, with what is left in the line."""

        text: str

    def __init__(
        self, text: str, in_list: ListName, known: Sequence[ProjectRepository], marks: Marks = UNICODE
    ) -> None:
        super().__init__(id="quick-add", classes="below")
        self.in_list, self.known, self.marks = in_list, known, marks
        self.hint = Hint(marks)
        self.entry = Input(text, placeholder="what to do, in one line", max_length=500, id="new-title")

    def compose(self) -> ComposeResult:
        """Hint above, entry below."""
        yield self.hint
        yield self.entry

    def on_mount(self) -> None:
        self.entry.focus()
        self._say()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_add(False)

    def action_add(self, ready: bool) -> None:
        """Make a mission of the line; back to the cards when nothing is written."""
        if understood(self.entry.value).title:
            self.post_message(self.Added(self.entry.value, ready))
        else:
            self.action_close()

    def action_close(self) -> None:
        """Back to the cards."""
        self.post_message(self.Closed(self.entry.value))

    def _say(self) -> None:
        line = understood(self.entry.value)
        named = next((one for one in self.known if one.name.lower().startswith(line.repository.lower())), None)
        where = f" in {named.name}" if named is not None and len(self.known) > 1 else ""
        wrong = line.repository and named is None
        self.hint.say(
            [
                (f"New in {NAMES[self.in_list]}", "strong"),
                (f"{where}, priority {line.priority}", "faint") if not wrong else (f" no #{line.repository}", "bad"),
                (f"  {self.marks.enter} ", "key"),
                ("adds it", "faint"),
                ("  !4 ", "key"),
                ("priority", "faint"),
                *([(f"  #{self.known[0].name} ", "key"), ("repository", "faint")] if len(self.known) > 1 else []),
            ]
        )
