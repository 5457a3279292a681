"""The rows above the columns: names, counts and limits; on narrow screens also what is beside them, or tabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from ..missions.board import ListCount
from ..missions.entities import LISTS, ListName
from .card import Line
from .marks import UNICODE, Marks
from .paint import Drawn

NAMES: Final[dict[ListName, str]] = {
    "todo": "Todo", "doing": "Doing", "review": "Review", "done": "Done", "loop": "Loop",
}  # fmt: skip
SHORT: Final[dict[ListName, str]] = {"todo": "Todo", "doing": "Doing", "review": "Rev", "done": "Done", "loop": "Loop"}


def heading(name: ListName, count: ListCount, shown: int | None, marks: Marks) -> Line:
    """Name, count against its limit, and what is worth knowing of the list; `shown` counts what a filter left."""
    total = f"{count.total}/{count.limit}" if count.limit else f"{count.total}"
    parts: Line = [(NAMES[name], "strong"), (f" {total}", "bad" if count.full else "faint")]
    if count.full:
        parts.append((" full", "bad"))
    if shown is not None and shown != count.total:
        parts.append((f" {marks.separator} {shown} shown", "brand"))
    elif name == "todo" and count.ready:
        parts.append((f" {marks.separator} {count.ready} ready", "faint"))
    elif name == "doing" and count.running:
        parts.append((f" {marks.separator} {marks.running} {count.running}", "run"))
    return parts


class Headings(Drawn):
    """Drawn from what the board gives it; a click on a name posts `Chosen`."""

    ALLOW_SELECT = False

    @dataclass
    class Chosen(Message):
        """A list was clicked."""

        in_list: ListName

    def __init__(self, marks: Marks = UNICODE) -> None:
        super().__init__()
        self.marks = marks
        self.counts: Mapping[ListName, ListCount] = {}
        self.shown: Mapping[ListName, int] | None = None
        self.columns: Sequence[tuple[ListName, int]] = ()
        """The lists on screen with the width of each."""
        self.active: ListName = "todo"
        self._places: list[tuple[int, int, int, ListName]] = []

    @property
    def rows(self) -> int:
        """Rows needed: tabs or headings with a rule, and a strip when lists are hidden."""
        return 2 if len(self.columns) in (1, len(LISTS)) else 3

    def show(
        self,
        columns: Sequence[tuple[ListName, int]],
        counts: Mapping[ListName, ListCount],
        shown: Mapping[ListName, int] | None,
        active: ListName,
    ) -> None:
        """Draw anew if anything differs."""
        if (list(columns), counts, shown, active) == (list(self.columns), self.counts, self.shown, self.active):
            return
        rows = self.rows
        self.columns, self.counts, self.shown, self.active = columns, counts, shown, active
        self.refresh(layout=rows != self.rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """See `rows`."""
        return self.rows

    def list_at(self, x: int, y: int) -> ListName | None:
        """The list whose name stands there."""
        return next((name for row, start, end, name in self._places if row == y and start <= x < end), None)

    def on_click(self, event: Click) -> None:
        """Say which list was clicked."""
        name = self.list_at(event.x, event.y)
        if name is not None:
            self.post_message(self.Chosen(name))

    def render_line(self, y: int) -> Strip:
        """Row `y`."""
        width = self.size.width
        self._places = [place for place in self._places if place[0] != y]
        if not self.columns:
            return self.draw([], width)
        drawn = {2: (self._tabs, self._rule), 3: (self._beside, self._heads, self._rule)}[self.rows]
        if len(self.columns) == len(LISTS):
            drawn = (self._heads, self._rule)
        return drawn[y](y, width) if y < len(drawn) else self.draw([], width)

    def _count(self, name: ListName) -> ListCount:
        return self.counts.get(name, ListCount())

    def _heads(self, y: int, width: int) -> Strip:
        strips, at = [], 0
        for name, room in self.columns:
            shown = self.shown.get(name) if self.shown is not None else None
            parts = heading(name, self._count(name), shown, self.marks)
            if name == self.active:
                parts[0] = (parts[0][0], "brand")
            strips.append(self.draw([(" ", ""), *parts], room, ellipsis=self.marks.ellipsis))
            self._places.append((y, at, at + room, name))
            at += room
        return Strip.join(strips).adjust_cell_length(width, self.style_of(""))

    def _rule(self, y: int, width: int) -> Strip:
        parts: Line = []
        for name, room in self.columns:
            active = name == self.active and len(self.columns) > 1
            parts.append((self.marks.rule * room, "brand" if active else "rule"))
        return self.draw(parts, width)

    def _beside(self, y: int, width: int) -> Strip:
        """The strip that names the lists left and right of those on screen."""
        visible = [name for name, _ in self.columns]
        first, last = LISTS.index(visible[0]), LISTS.index(visible[-1])
        left, right = LISTS[:first], LISTS[last + 1 :]
        parts: Line = [(" ", "")]
        used = 1
        if left:
            parts.append((f"{self.marks.less} ", "key"))
            used = self._names(y, parts, left, used + 2)
        end: Line = [(f" {self.marks.more} ", "key")] if right else []
        tail = sum(cell_len(self._short(name)) + 3 for name in right)
        space = max(1, width - used - tail - (3 if right else 0))
        parts.append((" " * space, ""))
        self._names(y, parts, right, used + space)
        return self.draw([*parts, *end], width, ellipsis=self.marks.ellipsis)

    def _names(self, y: int, parts: Line, names: Sequence[ListName], at: int) -> int:
        for name in names:
            text = self._short(name)
            parts += [(text, "bad" if self._count(name).full else "faint"), ("   ", "")]
            self._places.append((y, at, at + cell_len(text), name))
            at += cell_len(text) + 3
        return at

    def _short(self, name: ListName) -> str:
        count = self._count(name)
        limit = f"/{count.limit}" if count.limit else ""
        return f"{NAMES[name]} {count.total}{limit}"

    def _tabs(self, y: int, width: int) -> Strip:
        texts = [(name, f"{SHORT[name]} {self._count(name).total}") for name in LISTS]
        if sum(cell_len(text) + 1 for _, text in texts) > width:
            texts = [(name, f"{SHORT[name][:2]} {self._count(name).total}") for name in LISTS]
        parts: Line = []
        at = 0
        for name, text in texts:
            if name == self.active:
                parts += [(text, "active"), (" ", "")]
            else:
                parts += [(text, "bad" if self._count(name).full else "faint"), (" ", "")]
            self._places.append((y, at, at + cell_len(text), name))
            at += cell_len(text) + 1
        return self.draw(parts, width, ellipsis=self.marks.ellipsis)
