"""What an agent is busy with although it says nothing: tools that run, and background tasks that it announced."""

from __future__ import annotations

from .events import BackgroundWork, Event, Result, ToolCall, ToolResult, activity


class Life:
    """Fed with every event of a session, in order, and when it came (seconds since the epoch)."""

    def __init__(self) -> None:
        self._tools: dict[str, tuple[str, float]] = {}
        self._background: dict[str, float] = {}
        self.acted_at: float | None = None
        """When it first used a tool other than ours; None: not yet."""

    def feed(self, event: Event, at: float) -> None:
        """Take in one event."""
        match event:
            case ToolCall(id=id_, kind=kind):
                self._tools[id_] = (activity(event) or "", at)
                if kind != "mission" and self.acted_at is None:
                    self.acted_at = at
            case ToolResult(id=id_):
                self._tools.pop(id_, None)
            case BackgroundWork(titles=titles):
                self._background = {title: self._background.get(title, at) for title in titles}
            case Result():
                self._tools.clear()

    @property
    def waits(self) -> str:
        """What it waits for when its turn is over; empty when for nothing."""
        count = len(self._background)
        if not count:
            return ""
        named = ", ".join(self._background)
        return f"waits for {'a background task' if count == 1 else f'{count} background tasks'}: {named}"

    def busy_with(self, now: float, longest: float) -> str:
        """What it is busy with, none of it for more than `longest` seconds; empty when with nothing."""
        running = [(words, at) for words, at in self._tools.values()] + [
            (self.waits, at) for at in self._background.values()
        ]
        return next((words for words, at in running if abs(now - at) < longest), "")
