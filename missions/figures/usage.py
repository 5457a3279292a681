"""What sessions used: tokens, cost, time and turns, added up by day, agent, mission or session."""

from __future__ import annotations

import math
from typing import Final, Literal

from ..entities import Usage
from ..records import record

TOKENS_MAX: Final = 10**12
"""More than any session can use: a larger count is a fault of the agent that reports it."""
COST_MAX: Final = 1e6
"""US dollars, for the same reason."""
TURNS_MAX: Final = 10**6

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


def credible(used: Usage) -> Usage:
    """What an agent reports, without what cannot be true: such a count is 0, such a cost is not known."""
    cost = used.cost_usd
    known = type(cost) in (int, float) and cost is not None and math.isfinite(cost) and 0 <= cost <= COST_MAX
    return Usage(
        input_tokens=_count(used.input_tokens, TOKENS_MAX),
        output_tokens=_count(used.output_tokens, TOKENS_MAX),
        cached_tokens=_count(used.cached_tokens, TOKENS_MAX),
        cost_usd=float(cost) if known and cost is not None else None,
        turns=_count(used.turns, TURNS_MAX),
        estimated=used.estimated and known,
    )


def _count(value: int, most: int) -> int:
    return value if type(value) is int and 0 <= value <= most else 0
