"""The changes as they are shown: read by a child process, drawn, and left alone while somebody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input

from ....missions.comments import LineComment
from ....missions.entities import Json, JsonObject
from ....missions.errors import SoloUnicornError
from ....missions.review_marks import Reading, Scope
from ...kit.application import Application
from ...kit.commands import as_object
from ...kit.drawing import Line
from ...kit.leaving import is_gone
from ...kit.lines import Lines, Row, row
from ...kit.marks import Marks
from ..data import MissionData
from .finding import with_found
from .head import HeadLine, head_parts, verdict_row
from .lines import DrawnHunks, batches
from .model import files_of
from .places import CONTEXTS, Look
from .rows import diff_rows
from .syntax import coloured
from .tour import in_tour
from .tree import tree_rows
from .walking import row_like

LINES_MAX: Final = 50_000
"""Lines that are read of one diff."""


class LiveChanges(Horizontal):
    """Read by a child process when it is opened. When the work changes the text stays as it is until R is pressed."""

    @dataclass
    class Read(Message):
        """The diff was read; there may be none."""

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
        self.around = CONTEXTS[0]
        self.look = Look()
        self.touring = False
        self.comments: tuple[LineComment, ...] = ()
        self.words = ""
        """What is looked for."""
        self.known = DrawnHunks(coloured)
        self._verdict: Row | None = None
        self._ref = ""
        self._seen: tuple[object, ...] = ()
        self._sought: LineComment | None = None

    def compose(self) -> ComposeResult:
        yield Lines(self.marks, cursor=True, id="files")
        with Vertical():
            yield HeadLine(id="head")
            yield Lines(self.marks, cursor=True, empty="reading the worktree …", id="diff")
            find = Input(placeholder="type words to find, then enter; n and N repeat the search", id="find-in-diff")
            find.display = False
            yield find

    @property
    def lines(self) -> Lines:
        return self.query_one("#diff", Lines)

    @property
    def reading(self) -> Reading:
        """What is marked as reviewed."""
        return self.look.reading

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
        look = replace(self.look, reading=data.reading, rejections=data.rejections)
        verdict = verdict_row(data, self.marks)
        if (data.comments, look, verdict) != (self.comments, self.look, self._verdict):
            self.comments, self.look, self._verdict = data.comments, look, verdict
            if self.diff:
                self._draw()
        if seen != self._seen:
            self._seen = seen
            if files_of(self.diff):
                self._look_for_news(self._ref)
            else:
                self._load(self._ref, self.scope)

    # -- reading -------------------------------------------------------------------------------------------------

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
        around = ("--context", str(self.around))
        return await self.app.commands.ask("mission", "diff", ref, "--scope", scope, *around, *more)

    def _take(self, diff: JsonObject) -> None:
        self.diff, self.news = diff, None
        self._draw()

    # -- drawing -------------------------------------------------------------------------------------------------

    @property
    def shown_comments(self) -> list[LineComment]:
        """Those on the diff, or those on the mission's texts."""
        return [one for one in self.comments if (one.about == "diff") == (self.scope != "texts")]

    @work(exclusive=True, group="diff rows")
    async def _draw(self) -> None:
        if is_gone(self):
            return
        self.look = replace(self.look, width=max(0, self.lines.size.width - 2))
        comments = self.shown_comments
        diff = in_tour(self.diff, comments) if self.touring else self.diff
        portions = list(batches(self.known.missing(diff)))
        for portion in portions or [()]:
            rows, wrapped = await asyncio.to_thread(self._rows, diff, portion, comments, self.look)
            if is_gone(self):
                return
            self.query_one("#files", Lines).set_rows(tree_rows(self.diff, comments, self.marks, self.reading))
            self._show_head()
            self._set_rows(rows, wrapped)
            self._seek()
            self.refresh_bindings()
            self.post_message(self.Read())

    def _rows(
        self, diff: JsonObject, portion: Sequence[tuple[str, JsonObject]], comments: Sequence[LineComment], look: Look
    ) -> tuple[list[Row], list[list[Line]]]:
        """Once a portion of the hunks is coloured, all rows and the lines that they wrap to; runs in a thread."""
        self.known.work_out(portion)
        rows = diff_rows(diff, self.marks, comments, look, self.known) or [row(("  Nothing is changed.", "faint"))]
        shown = with_found([*rows, *([self._verdict] if self._verdict else [])], self.words)
        return shown, [one.wrapped(look.width) for one in shown]

    def _set_rows(self, rows: list[Row], wrapped: list[list[Line]]) -> None:
        """Show these rows; what the cursor stands on stays where it is on the screen."""
        lines = self.lines
        at = lines.cursor or 0
        key, below = (lines.rows[at].key, lines.below_top(at)) if at < len(lines.rows) else (None, 0)
        lines.set_rows(rows, wrapped=wrapped if self.look.width == lines.size.width - 2 else ())
        again = row_like(rows, key, at)
        if again is not None:
            lines.show_at(again, below)

    def _show_head(self) -> None:
        parts = head_parts(self.diff, self.reading, self.scope, news=self.news is not None, touring=self.touring)
        self.query_one(HeadLine).show(parts)

    def _seek(self) -> None:
        if self._sought is not None and (place := row_like(self.lines.rows, self._sought, 0)) is not None:
            self.lines.show_at_top(place)
            self.lines.focus()
            self._sought = None

    def on_resize(self, event: Resize) -> None:
        """Numbers and columns are as wide as there is room."""
        if self.diff:
            self._draw()

    def go_to(self, comment: LineComment) -> None:
        """Show the line of a comment, once the diff is there."""
        if (comment.about == "diff") != (self.scope != "texts"):
            self._wanted = "mission" if comment.about == "diff" else "texts"
            self._load(self._ref, self._wanted)
        self._sought = comment
        self._seek()
