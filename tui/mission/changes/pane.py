"""What a mission changed in its worktree: a tree of files at the left, the diff with its comments at the right."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.message import Message

from ....missions.comments import Anchor, LineComment, Side
from ....missions.entities import Json, JsonObject
from ....missions.errors import SoloUnicornError
from ....missions.reading import SCOPES, Reading, Scope
from ...kit.application import Application
from ...kit.commands import as_object
from ...kit.leaving import is_gone
from ...kit.lines import Lines, Row, row
from ...kit.marks import Marks
from ..data import MissionData
from .head import HeadLine, head_parts
from .keys import KEYS
from .rows import NOTHING_READ, Known, Place, diff_rows, files_of, runs_of
from .syntax import coloured
from .tree import tree_rows
from .walking import is_hunk, place_at, row_like, step_to, unreviewed, unreviewed_file

LINES_MAX: Final = 50_000
"""Lines that are read of one diff."""


class ChangesPane(Horizontal):
    """Read by a child process when it is opened. When the work changes the text stays as it is until R is pressed."""

    BINDING_GROUP_TITLE = "Changes"
    BINDINGS = KEYS

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
    class MarkWished(Message):
        """Mark runs of lines as reviewed, or take their marks back."""

        runs: tuple[str, ...]
        reviewed: bool

    @dataclass
    class Read(Message):
        """The diff is known, or known to be none."""

    app = getters.app(Application)

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="changes")
        self.marks = marks
        self.diff: JsonObject = {}
        self.news: JsonObject | None = None
        """The diff as it is now, where it is another than the one that is shown; empty when it cannot be read."""
        self.scope: Scope = "mission"
        self._wanted: Scope = "mission"
        """The scope that was asked for last; one that has nothing to begin at is passed over by asking again."""
        self.beside = False
        self.turned: set[str] = set()
        """Paths of files that were folded or unfolded by hand."""
        self.comments: tuple[LineComment, ...] = ()
        self.reading: Reading = NOTHING_READ
        self._known: Known = {}
        self._ref = ""
        self._seen: tuple[object, ...] = ()
        self._sought: LineComment | None = None

    def compose(self) -> ComposeResult:
        yield Lines(self.marks, cursor=True, id="files")
        with Vertical():
            yield HeadLine(id="head")
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
        mission, measured = data.mission, data.change.measured
        seen = (
            *(mission.worktree_path, mission.stage, mission.list, mission.tasks_current, data.live is None),
            measured and (measured.head, measured.uncommitted),
        )
        self._ref = mission.id
        if (data.comments, data.reading) != (self.comments, self.reading):
            self.comments, self.reading = data.comments, data.reading
            if self.diff:
                self._draw()
        if seen != self._seen:
            self._seen = seen
            if files_of(self.diff):
                self._look_for_news(self._ref)
            else:
                self._load(self._ref, self.scope)

    # -- reading -------------------------------------------------------------------------------------------------

    def action_reload(self) -> None:
        """Show the work as it is now."""
        self._load(self._ref, self.scope)

    def action_scope(self) -> None:
        """The whole mission, this turn, what is new since the last look."""
        self._wanted = SCOPES[(SCOPES.index(self._wanted) + 1) % len(SCOPES)]
        self._load(self._ref, self._wanted)

    @work(exclusive=True, group="diff")
    async def _load(self, ref: str, scope: Scope) -> None:
        """The first lines at once, the others when they are read. It counts as a look at the work."""
        try:
            first = as_object(await self._ask(ref, scope, "--page", "1", "--look"))
            self.scope = scope
            self._take(first)
            if first.get("pages") not in (None, 1):
                self._take(await self._whole(ref))
        except SoloUnicornError as error:
            if scope != self.scope:
                self.app.complain(error)
                return
            self.diff, self.news = {}, None
            if is_gone(self):
                return
            said = [part for part in (error.what, error.why, error.todo) if part]
            self.query_one("#files", Lines).set_rows([])
            self.query_one(HeadLine).show([])
            self.lines.set_rows([row(("  " + ". ".join(said), "faint"), indent=2)])

    @work(exclusive=True, group="diff")
    async def _look_for_news(self, ref: str) -> None:
        """Whether the work is another than what is shown, which stays under the reader's eyes."""
        try:
            now = await self._whole(ref)
        except SoloUnicornError:  # R shows what it says
            now = {}
        self.news = None if now.get("files") == self.diff.get("files") else now
        if not is_gone(self):
            self._show_head()

    async def _whole(self, ref: str) -> JsonObject:
        return as_object(await self._ask(ref, self.scope, "--page", "1", "--page-lines", str(LINES_MAX)))

    async def _ask(self, ref: str, scope: Scope, *more: str) -> Json:
        return await self.app.commands.ask("mission", "diff", ref, "--scope", scope, *more)

    def _take(self, diff: JsonObject) -> None:
        self.diff, self.news = diff, None
        self._draw()

    @work(exclusive=True, group="diff rows")
    async def _draw(self) -> None:
        if is_gone(self):
            return
        width = max(0, self.lines.size.width - 2)
        rows: list[Row] = await asyncio.to_thread(
            partial(
                diff_rows,
                width=width,
                beside=self.beside,
                turned=frozenset(self.turned),
                reading=self.reading,
                known=self._known,
            ),
            self.diff,
            self.marks,
            self.comments,
            coloured,
        )
        if is_gone(self):
            return
        self.query_one("#files", Lines).set_rows(tree_rows(self.diff, self.comments, self.marks, self.reading))
        self._show_head()
        self._set_rows(rows or [row(("  Nothing is changed.", "faint"))])
        self._seek()
        self.refresh_bindings()
        self.post_message(self.Read())

    def _set_rows(self, rows: list[Row]) -> None:
        """Show these rows; what the cursor stands on stays where it is on the screen."""
        lines = self.lines
        at = lines.cursor or 0
        key, below = (lines.rows[at].key, lines.below_top(at)) if at < len(lines.rows) else (None, 0)
        lines.set_rows(rows)
        again = row_like(rows, key, at)
        if again is not None:
            lines.show_at(again, below)

    def _show_head(self) -> None:
        self.query_one(HeadLine).show(head_parts(self.diff, self.reading, self.scope, news=self.news is not None))

    def _seek(self) -> None:
        if self._sought is not None and (place := row_like(self.lines.rows, self._sought, 0)) is not None:
            self.lines.show_at_top(place)
            self.lines.focus()
            self._sought = None

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

    @property
    def place(self) -> Place | None:
        """Where the cursor of the diff stands; on a comment, the line that it is on."""
        return place_at(self.lines.rows, self.lines.cursor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits what is under the cursor."""
        if not self.query("#diff"):
            return action not in ("comment", "resolve", "delete", "mark")
        if action == "comment":
            place = self.under_cursor
            if not isinstance(place, Place) or place.line is None:
                return False
            # what was before a turn is not what was before the mission
            return self.scope == "mission" or place.side == "new"
        if action in ("resolve", "delete"):
            return isinstance(self.under_cursor, LineComment)
        if action == "mark":
            return self.place is not None
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

    def action_mark(self, whole: bool) -> None:
        """Mark what is under the cursor and go on to what is not reviewed; what was marked is unmarked."""
        place = self.place
        if place is None:
            return
        runs = place.runs
        if whole or not runs:
            runs = next((runs_of(file) for file in files_of(self.diff) if file.get("path") == place.path), ())
        reviewed = not self.reading.has(runs)
        if reviewed:
            step_to(self.lines, unreviewed(Reading("", self.reading.reviewed | {*runs})), 1)
        self.post_message(self.MarkWished(runs, reviewed))

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
        """To a hunk before or after, over the edges of files."""
        step_to(self.lines, is_hunk, step)

    def action_unreviewed(self, step: int) -> None:
        """To a hunk that is not reviewed."""
        if not step_to(self.lines, unreviewed(self.reading), step):
            self.app.tell("Nothing that way is left to review")

    def action_unreviewed_file(self, step: int) -> None:
        """To a file that is not reviewed."""
        if not step_to(self.lines, unreviewed_file(self.reading), step):
            self.app.tell("No file that way is left to review")

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
        path = str(event.row.key)
        place = next(
            (at for at, one in enumerate(self.lines.rows) if isinstance(one.key, Place) and one.key.path == path), None
        )
        if place is not None:
            self.lines.show_at_top(place)

    @on(Lines.Chosen, "#files")
    def _into_diff(self, event: Lines.Chosen) -> None:
        event.stop()
        self.lines.focus()
