"""Figures of how the work goes: by week, and by agent. Values only; the workspace fills them from its events."""

from __future__ import annotations

from ..records import record


@record
class WeekFigures:
    """One week, Monday to Sunday in UTC."""

    start: str
    """The Monday, as 2026-03-09."""
    done: int = 0
    """Missions that came to Done and still are."""
    cycle_hours: float | None = None
    """Median of hours from the first time an agent took a mission (else its creation) until it was done."""
    review_hours: float | None = None
    """Median of hours that a review waited for a person."""
    reviews: int = 0
    rejected: int = 0
    sessions: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    """What agents reported; those that report no cost add nothing."""


@record
class AgentFigures:
    """What the sessions of one agent came to."""

    name: str
    sessions: int
    completed: int
    failed: int
    """Outcomes failed, timeout and unknown."""
    missions: int
    """Different missions that it worked on."""
    minutes: float
    """Median length of a session."""
    tokens: int
    cost_usd: float | None
    """None: it never reported any."""


@record
class Metrics:
    """The figures of some weeks, oldest first, and of the agents in the same time, busiest first."""

    weeks: tuple[WeekFigures, ...]
    agents: tuple[AgentFigures, ...]
