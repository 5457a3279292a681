"""The top line: which project, which filter, what runs, and always what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from textual.events import Click
from textual.message import Message
from textual.strip import Strip

from ..kit.drawing import Part
from ..kit.keyboard.jump import Target
from ..kit.marks import UNICODE, Marks
from ..kit.paint import Drawn
from .data import Summary
from .top_view import TopView


class TopLine(Drawn):
    """Drawn from the summary of the board."""

    ALLOW_SELECT = False

    @dataclass
    class Clicked(Message):
        """A piece was clicked."""

        action: str

    def __init__(self, marks: Marks = UNICODE, *, slots: int = 0) -> None:
        super().__init__()
        self.view = TopView(Summary(None), marks, slots)
        self._places: list[tuple[int, int, str]] = []

    def show(
        self,
        *,
        summary: Summary | None = None,
        query: str | None = None,
        service: Part | None = None,
        marked: int | None = None,
    ) -> None:
        before = self.view
        self.view = replace(
            before,
            summary=before.summary if summary is None else summary,
            filter=before.filter if query is None else query,
            service=before.service if service is None else service,
            marked=before.marked if marked is None else marked,
        )
        if before != self.view:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        row, self._places = self.view.row(self.size.width)
        return self.strip(row)

    def jump_targets(self) -> Iterator[Target]:
        """What can be clicked."""
        for start, _, action in self._places:
            if action:
                yield Target(self.region.x + start, self.region.y, partial(self.post_message, self.Clicked(action)))

    def on_click(self, event: Click) -> None:
        """Say what was clicked."""
        action = next((action for start, end, action in self._places if start <= event.x < end), "")
        if action:
            self.post_message(self.Clicked(action))
