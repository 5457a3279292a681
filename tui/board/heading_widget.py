"""The rows above the columns, as a widget: it shows a HeadingView and says which name was clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from ...missions.board import ListCount
from ...missions.entities import ListName
from ..kit.marks import UNICODE, Marks
from ..kit.paint import Drawn
from .rows.headings import HeadingView


class Headings(Drawn):
    """Drawn from what the board gives it; a click on a name posts `Chosen`."""

    ALLOW_SELECT = False

    @dataclass
    class Chosen(Message):
        """A list was clicked."""

        in_list: ListName

    def __init__(self, marks: Marks = UNICODE) -> None:
        super().__init__()
        self.view = HeadingView(marks)

    def show(
        self,
        columns: Sequence[tuple[ListName, int]],
        counts: Mapping[ListName, ListCount],
        shown: Mapping[ListName, int] | None,
        active: ListName,
    ) -> None:
        """Draw anew if anything differs."""
        view = self.view
        if (list(columns), counts, shown, active) == (list(view.columns), view.counts, view.shown, view.active):
            return
        height = view.height
        view.columns, view.counts, view.shown, view.active = columns, counts, shown, active
        self.refresh(layout=height != view.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as it shows."""
        return self.view.height

    def list_at(self, x: int, y: int) -> ListName | None:
        """The list whose name stands there."""
        return next((name for row, start, end, name in self.view.places if row == y and start <= x < end), None)

    def on_click(self, event: Click) -> None:
        """Say which list was clicked."""
        name = self.list_at(event.x, event.y)
        if name is not None:
            self.post_message(self.Chosen(name))

    def render_line(self, y: int) -> Strip:
        return self.strip(self.view.row(y, self.size.width))
