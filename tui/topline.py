"""The top line: which project, which filter, what runs, and always what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual.events import Click
from textual.message import Message
from textual.strip import Strip

from ..missions.records import record
from .card import Line, Part
from .data import Summary
from .marks import UNICODE, Marks
from .paint import Drawn

NAME: Final = "solo unicorn"
GAP: Final = 3
NARROW: Final = 60


@record
class Piece:
    """A part of the line with the action that a click on it runs; low ranks go first when there is no room."""

    parts: tuple[Part, ...]
    action: str = ""
    rank: int = 0
    right: bool = False

    @property
    def width(self) -> int:
        """Cells that it takes."""
        return sum(cell_len(text) for text, _ in self.parts)


class TopLine(Drawn):
    """Drawn from the summary of the board."""

    ALLOW_SELECT = False

    @dataclass
    class Clicked(Message):
        """A piece was clicked."""

        action: str

    def __init__(self, marks: Marks = UNICODE, *, slots: int = 0) -> None:
        super().__init__()
        self.marks = marks
        self.slots = slots
        self.summary = Summary(None)
        self.filter = ""
        self.service: Part = ("", "")
        """What is worth saying of the workstation service; empty when all is well."""
        self._places: list[tuple[int, int, str]] = []

    def show(self, *, summary: Summary | None = None, query: str | None = None, service: Part | None = None) -> None:
        """Show what changed."""
        before = (self.summary, self.filter, self.service)
        self.summary = summary if summary is not None else self.summary
        self.filter = query if query is not None else self.filter
        self.service = service if service is not None else self.service
        if before != (self.summary, self.filter, self.service):
            self.refresh()

    def _pieces(self) -> list[Piece]:
        marks, around = self.marks, self.summary
        pieces = [Piece(((NAME, "brand"),), rank=2)]
        if around.project is not None:
            name = [(around.project.name, "strong")]
            if len(around.projects) > 1:
                name.append((f" {marks.choose}", "faint"))
            pieces.append(Piece(tuple(name), "projects", rank=6))
            noun = "repository" if around.repositories == 1 else "repositories"
            pieces.append(Piece(((f"{around.repositories} {noun}", "faint"),), rank=1))
            if around.project.is_sample:
                pieces.append(Piece((("X", "key"), (" removes the sample", "faint")), "remove_sample", rank=4))
            if around.project.paused:
                pieces.append(Piece((("paused", "wait"),), rank=5))
        if self.filter:
            pieces.append(Piece((("/ ", "key"), (self.filter, "brand")), "filter", rank=7, right=True))
        if around.read_only:
            pieces.append(Piece((("read only", "bad"),), rank=8, right=True))
        if self.service[0]:
            pieces.append(Piece((self.service,), "workstation", rank=5, right=True))
        pieces.append(Piece((self._runs(around),), "workstation", rank=7, right=True))
        pieces.append(Piece((self._waits(around.waiting),), "inbox", rank=9, right=True))
        return pieces

    @property
    def _short(self) -> bool:
        return self.size.width < NARROW

    def _runs(self, around: Summary) -> Part:
        word = "paused" if around.paused else "running"
        mark = f"{self.marks.parked} " if around.paused else f"{self.marks.running} " if around.running else ""
        role = "wait" if around.paused else "run" if around.running else "faint"
        if self._short:
            return f"{mark or self.marks.running + ' '}{around.running}/{self.slots}", role
        of = f" of {self.slots}" if self.slots else ""
        return f"{mark}{around.running}{of} {word}", role

    def _waits(self, count: int) -> Part:
        role = "wait" if count else "faint"
        if self._short:
            return f"{self.marks.waits} {count}", role
        if not count:
            return "nothing waits for you", role
        return f"{self.marks.waits} {count} {'waits' if count == 1 else 'wait'} for you", role

    def render_line(self, y: int) -> Strip:
        """The line, without the pieces that there is no room for."""
        width = self.size.width
        pieces = self._pieces()
        while len(pieces) > 1 and sum(piece.width + GAP for piece in pieces) > width + 1:
            pieces.remove(min(pieces, key=lambda piece: piece.rank))
        free = width - 2 - sum(piece.width for piece in pieces) - GAP * (len(pieces) - 1)
        self._places = []
        line: Line = [(" ", "")]
        at, left = 1, True
        for index, piece in enumerate(pieces):
            gap = GAP if index else 0
            if left and piece.right:
                gap, left = gap + max(0, free), False
            line += [(" " * gap, ""), *piece.parts]
            at += gap
            self._places.append((at, at + piece.width, piece.action))
            at += piece.width
        return self.draw(line, width, ellipsis=self.marks.ellipsis)

    def on_click(self, event: Click) -> None:
        """Say what was clicked."""
        action = next((action for start, end, action in self._places if start <= event.x < end), "")
        if action:
            self.post_message(self.Clicked(action))
