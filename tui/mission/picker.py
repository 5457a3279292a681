"""A field for references to missions: what is typed filters a list below it, and enter takes the one it points at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import DescendantBlur, DescendantFocus
from textual.widgets import Input

from ...missions.entities import ListName
from ...missions.ids import short_id
from ...missions.records import record
from ..kit.keyboard.keys import binding
from ..kit.lines import Lines, Row, row
from ..kit.list_names import NAMES
from ..kit.marks import UNICODE, Marks

OFFERED: Final = 6
"""Missions that are shown below the field at once."""
REFERENCE: Final = re.compile(r"(?i)m-\d+")


@record
class Other:
    """A mission that can be picked."""

    number: int
    title: str
    list: ListName

    def meets(self, words: Sequence[str]) -> bool:
        """Whether each of some words in small letters is a part of its number or title."""
        said = f"{short_id(self.number)} {self.title}".lower()
        return all(word in said for word in words)


def parts(text: str) -> tuple[list[str], list[str]]:
    """`M-3, m-9 design tok` as references and as the words that are being typed, in small letters."""
    said = [one for one in re.split(r"[\s,;]+", text) if one]
    chosen = [one.upper() for one in said if REFERENCE.fullmatch(one)]
    return chosen, [one.lower() for one in said if not REFERENCE.fullmatch(one)]


class MissionPicker(Vertical):
    """The field `id` holds the references; below it stand the chosen missions, and with the focus those offered."""

    BINDING_GROUP_TITLE = "Missions"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding("picker.down", "down", "point(1)", "next", "Select the next mission in the list", show=False),
        binding("picker.up", "up", "point(-1)", "previous", "Select the mission above", show=False),
    ]

    def __init__(self, marks: Marks = UNICODE, *, id: str) -> None:  # noqa: A002 (Textual's own word)
        super().__init__(id=f"{id}-picker")
        self.marks, self.field_id = marks, id
        self.others: Sequence[Other] = ()
        self._at: int | None = None
        """The one of the offered missions that enter takes."""

    def compose(self) -> ComposeResult:
        """The field, and the list below it."""
        yield Input(id=self.field_id, placeholder="type part of a title or number")
        lines = Lines(self.marks)
        lines.can_focus = False
        yield lines

    def offer(self, others: Sequence[Other]) -> None:
        """Let a person choose from these."""
        self.others = others
        self._show()

    @property
    def offered(self) -> list[Other]:
        """What meets the words that are being typed, without those that are chosen already."""
        chosen, words = parts(self.query_one(Input).value)
        found = (one for one in self.others if short_id(one.number) not in chosen and one.meets(words))
        exact = {f"m-{word}" for word in words}
        return sorted(found, key=lambda one: short_id(one.number).lower() not in exact)[:OFFERED]

    def action_point(self, step: int) -> None:
        """Point at another mission of the list."""
        if count := len(self.offered):
            self._at = (0 if step > 0 else count - 1) if self._at is None else max(0, min(self._at + step, count - 1))
            self._show()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._at = 0 if parts(event.value)[1] else None
        self._show()

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _entered_or_left(self) -> None:
        self._show()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        """The mission that the list points at, in place of the words; with none it goes on to the next field."""
        offered = self.offered
        if self._at is not None and self._at < len(offered):
            event.stop()
            self._choose(offered[self._at])

    @on(Lines.Chosen)
    def _clicked(self, event: Lines.Chosen) -> None:
        event.stop()
        if isinstance(event.row.key, Other):
            self._choose(event.row.key)

    def _choose(self, other: Other) -> None:
        field = self.query_one(Input)
        chosen, _ = parts(field.value)
        field.value = " ".join([*chosen, short_id(other.number)]) + " "
        field.cursor_position = len(field.value)
        field.focus()

    def _show(self) -> None:
        """The chosen missions by their titles, and with the focus those that can be taken."""
        field, lines = self.query_one(Input), self.query_one(Lines)
        chosen, words = parts(field.value)
        known = {short_id(one.number): one for one in self.others}
        rows: list[Row] = [
            row((f"{self.marks.done} {ref} ", "good"), known[ref].title, wrap=False) for ref in chosen if ref in known
        ]
        offered = self.offered if field.has_focus else []
        for place, one in enumerate(offered):
            pointed = place == self._at
            rows.append(
                row(
                    (f"{self.marks.more if pointed else ' '} {short_id(one.number)} ", "key"),
                    one.title,
                    (f"  {NAMES[one.list]}", "faint"),
                    key=one,
                    wrap=False,
                    under="chosen" if pointed else "",
                )
            )
        if field.has_focus and words and not offered:
            rows.append(row((f"  No mission has {' '.join(words)} in its title or number.", "faint"), wrap=False))
        lines.set_rows(rows)
        lines.display = bool(rows)
        lines.styles.height = max(1, len(rows))
        if field.has_focus:
            self.call_after_refresh(self.scroll_visible, animate=False)
