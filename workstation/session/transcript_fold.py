"""What the transcript of one session says so far.

A fold over its entries from the first byte: usage, conversation, what the agent does now, and the verdict. A service
that takes a session over folds the same bytes and comes to the same state, so nothing is lost or counted twice,
whatever moment the last one died at; the offset in the workspace says how far its figures have been taken in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ...agents import parsers, prices, transcript
from ...agents.events import BackgroundWork, Event, Result, SessionStarted, UsageMeter, activity
from ...agents.life import Life
from ...agents.verdict import Verdict
from ...missions.entities import Usage


@dataclass(slots=True)
class TranscriptFold:
    """The state after `offset` bytes. `take` reads files and parses: call it from a thread."""

    run_dir: Path
    parser: str
    """Name of the agent's parser."""
    prices: str = ""
    """The person's own table of prices (`budget.prices`)."""
    model: str = ""
    """What the agent says it uses."""
    offset: int = 0
    activity: str = ""
    last_at: datetime | None = None
    """When the agent last said something."""
    verdict: Verdict = field(default_factory=Verdict)
    life: Life = field(default_factory=Life)
    _meter: UsageMeter = field(default_factory=UsageMeter)

    @property
    def usage(self) -> Usage:
        """What the session used so far, with a price where the agent tells no cost."""
        return prices.priced(self._meter.total, self.model, self.prices)

    @property
    def context(self) -> tuple[int, int] | None:
        """How many tokens the conversation fills, of how many (0: not told); None when the agent does not tell."""
        found = self._meter.context
        return (found.used, found.size) if found else None

    def take(self) -> bool:
        """Fold in what was written since; False when there was nothing new."""
        entries, offset = transcript.read(self.run_dir, self.offset)
        parse = parsers.parser(self.parser)
        for entry in entries:
            if entry.stream == "out" and not entry.part:
                for event in parse(entry.line):
                    self._fold(event, entry.at)
            if entry.at and entry.stream in ("out", "err"):
                self.last_at = datetime.fromtimestamp(entry.at, UTC)
        grown, self.offset = offset > self.offset, max(offset, self.offset)
        return grown

    def take_all(self) -> None:
        """Fold in everything there is."""
        while self.take():
            pass

    def _fold(self, event: Event, at: float) -> None:
        if isinstance(event, SessionStarted) and event.model:
            self.model = event.model
        self._meter.feed(event)
        self.verdict.feed(event)
        self.life.feed(event, at)
        told = activity(event)
        self.activity = (self.life.waits if isinstance(event, Result | BackgroundWork) else "") or told or self.activity
