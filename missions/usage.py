"""What sessions used: tokens, cost, time and turns, added up by day, agent, mission or session."""

from __future__ import annotations

from typing import Literal

from .records import record

UsageBy = Literal["day", "agent", "mission", "session"]


@record
class UsageFigures:
    """The sessions of one day, agent or mission, or one session."""

    key: str
    """The day as 2026-03-09 (of this machine), the agent's name, `M-42`, or the session's id."""
    title: str
    """The mission's title where there is one mission; else empty."""
    sessions: int
    minutes: float
    turns: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    """None: nothing that was added up reported a cost."""
