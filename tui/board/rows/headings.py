"""What stands above the columns, row by row: names, counts and limits; on narrow screens also what is beside them.

No widget and no Textual, so that the first frame has it too; board/heading_widget.py is the widget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final

from rich.cells import cell_len

from ....missions.board import ListCount
from ....missions.entities import LISTS, ListName
from ...kit.drawing import Line, Row, cut, fit
from ...kit.list_names import NAMES
from ...kit.marks import PLAIN, UNICODE, Marks

SHORT: Final[dict[ListName, str]] = {"todo": "Todo", "doing": "Doing", "review": "Rev", "done": "Done", "loop": "Loop"}
COLUMN_WIDTH: Final = 26
"""Cells that a column needs; fewer columns are shown when there is less room."""


EMPTY_WIDTH: Final = 18
"""Cells of a list without missions: its name, its limit, and a sentence below each other."""
COLLAPSED_WIDTH: Final = 4
"""Cells of a collapsed list."""
EDGES: Final = 2
"""Rows of the first and the last line of the screen."""
METER: Final = 6
"""The greatest limit that is shown as a row of slots."""


def arrange(
    width: int,
    active: ListName,
    first: int = 0,
    collapsed: Set[ListName] = frozenset(),
    empty: Set[ListName] = frozenset(),
) -> tuple[int, list[tuple[ListName, int]]]:
    """The lists that fit into `width` with the width of each, the active one among them.

    `first` is the place, among the lists that are not collapsed, of the leftmost one shown before; the first value
    returned is the one shown now. Empty lists are thin, the others share what is left. Collapsed lists take little
    room; where only one list fits they are left out.
    """
    open_lists = [name for name in LISTS if name not in collapsed or name == active]
    closed = [name for name in LISTS if name not in open_lists]
    if width < 2 * COLUMN_WIDTH:
        return LISTS.index(active), [(active, width)]
    room = width - COLLAPSED_WIDTH * len(closed)
    needs = [EMPTY_WIDTH if name in empty else COLUMN_WIDTH for name in open_lists]
    at = open_lists.index(active)
    first = max(0, min(first, at))
    last = first + 1  # the place after the rightmost one
    while last < len(needs) and sum(needs[first : last + 1]) <= room:
        last += 1
    while last <= at:  # on to the active one
        last += 1
        while sum(needs[first:last]) > room and first < at:
            first += 1
    while first > 0 and sum(needs[first - 1 : last]) <= room:
        first -= 1
    shown = open_lists[first:last]
    thin = [name for name in shown if name in empty]
    if len(thin) == len(shown):  # all alike
        thin = []
    others = [name for name in shown if name not in thin]
    share, over = divmod(room - EMPTY_WIDTH * len(thin), len(others))
    wide = dict.fromkeys(thin, EMPTY_WIDTH) | {name: share + (place < over) for place, name in enumerate(others)}
    return first, [(name, wide.get(name, COLLAPSED_WIDTH)) for name in LISTS if name in wide or name in closed]


def rows_of(columns: Sequence[tuple[ListName, int]]) -> int:
    """Rows above these columns: tabs or headings with a rule, and a strip when lists are hidden."""
    return 2 if len(columns) in (1, len(LISTS)) else 3


def is_collapsed(name: ListName, width: int, active: ListName, collapsed: Set[ListName]) -> bool:
    """Whether a list of a board that is so wide shows its name only."""
    return name in collapsed and name != active and width >= 2 * COLUMN_WIDTH


def heading(name: ListName, count: ListCount, shown: int | None, marks: Marks) -> Line:
    """Name, count against its limit, and what is worth knowing of the list; `shown` counts what a filter left."""
    total = f"{count.total}/{count.limit}" if count.limit else f"{count.total}"
    parts: Line = [(NAMES[name], "strong"), (f" {total}", "bad" if count.full else "faint")]
    if count.limit and count.limit <= METER:
        taken = min(count.total, count.limit)
        parts.append((f" {marks.slot * taken}", "bad" if count.full else "run"))
        parts.append((marks.free * (count.limit - taken), "faint"))
    if count.full:
        over = count.limit is not None and count.total > count.limit
        parts.append((f" {count.total - (count.limit or 0)} over" if over else " full", "bad"))
    if shown is not None and shown != count.total:
        parts.append((f" {marks.separator} {shown} shown", "brand"))
    elif name == "todo" and count.ready:
        parts.append((f" {marks.separator} {count.ready} ready", "faint"))
    elif name == "doing" and count.running:
        parts.append((f" {marks.separator} {marks.running} {count.running}", "run"))
    return parts


class HeadingView:
    """Its rows, and where in them each list's name stands."""

    def __init__(self, marks: Marks = UNICODE) -> None:
        self.marks = marks
        self.counts: Mapping[ListName, ListCount] = {}
        self.shown: Mapping[ListName, int] | None = None
        self.columns: Sequence[tuple[ListName, int]] = ()
        """The lists on screen with the width of each."""
        self.active: ListName = "todo"
        self.places: list[tuple[int, int, int, ListName]] = []
        """(row, start, end, list) of every name in the rows drawn last."""

    @property
    def height(self) -> int:
        return rows_of(self.columns)

    def row(self, y: int, width: int) -> Row:
        self.places = [place for place in self.places if place[0] != y]
        if not self.columns:
            return self._fit([], width)
        drawn = {2: (self._tabs, self._rule), 3: (self._beside, self._heads, self._rule)}[self.height]
        if len(self.columns) == len(LISTS):
            drawn = (self._heads, self._rule)
        return drawn[y](y, width) if y < len(drawn) else self._fit([], width)

    def _fit(self, parts: Line, width: int) -> Row:
        return fit(parts, width, ellipsis=self.marks.ellipsis, plain=self.marks is PLAIN)

    def _count(self, name: ListName) -> ListCount:
        return self.counts.get(name, ListCount())

    def _heads(self, y: int, width: int) -> Row:
        row: Row = []
        at = 0
        for name, room in self.columns:
            shown = self.shown.get(name) if self.shown is not None else None
            if room == COLLAPSED_WIDTH:
                row += self._fit(
                    [(f"{self._count(name).total:>3}", "bad" if self._count(name).full else "faint")], room
                )
                self.places.append((y, at, at + room, name))
                at += room
                continue
            parts = heading(name, self._count(name), shown, self.marks)
            if name == self.active:
                parts[0] = (parts[0][0], "brand")
            row += self._fit([(" ", ""), *parts], room)
            self.places.append((y, at, at + room, name))
            at += room
        return cut(row, width)

    def _rule(self, y: int, width: int) -> Row:
        parts: Line = []
        for name, room in self.columns:
            active = name == self.active and len(self.columns) > 1
            parts.append((self.marks.rule * room, "brand" if active else "rule"))
        return self._fit(parts, width)

    def _beside(self, y: int, width: int) -> Row:
        """The strip that names the lists left and right of those on screen."""
        visible = [name for name, _ in self.columns]
        open_lists = [name for name, room in self.columns if room != COLLAPSED_WIDTH]
        before = LISTS.index(open_lists[0])
        hidden = [name for name in LISTS if name not in visible]
        left = [name for name in hidden if LISTS.index(name) < before]
        right = [name for name in hidden if name not in left]
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
        return self._fit([*parts, *end], width)

    def _names(self, y: int, parts: Line, names: Sequence[ListName], at: int) -> int:
        for name in names:
            text = self._short(name)
            parts += [(text, "bad" if self._count(name).full else "faint"), ("   ", "")]
            self.places.append((y, at, at + cell_len(text), name))
            at += cell_len(text) + 3
        return at

    def _short(self, name: ListName) -> str:
        count = self._count(name)
        limit = f"/{count.limit}" if count.limit else ""
        return f"{NAMES[name]} {count.total}{limit}"

    def _tabs(self, y: int, width: int) -> Row:
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
            self.places.append((y, at, at + cell_len(text), name))
            at += cell_len(text) + 1
        return self._fit(parts, width)
