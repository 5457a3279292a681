"""A long list of lines, drawn and not mounted: transcripts, diffs, histories, panels.

It takes rows of (text, role) parts, wraps them to its width when they are first needed, keeps a cursor where it was,
and follows the end while the reader is there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import ClassVar

from textual.binding import BindingType
from textual.events import Click, Key
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ...missions.errors import SoloUnicornError
from ...missions.records import record
from .counts import Counts
from .drawing import Line, wrapped
from .keyboard.jump import Target
from .keyboard.keys import binding
from .marks import UNICODE, Marks
from .paint import Drawn
from .wrapping import paragraphs, wrap_parts


@record
class Row:
    """One entry; `indent` goes before the lines that it wraps to, `key` says what it is of."""

    parts: tuple[tuple[str, str], ...]
    key: object = None
    indent: int = 0
    wrap: bool = True
    under: str = ""
    """Role of its background."""

    def wrapped(self, width: int) -> list[Line]:
        """The lines that it wraps to."""
        return wrap_parts(self.parts, width, self.indent) if self.wrap else paragraphs(self.parts)


def row(*parts: tuple[str, str] | str, key: object = None, indent: int = 0, wrap: bool = True, under: str = "") -> Row:
    """A row of parts; a plain string has no role."""
    return Row(tuple(part if isinstance(part, tuple) else (part, "") for part in parts), key, indent, wrap, under)


def trouble(error: SoloUnicornError) -> list[Row]:
    """What happened, why, and what to do, in place of what could not be read."""
    said = ((error.what, "bad"), (error.why, "faint"), (error.todo, ""))
    return [row((f" {text}", role), indent=1) for text, role in said if text]


class Lines(Drawn, ScrollView, can_focus=True):
    """Rows one below the other; it shows itself how far it is scrolled."""

    DEFAULT_CSS = "Lines { overflow: hidden hidden; }"
    ALLOW_SELECT = False
    BINDING_GROUP_TITLE = "List"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding("list.up", "up,k", "step(-1)", "up", "The line above", show=False),
        binding("list.down", "down,j", "step(1)", "down", "The line below", show=False),
        binding("list.page_up", "pageup,ctrl+b", "page(-1)", "page up", "A screenful up", show=False),
        binding("list.page_down", "pagedown,ctrl+f", "page(1)", "page down", "A screenful down", show=False),
        binding("list.first", "home", "first", "first line", "To the top (also gg)", show=False),
        binding("list.last", "end,G", "last", "last line", "To the end, and follow it", show=False),
        binding("list.choose", "enter", "choose", "open", "Unfold or open the line under the cursor", show=False),
    ]

    cursor: var[int | None] = var(None)
    """Row under the cursor; None for a list that is only read."""

    @dataclass
    class Chosen(Message):
        """Enter or a click on a row."""

        lines: Lines
        row: Row
        index: int

        @property
        def control(self) -> Lines:
            return self.lines

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on another row."""

        lines: Lines
        row: Row | None

        @property
        def control(self) -> Lines:
            return self.lines

    def __init__(
        self,
        marks: Marks = UNICODE,
        *,
        cursor: bool = False,
        follow: bool = False,
        empty: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.marks = marks
        self.rows: list[Row] = []
        self.empty = empty
        self.selects = cursor
        self.following = follow
        self._counts = Counts({"g": "first"})
        self.counting = True
        """Whether digits are numbers before a key; not where they are keys themselves."""
        self.begun: int | None = None
        """The row that a range to the cursor was begun at."""
        self.least = 0
        """At least so many lines high and as high as its rows; 0: the style sheet says how high it is."""
        self._wrapped: list[list[Line] | None] = []
        self._tops = [0]
        if cursor:
            self.set_reactive(Lines.cursor, 0)

    @property
    def allow_vertical_scroll(self) -> bool:
        """Wheel and keys scroll although there is no scroll bar: Textual's are never made."""
        return True

    # -- rows ----------------------------------------------------------------------------------------------------

    def set_rows(self, rows: Sequence[Row], *, since: int = 0, wrapped: Sequence[list[Line]] = ()) -> None:
        """Show these rows; those before `since` are the ones shown already. `wrapped`: as they wrap to our width."""
        known = self.rows
        same = [index < since for index in range(len(rows))]
        if not since:
            same = [index < len(known) and known[index] == new for index, new in enumerate(rows)]
        before = wrapped or self._wrapped
        kept = [bool(wrapped) or one for one in same]
        self._wrapped = [before[index] if kept[index] and index < len(before) else None for index in range(len(rows))]
        self.rows = list(rows)
        if self.cursor is not None and self.cursor >= len(rows):
            self.set_reactive(Lines.cursor, max(0, len(rows) - 1))
        first = next((index for index, kept in enumerate(same) if not kept), len(rows))
        if first == len(rows) == len(known):
            return
        self._measure(first)
        if self.following:
            self._to_end()
        elif self.scroll_offset.y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
        self.refresh()

    def _measure(self, first: int = 0) -> None:
        if not self.size.width:
            return
        heights = [len(self.lines_of(index)) for index in range(first, len(self.rows))]
        start = self._tops[first] if first < len(self._tops) else 0
        self._tops = [*self._tops[:first], *accumulate(heights, initial=start)]
        self.set_reactive(Lines.virtual_size, Size(self.size.width, self._tops[-1]))
        if self.least:
            self.styles.height = max(self.least, self._tops[-1])

    def lines_of(self, index: int) -> list[Line]:
        """A row as the lines that it wraps to here."""
        known = self._wrapped[index]
        if known is None:
            known = self._wrapped[index] = self.rows[index].wrapped(self.size.width - 2)
        return known

    def _to_end(self) -> None:
        if self.size.height:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
            if self.selects and self.rows:
                self.set_reactive(Lines.cursor, len(self.rows) - 1)

    # -- moving --------------------------------------------------------------------------------------------------

    async def on_key(self, event: Key) -> None:
        """Numbers before a key, and gg."""
        if not self.counting or (event.key.isdigit() and event.key in self.screen.active_bindings):
            return
        if not {event.key, "g"} & self._bindings.key_to_bindings.keys() or event.key in ("escape", "enter"):
            self._counts.forget()
        action = None if "g" in self._bindings.key_to_bindings else self._counts.feed(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            if action:
                await self.run_action(action)

    def action_first(self) -> None:
        """To the top, or with a number before it to that line."""
        self._to(self._counts.take() - 1)

    def action_last(self) -> None:
        """To the end, or with a number before it to that line."""
        self._to(self._counts.take(1_000_001) - 1)

    def _to(self, index: int) -> None:
        if self.selects:
            self.action_step(index - (self.cursor or 0))
        else:
            self.action_step(min(index, max(0, self._tops[-1] - 1)) - self.scroll_offset.y)

    def action_step(self, step: int) -> None:
        """The cursor, or the view where there is none, up or down; a number before the key says how far."""
        step *= self._counts.take()
        if not self.selects:
            self.scroll_relative(y=step, animate=False, force=True, immediate=True)
        elif self.rows:
            self.cursor = max(0, min((self.cursor or 0) + step, len(self.rows) - 1))
        self._note_following()

    def action_page(self, direction: int) -> None:
        """A screenful up or down."""
        self.scroll_relative(y=direction * max(1, self.size.height - 2), animate=False, force=True, immediate=True)
        if self.selects and self.rows:
            at = self.scroll_offset.y + (0 if direction < 0 else self.size.height - 1)
            self.cursor = self._index(min(at, self._tops[-1] - 1))
        self._note_following()

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.cursor is not None and self.cursor < len(self.rows):
            self.post_message(self.Chosen(self, self.rows[self.cursor], self.cursor))

    def follow(self, on: bool) -> None:
        """Stay at the end as rows come, or stay here."""
        self.following = on
        if on:
            self._to_end()
            self.refresh()

    def begin_range(self, index: int | None) -> None:
        """Begin a range at a row, or (None) have none."""
        self.begun = index
        self.refresh()

    def _note_following(self) -> None:
        self.following = self.following and self.scroll_offset.y >= self.max_scroll_y

    def _on_mouse_scroll_up(self, event: object) -> None:
        """Who scrolls up reads: stop following."""
        self.following = False
        super()._on_mouse_scroll_up(event)  # type: ignore[arg-type]

    def watch_cursor(self, before: int | None, after: int | None) -> None:
        """Show the cursor's row."""
        if self.begun is not None:
            self.refresh()
        for index in (before, after):
            if index is not None and index < len(self._tops) - 1:
                self.refresh_lines(self._tops[index], self._tops[index + 1] - self._tops[index])
        self.show_cursor()
        shown = self.rows[after] if after is not None and after < len(self.rows) else None
        self.post_message(self.CursorMoved(self, shown))

    def show_cursor(self) -> None:
        """Bring the cursor's row into view."""
        if self.cursor is None or self.cursor >= len(self._tops) - 1 or not self.size.height:
            return
        top, bottom = self._tops[self.cursor], self._tops[self.cursor + 1]
        at = self.scroll_offset.y
        at = max(at, bottom - self.size.height)
        at = min(at, top)
        if at != self.scroll_offset.y:
            self.scroll_to(y=at, animate=False, force=True, immediate=True)

    def show_at_top(self, index: int) -> None:
        """Put the cursor on a row and the row at the top of the view."""
        self.show_at(index, 0)

    def show_at(self, index: int, below: int) -> None:
        """Put the cursor on a row and the row so many lines below the top of the view."""
        self.set_reactive(Lines.cursor, index)
        y = max(0, min(self._tops[index] - below, self.max_scroll_y))
        self.scroll_to(y=y, animate=False, force=True, immediate=True)
        self.refresh()

    def below_top(self, index: int) -> int:
        """How many lines below the top of the view a row stands."""
        return self._tops[index] - self.scroll_offset.y if index < len(self._tops) else 0

    def on_click(self, event: Click) -> None:
        index = self.index_at(event.y)
        if index is None:
            return
        if self.selects:
            self.cursor = index
        self.post_message(self.Chosen(self, self.rows[index], index))

    def jump_targets(self) -> Iterator[Target]:
        """The rows in view that can be chosen, else the list itself."""
        region, top = self.region, self.scroll_offset.y
        if not self.selects:
            yield Target(region.x, region.y, self.focus)
            return
        for index, start in enumerate(self._tops[:-1]):
            if 0 <= start - top < region.height:
                yield Target(region.x, region.y + start - top, partial(self._jump, index))

    def _jump(self, index: int) -> None:
        self.focus()
        if index < len(self.rows):
            self.cursor = index

    def index_at(self, y: int) -> int | None:
        """The row drawn there."""
        at = y + self.scroll_offset.y
        return self._index(at) if 0 <= at < self._tops[-1] else None

    def _index(self, at: int) -> int:
        return max(0, min(bisect_right(self._tops, at) - 1, len(self.rows) - 1))

    # -- painting ------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Another width wraps otherwise."""
        self._wrapped = [None] * len(self.rows)
        self._measure()
        if self.following:
            self._to_end()
        self.show_cursor()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of a row, with the gutter that shows how far it is."""
        width = self.size.width
        if not self.rows:
            said = wrapped(self.empty, max(4, width - 4), self.size.height)
            return self.draw([(f"  {said[y - 1]}", "faint")] if 0 < y <= len(said) else [], width)
        at = y + self.scroll_offset.y
        if at >= self._tops[-1]:
            return self.draw([], width)
        index = self._index(at)
        entry = self.rows[index]
        lines = self.lines_of(index)
        within = at - self._tops[index]
        on = self.selects and index == self.cursor
        if self.begun is not None and self.cursor is not None:
            on = min(self.begun, self.cursor) <= index <= max(self.begun, self.cursor)
        under = f"{entry.under} chosen" if on and (self.has_focus or entry.under == "") else entry.under
        mark = " "
        if self.has_focus and (on or not self.selects):  # a list without a cursor shows at its edge that keys scroll it
            mark = self.marks.thumb if on else self.marks.gutter
        line = lines[within] if within < len(lines) else []
        strip = self.draw([(mark, "frame"), *line], width - 1, under=under, ellipsis=self.marks.ellipsis)
        return Strip.join([strip, self._gutter(y)])

    def _gutter(self, y: int) -> Strip:
        height, total = self.size.height, self._tops[-1]
        if total <= height:
            return self.draw([], 1)
        long = max(1, round(height * height / total))
        top = round(self.scroll_offset.y * (height - long) / max(1, total - height))
        return self.draw([(self.marks.thumb, "faint") if top <= y < top + long else (self.marks.gutter, "rule")], 1)
