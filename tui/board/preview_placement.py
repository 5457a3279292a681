"""The preview of the mission under the cursor, beside the board or below it."""

from __future__ import annotations

from textual.timer import Timer

from . import data
from .live import LiveBoard

REST_SECONDS = 0.06
"""The cursor rests on a card for this long before the preview reads it."""
BESIDE = 100
"""With fewer cells the preview stands below the board."""


class PreviewBeside:
    """Brings the preview in and out as the view says, and lets it follow the cursor."""

    def __init__(self, screen: LiveBoard) -> None:
        self.screen = screen
        self._resting: Timer | None = None

    def show(self) -> None:
        """Bring the preview in or out."""
        screen = self.screen
        there = screen.query("#preview")
        if screen.model.view.preview and not there:
            from .preview import Preview

            screen.mount(Preview(screen.app.marks))
            self.fit()
            screen.call_after_refresh(self._read)
        elif not screen.model.view.preview and there:
            there.remove()

    def fit(self) -> None:
        """It stands beside the board, or below it where there is no room."""
        size = self.screen.size
        below = size.width < BESIDE
        self.screen.set_class(below, "-below")
        for preview in self.screen.query("#preview"):
            preview.styles.height = max(5, size.height * 2 // 5) if below else max(3, size.height - 2)

    def follow(self) -> None:
        """The cursor moved: read its card once it rests."""
        if self.screen.model.view.preview:
            if self._resting is not None:
                self._resting.stop()
            self._resting = self.screen.set_timer(REST_SECONDS, self._read)

    def _read(self) -> None:
        self.screen.run_worker(self._show_card(), group="preview", exclusive=True)

    async def _show_card(self) -> None:
        from .preview import Preview, preview_rows

        screen = self.screen
        shown = screen.query(Preview)
        card = screen.board.card
        if not shown or not screen.app.connected:
            return
        read = await screen.app.perform(data.preview, card.id) if card is not None else None
        if screen.query(Preview):
            rows = preview_rows(read, screen.app.marks, screen.app.clock()) if read is not None else []
            shown.first().show(rows)
