"""What commands print: columns for people, tab-separated lines for pipes, JSON for programs, ids for -q."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..missions.entities import Json, JsonObject
from ..missions.texts.printing import is_printable

if TYPE_CHECKING:
    from .parsing import Options

DIM, BOLD, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"

LEAST_ROOM = 20
"""Cells for the last column of a table, below which a table is not shown in columns."""


class Output:
    """Standard output of one command."""

    def __init__(self, options: Options) -> None:
        self.as_json: bool = options.json
        self.quiet: bool = options.quiet
        self.is_terminal = sys.stdout.isatty()
        self.colour = self.is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        data: Sequence[Json],
        *,
        meta: JsonObject | None = None,
        empty: str = "",
        whole: bool = False,
    ) -> None:
        """A list: aligned under a header on a terminal, tab-separated in a pipe; -q prints the first column alone.

        `empty` is what a person is told on standard error when there is no row. `whole`: the last column goes on below
        where it is too long, and is not cut.
        """
        if self.as_json:
            self._json(list(data), {"count": len(rows), **(meta or {})})
        elif self.quiet:
            for row in rows:
                print(row[0])
        elif not self.is_terminal:
            for row in rows:
                print("\t".join(_one_line(cell) for cell in row))
        elif rows:
            self._aligned(header, [[_one_line(cell) for cell in row] for row in rows], whole)
        if empty and not rows and not self.as_json:
            self.note(empty)

    def record(self, pairs: Sequence[tuple[str, str]], data: Json, *, name: str = "", body: str = "") -> None:
        """One thing: `name`, its values, and long text below; -q prints the name alone."""
        if self.as_json:
            self._json(data)
        elif self.quiet:
            print(name)
        else:
            width = max((len(key) for key, _ in pairs), default=0)
            for key, value in pairs:
                if value:
                    print(
                        f"{self._dim(f'{key:<{width}}')}  {_one_line(value)}"
                        if self.is_terminal
                        else f"{key}\t{_one_line(value)}"
                    )
            if body:
                print()
                self._body(body)

    def text(self, text: str, data: Json) -> None:
        """Text as it is."""
        if self.as_json:
            self._json(data)
        else:
            self._body(text)

    def painted(self, lines: Sequence[tuple[str, str]]) -> None:
        """Lines with the escape sequence each is painted with, where colours are; what a terminal would act on goes."""
        for paint, text in lines:
            print(f"{paint}{self._clean(text)}{PLAIN}" if paint and self.colour else self._clean(text))

    @property
    def columns(self) -> int:
        """Cells of a line: those of the terminal."""
        return _columns()

    def done(self, sentence: str, data: Json, *, name: str = "") -> None:
        """Something was done: said in a sentence; -q prints the name of what was made, if any."""
        if self.as_json:
            self._json(data)
        elif not self.quiet:
            print(_one_line(sentence))
        elif name:
            print(name)

    def note(self, sentence: str) -> None:
        """Something beside the result, on standard error."""
        if not self.quiet:
            print(_one_line(sentence), file=sys.stderr)

    @contextmanager
    def progress(self, doing: str) -> Iterator[None]:
        """Say what takes so long, once it has taken a second."""
        if self.quiet:
            yield
            return
        import threading

        late = threading.Timer(1.0, lambda: print(f"{doing} …", file=sys.stderr, flush=True))
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()

    def _json(self, data: Json, meta: JsonObject | None = None) -> None:
        import json

        indent = 2 if self.is_terminal else None
        text = json.dumps({"data": data, "meta": meta or {}}, ensure_ascii=False, indent=indent)
        print(re.sub(OBEYED, lambda found: f"\\u{ord(found[0]):04x}", text) if self.is_terminal else text)

    def _body(self, text: str) -> None:
        text = self._clean(text)
        print(text, end="" if text.endswith("\n") or not text else "\n")

    def _clean(self, text: str) -> str:
        """The text without what a terminal would act on, where there is one."""
        if not self.is_terminal:
            return text
        return "".join(char if is_printable(char) or char in "\n\t" else "�" for char in text)

    def _aligned(self, header: Sequence[str], rows: Sequence[Sequence[str]], whole: bool) -> None:
        widths = [max(_width(row[n]) for row in (header, *rows)) for n in range(len(header))]
        room = _columns() - sum(width + 2 for width in widths[:-1])
        if room < min(LEAST_ROOM, widths[-1]) and len(header) > 2:
            self._stacked(header, rows, whole)
            return
        room = max(room, LEAST_ROOM)
        print(self._dim(_joined(header, widths)))
        for row in rows:
            first, *more = _lines(row[-1], room) if whole else [_cut(row[-1], room)]
            print(_joined([*row[:-1], first], widths))
            for line in more:
                print(_joined([*([""] * (len(row) - 1)), line], widths))

    def _stacked(self, header: Sequence[str], rows: Sequence[Sequence[str]], whole: bool) -> None:
        """On a terminal too narrow for columns: the first and the last one on a line, the others below."""
        columns = _columns()
        for row in (header, *rows):
            named = f"{row[0]}  {row[-1]}"
            between = _lines("  ".join(row[1:-1]), columns - 2)
            lines = [
                *(_lines(named, columns) if whole else [_cut(named, columns)]),
                *(f"  {one}" for one in between if one),
            ]
            for line in lines:
                print(self._dim(line) if row is header else line)

    def _dim(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if self.colour else text


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - _width(cell)) for cell, width in zip(cells[:-1], widths, strict=False)]
    return "  ".join([*padded, cells[-1]]).rstrip()


OBEYED: Final = "[\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
"""What JSON leaves as it is and a terminal acts on."""


def _one_line(text: str) -> str:
    """Text for one line: no tab, no line break and no control character that a terminal would act on."""
    if is_printable(text):
        return text
    return "".join(char if is_printable(char) else " " for char in text)


def _width(text: str) -> int:
    """Cells on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _cut(text: str, room: int) -> str:
    if _width(text) <= room:
        return text
    kept = ""
    for char in text:
        if _width(kept + char) > room - 1:
            break
        kept += char
    return kept + "…"


def _lines(text: str, room: int) -> list[str]:
    """The words of a text on lines of so many cells."""
    lines = [""]
    for word in text.split():
        if lines[-1] and _width(f"{lines[-1]} {word}") > room:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _columns() -> int:
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(1).columns)
    except (OSError, ValueError):
        return 80
