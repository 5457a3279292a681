"""What holds a code agent back as a whole, for how long, and what ends it (domain.md, Holds).

A run that its provider refused says nothing of the mission, so no attempt counts; it holds the agent. When the hold is
over, one mission tries whether the agent works again, and only its answer lets the others follow. Each vain try makes
the next pause longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from .entities import CodeAgent, Hold, HoldKind
from .waits import believed, is_over

_PAUSES: Final[dict[HoldKind, tuple[timedelta, timedelta]]] = {
    "requests": (timedelta(minutes=1), timedelta(minutes=30)),
    "limit": (timedelta(minutes=1), timedelta(hours=1)),
    "service": (timedelta(minutes=2), timedelta(minutes=30)),
    "credit": (timedelta(hours=1), timedelta(hours=6)),
}
"""The first and the longest pause; for a limit where the agent does not say when it resets."""
_HELPS: Final[dict[HoldKind, str]] = {
    "limit": "it continues when the limit resets",
    "requests": "it continues automatically; fewer slots for it (`agents.{name}.slots`) help",
    "service": "it continues automatically; `solo-unicorn agent scan` retries now",
    "credit": "add credit to its account, then `solo-unicorn agent scan`",
    "sign_in": "sign in again, then `solo-unicorn agent scan`",
}


def held(
    before: Hold | None, kind: HoldKind, now: datetime, *, why: str = "", reset_at: datetime | None = None
) -> Hold:
    """The hold after one more run was refused.

    Runs that were refused while it already is held count as one. A `reset_at` that was told is kept to, unless the
    agent was refused again right after such a time: then the pause grows as if none had been told.
    """
    reset_at = believed(reset_at, now)
    if before is not None and before.kind == kind and is_on(before, now):
        until = before.until if reset_at is None or before.until is None else max(before.until, reset_at)
        return Hold(kind, before.since, before.times, until, why or before.why)
    times = before.times + 1 if before is not None and before.kind == kind else 1
    if kind == "sign_in":
        return Hold(kind, now, times, None, why)
    first, longest = _PAUSES[kind]
    grown = times - 1 if reset_at is not None else times
    until = now + min(longest, first * (1 << min(grown - 1, 30))) if grown else now
    if reset_at is not None:
        until = max(until, reset_at)
    if before is not None and before.until is not None and is_on(before, now) and before.until > until:
        return before
    return Hold(kind, now, times, until, why)


def is_on(hold: Hold | None, now: datetime) -> bool:
    """Whether nothing may be given to the agent now; a hold that is over lets one mission try."""
    return hold is not None and (hold.until is None or not is_over(hold.since, hold.until, now))


def after_answer(hold: Hold | None, now: datetime) -> Hold | None:
    """What is left of a hold once a run heard from its model: a limit that has not reset, and nothing else.

    A limit may be one model's, and a sign-in is believed to a check or a person only.
    """
    if hold is None or hold.kind == "sign_in" or (hold.kind == "limit" and is_on(hold, now)):
        return hold
    return None


def after_look(found: CodeAgent, before: CodeAgent | None, *, asked: bool) -> tuple[Hold | None, bool]:
    """(the hold, whether the agent still counts as signed out) after a look at the agent.

    A person who asks for the look ends every hold but a limit with a known end. A look by itself ends none: where a run
    was refused, the agent's own word that it is signed in is not believed before it has once said the opposite.
    """
    hold = before.hold if before is not None else None
    if hold is None or (asked and hold.kind != "limit"):
        return None, False
    if hold.kind != "sign_in":
        return hold, False
    return (hold, True) if found.state == "ready" else (None, False)


def sentence(agent: CodeAgent) -> str:
    """What holds the agent and what helps, for its line in a list; empty when nothing does."""
    if agent.hold is None:
        return ""
    why = agent.hold.why.rstrip(".")
    helps = _HELPS[agent.hold.kind].format(name=agent.name)
    return f"{why}: {helps}" if why else helps
