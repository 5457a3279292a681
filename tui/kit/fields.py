"""Settings as a list: a name, a value and what it means on each line; Enter changes it, by its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from textual import on
from textual.message import Message

from ...missions.records import record
from .keyboard.keys import binding
from .lines import Lines, Row, row
from .marks import UNICODE, Marks

Kind = Literal["text", "long", "number", "flag", "choice", "words", "fixed"]
NAME: Final = 24
NARROW: Final = 60
"""Cells below which a value that takes several lines goes on below its name."""


@record
class Field:
    """One setting: its name in Python, what people call it, and how it is changed."""

    name: str
    label: str
    kind: Kind = "text"
    about: str = ""
    choices: tuple[tuple[str | None, str], ...] = ()
    """For a choice: the values with their words, in the order in which Enter goes through them."""
    group: str = ""
    """The heading above it, for the first of a group."""


class FieldList(Lines):
    """Shows values; says which one the person wants to change."""

    BINDING_GROUP_TITLE = "Settings"
    BINDINGS = [  # noqa: RUF012
        binding("fields.change", "enter", "choose", "change", "Change this setting", label="⏎")
    ]

    @dataclass
    class Wanted(Message):
        """Change this one; `value` is what it is now."""

        field: Field
        value: object

    def __init__(self, marks: Marks = UNICODE, *, id: str | None = None, empty: str = "") -> None:  # noqa: A002
        super().__init__(marks, cursor=True, id=id, empty=empty)
        self._was_narrow = False
        self.fields: Sequence[Field] = ()
        self.values: Mapping[str, object] = {}

    def offer(self, fields: Sequence[Field], values: Mapping[str, object]) -> None:
        """Show fields with their values."""
        self.fields, self.values = fields, values
        rows: list[Row] = []
        for field in fields:
            if field.group:
                rows += [*([row("")] if rows else []), row((f" {field.group}", "strong"))]
            rows.append(self._row(field, values.get(field.name)))
        first = not self.rows
        self.set_rows(rows)
        if first:
            self.cursor = next((at for at, one in enumerate(rows) if isinstance(one.key, Field)), 0)

    def _row(self, field: Field, value: object) -> Row:
        said, role = shown(field, value, self.marks)
        narrow = self._is_narrow
        name = f"   {field.label:<{NAME * 2 // 3 if narrow else NAME}} "
        about = f"  {field.about}" if field.about else ""
        role = "faint" if field.kind == "fixed" else role
        return row((name, "faint"), (said, role), (about, "faint"), key=field, indent=5 if narrow else len(name))

    @property
    def _is_narrow(self) -> bool:
        return 0 < self.size.width < NARROW

    def on_resize(self) -> None:
        """A narrow list breaks its lines elsewhere."""
        if self._was_narrow != self._is_narrow:
            self._was_narrow = self._is_narrow
            self.offer(self.fields, self.values)

    @on(Lines.Chosen)
    def _choose(self, event: Lines.Chosen) -> None:
        event.stop()
        if isinstance(event.row.key, Field) and event.row.key.kind != "fixed":
            self.post_message(self.Wanted(event.row.key, self.values.get(event.row.key.name)))


def shown(field: Field, value: object, marks: Marks) -> tuple[str, str]:
    """A value in words, with its role."""
    match field.kind, value:
        case "flag", _:
            return (f"{marks.checked} yes", "good") if value else (f"{marks.unchecked} no", "")
        case "choice", _:
            return next((word for choice, word in field.choices if choice == value), str(value or "none")), "strong"
        case _, None | "" | ():
            return "none", "faint"
        case _, tuple() | list():
            return ", ".join(map(str, value)), ""
        case _, datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M"), ""
        case "long", _:
            first, *rest = str(value).strip().splitlines()
            return first + (f"  … {len(rest)} lines more" if rest else ""), ""
    return str(value), ""


def next_choice(field: Field, value: object) -> str | None:
    """The choice after this one, round at the end."""
    values = [choice for choice, _ in field.choices]
    return values[(values.index(value) + 1) % len(values)] if value in values else values[0]
