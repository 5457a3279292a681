"""Screens that can be left once: what comes late to one that is gone, or has another above it, leaves nothing else."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.events import Mount
from textual.message import Message
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import Widget


def is_gone(widget: Widget) -> bool:
    """Whether it was closed, so that what still runs for it can show nothing."""
    return not widget.is_attached or widget.screen not in widget.app.screen_stack


class PlaceScreen(Screen[ScreenResultType]):
    """A full screen, as opposed to a sheet above one."""

    async def _dispatch_message(self, message: Message) -> None:
        """A screen that was left before it was there does not begin: Textual gave it no children any more."""
        if not (isinstance(message, Mount) and self._pruning):
            await super()._dispatch_message(message)

    @property
    def is_gone(self) -> bool:
        """Whether it was left: what still runs for it has nobody to show anything to."""
        return self not in self.app.screen_stack

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave it; nothing when it is not the one on top (Textual would take away whichever is)."""
        if self.app.screen is not self:
            return AwaitComplete()
        return super().dismiss(result)


class Sheet(PlaceScreen[ScreenResultType], ModalScreen[ScreenResultType]):
    """A sheet above another screen."""
