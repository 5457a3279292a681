"""What a mission changed in its worktree: a tree of files at the left, the diff with its comments at the right."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize
from textual.message import Message

from ...missions.comments import Anchor, LineComment, Side
from ...missions.entities import Json, JsonObject
from ...missions.errors import SoloUnicornError
from ..kit.application import Application
from ..kit.commands import as_object
from ..kit.keys import binding
from ..kit.leaving import is_gone
from ..kit.lines import Lines, Row, row
from ..kit.marks import Marks
from .data import MissionData
from .diff import Place, diff_rows, files_of
from .file_tree import tree_rows
from .syntax import coloured

PAGES_MAX: Final = 25
"""Pages of 2,000 lines that are read of one diff."""


class ChangesPane(Horizontal):
    """Read by a child process when it is opened, and again when the mission moves on."""

    BINDING_GROUP_TITLE = "Changes"
    BINDINGS = [  # noqa: RUF012
        binding("changes.comment", "c", "comment", "comment", "Comment on the line under the cursor"),
        binding("changes.resolve", "r", "resolve", "resolve", "Resolve the comment under the cursor, or open it again"),
        binding("changes.delete", "d", "delete", "delete", "Delete the comment under the cursor"),
        binding("changes.beside", "s", "beside", "side by side", "What was beside what is, or one below the other"),
        binding(
            "changes.next_hunk",
            "right_curly_bracket",
            "hunk(1)",
            "next change",
            "The next change, in any file",
            show=False,
        ),
        binding(
            "changes.previous_hunk",
            "left_curly_bracket",
            "hunk(-1)",
            "previous change",
            "The change before, in any file",
            show=False,
        ),
        binding("changes.reload", "ctrl+l,R", "reload", "read again", "Read the worktree anew", show=False),
        binding("changes.next", "right_square_bracket", "file(1)", "next file", "The next file"),
        binding("changes.previous", "left_square_bracket", "file(-1)", "previous file", "The file before", show=False),
    ]

    @dataclass
    class CommentWished(Message):
        """The person wants to comment on a line."""

        file: str
        line: int
        side: Side
        content: str
        anchor: Anchor | None

    @dataclass
    class ResolveWished(Message):
        """Turn a comment resolved or open."""

        comment: LineComment

    @dataclass
    class DeleteWished(Message):
        """Take a comment away."""

        comment: LineComment

    @dataclass
    class Read(Message):
        """The diff is known, or known to be none."""

    app = getters.app(Application)

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="changes")
        self.marks = marks
        self.diff: JsonObject = {}
        self.beside = False
        self.turned: set[str] = set()
        """Paths of files that were folded by hand, or unfolded where they are generated."""
        self.comments: tuple[LineComment, ...] = ()
        self._ref = ""
        self._seen: tuple[object, ...] = ()
        self._sought: LineComment | None = None

    def compose(self) -> ComposeResult:
        yield Lines(self.marks, cursor=True, id="files")
        yield Lines(self.marks, cursor=True, empty="reading the worktree …", id="diff")

    @property
    def lines(self) -> Lines:
        """The diff."""
        return self.query_one("#diff", Lines)

    @property
    def counts(self) -> str:
        """`+128 −31` once it is known."""
        return f"+{self.diff.get('added', 0)} −{self.diff.get('removed', 0)}" if self.diff else ""

    async def show(self, data: MissionData, now: datetime) -> None:
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
        if data.comments != self.comments:
            self.comments = data.comments
            if self.diff:
                self._draw()
        if seen != self._seen:
            self._seen = seen
            self.action_reload()

    # -- reading -------------------------------------------------------------------------------------------------

    def action_reload(self) -> None:
        """Read the worktree anew."""
        self._load(self._ref)

    @work(exclusive=True, group="diff")
    async def _load(self, ref: str) -> None:
        try:
            diff = as_object(await self.app.commands.ask("mission", "diff", ref, "--page", "1"))
            self.diff = diff
            self._draw()
            pages = diff.get("pages")
            for page in range(2, min(pages if isinstance(pages, int) else 1, PAGES_MAX) + 1):
                more = await self.app.commands.ask("mission", "diff", ref, "--page", str(page))
                self.diff = _joined(self.diff, as_object(more))
                self._draw()
        except SoloUnicornError as error:
            self.diff = {}
            if is_gone(self):
                return
            said = [part for part in (error.what, error.why, error.todo) if part]
            self.query_one("#files", Lines).set_rows([])
            self.lines.set_rows([row(("  " + ". ".join(said), "faint"), indent=2)])

    @work(exclusive=True, group="diff rows")
    async def _draw(self) -> None:
        if is_gone(self):
            return
        self.query_one("#files", Lines).set_rows(tree_rows(self.diff, self.comments, self.marks))
        width = max(0, self.lines.size.width - 2)
        rows: list[Row] = await asyncio.to_thread(
            partial(diff_rows, width=width, beside=self.beside, turned=frozenset(self.turned)),
            self.diff,
            self.marks,
            self.comments,
            coloured,
        )
        if not is_gone(self):
            self.lines.set_rows(rows or [row(("  Nothing is changed.", "faint"))])
            self._seek()
            self.refresh_bindings()
            self.post_message(self.Read())

    def _seek(self) -> None:
        if self._sought is not None and (place := self._row_of(self._sought)) is not None:
            self.lines.show_at_top(place)
            self.lines.focus()
            self._sought = None

    def _row_of(self, comment: LineComment) -> int | None:
        return next(
            (
                at
                for at, shown in enumerate(self.lines.rows)
                if isinstance(shown.key, LineComment) and shown.key.id == comment.id
            ),
            None,
        )

    def on_resize(self, event: Resize) -> None:
        """Numbers and columns are as wide as there is room."""
        if self.diff:
            self._draw()

    # -- actions -------------------------------------------------------------------------------------------------

    @property
    def under_cursor(self) -> object:
        """The Place or LineComment that the cursor of the diff stands on."""
        lines = self.lines
        return lines.rows[lines.cursor].key if lines.cursor is not None and lines.cursor < len(lines.rows) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits what is under the cursor."""
        if not self.query("#diff"):
            return action not in ("comment", "resolve", "delete")
        if action == "comment":
            return isinstance(self.under_cursor, Place) and self.under_cursor.line is not None
        if action in ("resolve", "delete"):
            return isinstance(self.under_cursor, LineComment)
        return True

    @on(Lines.CursorMoved, "#diff")
    def _moved(self, event: Lines.CursorMoved) -> None:
        event.stop()
        self.refresh_bindings()

    def action_comment(self) -> None:
        """Comment on the line."""
        place = self.under_cursor
        if isinstance(place, Place) and place.line is not None:
            content = place.anchor.content.strip() if place.anchor else ""
            self.post_message(self.CommentWished(place.path, place.line, place.side, content, place.anchor))

    def action_resolve(self) -> None:
        if isinstance(self.under_cursor, LineComment):
            self.post_message(self.ResolveWished(self.under_cursor))

    def action_delete(self) -> None:
        if isinstance(self.under_cursor, LineComment):
            self.post_message(self.DeleteWished(self.under_cursor))

    def action_beside(self) -> None:
        """One column or two."""
        self.beside = not self.beside
        self._draw()

    def action_file(self, step: int) -> None:
        lines = self.query_one("#files", Lines)
        places = [at for at, shown in enumerate(lines.rows) if shown.key is not None]
        if places:
            now = lines.cursor or 0
            further = [at for at in places if (at > now if step > 0 else at < now)]
            lines.cursor = (further[0] if step > 0 else further[-1]) if further else now

    def action_hunk(self, step: int) -> None:
        """To a change before or after, over the edges of files."""
        lines = self.lines
        now = lines.cursor or 0
        places = [at for at, shown in enumerate(lines.rows) if shown.under == "hunk"]
        further = [at for at in places if (at > now if step > 0 else at < now)]
        if further:
            lines.show_at_top(further[0] if step > 0 else further[-1])
            lines.focus()
            self.refresh_bindings()

    @on(Lines.Chosen, "#diff")
    def _turn(self, event: Lines.Chosen) -> None:
        """Fold a file, or unfold it."""
        event.stop()
        if isinstance(event.row.key, Place) and event.row.under == "hover":
            self.turned ^= {event.row.key.path}
            self._draw()

    def go_to(self, comment: LineComment) -> None:
        """Show the line of a comment, once the diff is there."""
        self._sought = comment
        self._seek()

    @on(Lines.CursorMoved, "#files")
    def _to_file(self, event: Lines.CursorMoved) -> None:
        event.stop()
        if event.row is None or event.row.key is None:
            return
        heading = Place(str(event.row.key))
        place = next((at for at, shown in enumerate(self.lines.rows) if shown.key == heading and shown.under), None)
        if place is not None:
            self.lines.show_at_top(place)

    @on(Lines.Chosen, "#files")
    def _into_diff(self, event: Lines.Chosen) -> None:
        event.stop()
        self.lines.focus()


def _joined(diff: JsonObject, page: JsonObject) -> JsonObject:
    """A diff with the hunks of its next page; every file is on every page."""
    more = {str(file.get("path")): file.get("hunks") for file in files_of(page)}
    files: list[Json] = []
    for file in files_of(diff):
        known, new = file.get("hunks"), more.get(str(file.get("path")))
        both: list[Json] = [*(known if isinstance(known, list) else []), *(new if isinstance(new, list) else [])]
        files.append({**file, "hunks": both})
    return {**diff, "files": files}
