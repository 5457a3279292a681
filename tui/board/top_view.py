"""What the top line says: the project, the filter, what runs, what waits for a person.

No widget and no Textual, so that the first frame has it too; board/topline.py is the widget.
"""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from ...missions.connected import NEEDS_YOU, WELL
from ...missions.records import record
from ..kit.drawing import Line, Part, Row, fit
from ..kit.keyboard.key_row import NARROW
from ..kit.marks import PLAIN, Marks
from .data import Summary

NAME: Final = "solo unicorn"
GAP: Final = 3


@record
class Piece:
    """A part of the top line with the action that a click on it runs; low ranks go first when there is no room."""

    parts: tuple[Part, ...]
    action: str = ""
    rank: int = 0
    right: bool = False

    @property
    def width(self) -> int:
        """Cells that it takes."""
        return sum(cell_len(text) for text, _ in self.parts)


@record
class TopView:
    """All that the top line is made of."""

    summary: Summary
    marks: Marks
    slots: int = 0
    filter: str = ""
    service: Part = ("", "")
    """What is worth saying of the workstation service; empty when all is well."""
    marked: int = 0
    """How many cards are marked."""

    def row(self, width: int) -> tuple[Row, list[tuple[int, int, str]]]:
        """The line without the pieces that there is no room for, and where each action stands."""
        pieces = self._pieces(width < NARROW)
        while len(pieces) > 1 and sum(piece.width + GAP for piece in pieces) > width + 1:
            pieces.remove(min(pieces, key=lambda piece: piece.rank))
        free = width - 2 - sum(piece.width for piece in pieces) - GAP * (len(pieces) - 1)
        places = []
        line: Line = [(" ", "")]
        at, left = 1, True
        for index, piece in enumerate(pieces):
            gap = GAP if index else 0
            if left and piece.right:
                gap, left = gap + max(0, free), False
            line += [(" " * gap, ""), *piece.parts]
            at += gap
            places.append((at, at + piece.width, piece.action))
            at += piece.width
        return fit(line, width, ellipsis=self.marks.ellipsis, plain=self.marks is PLAIN), places

    def _pieces(self, short: bool) -> list[Piece]:
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
        if self.marked:
            pieces.append(Piece(((f"{marks.picked} {self.marked} marked", "brand"),), "escape", rank=8, right=True))
        if self.filter:
            pieces.append(Piece((("/ ", "key"), (self.filter, "brand")), "filter", rank=7, right=True))
        if around.read_only:
            pieces.append(Piece((("read only", "bad"),), rank=8, right=True))
        if around.sync.connected:
            pieces.append(Piece((self._synced(short),), "conflicts", rank=8, right=True))
            if around.sync.brief:
                pieces.append(Piece(((around.sync.brief, "faint"),), "conflicts", rank=3, right=True))
        if self.service[0]:
            pieces.append(Piece((self.service,), "workstation", rank=8, right=True))
        pieces.append(Piece((self._runs(short),), "workstation", rank=7, right=True))
        pieces.append(Piece((self._waits(short),), "inbox", rank=9, right=True))
        return pieces

    def _runs(self, short: bool) -> Part:
        around = self.summary
        word = "paused" if around.paused else "running"
        mark = f"{self.marks.parked} " if around.paused else f"{self.marks.running} " if around.running else ""
        role = "wait" if around.paused else "run" if around.running else "faint"
        if short:
            return f"{mark or self.marks.running + ' '}{around.running}/{self.slots}", role
        of = f" of {self.slots}" if self.slots else ""
        return f"{mark}{around.running}{of} {word}", role

    def _synced(self, short: bool) -> Part:
        """How the project stands with its hub, always in sight."""
        state, marks = self.summary.sync, self.marks
        if state.conflicts or state.kind in NEEDS_YOU or state.parked:
            mark, role = marks.conflict if state.conflicts else marks.attention, "bad"
        elif state.kind not in WELL:
            mark, role = marks.attention, "wait"
        else:
            mark, role = (marks.unsynced, "wait") if state.waiting else (marks.done, "faint")
        if short:
            count = state.conflicts + state.parked or state.waiting
            return f"{mark}{count or ''}", role
        return f"{mark} {state.word}", role

    def _waits(self, short: bool) -> Part:
        count = self.summary.waiting
        role = "wait" if count else "faint"
        if short:
            return f"{self.marks.waits} {count}", role
        if not count:
            return "nothing waits for you", role
        return f"{self.marks.waits} {count} {'waits' if count == 1 else 'wait'} for you", role
