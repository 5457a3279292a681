"""Waiting by the clock on the wall, which may be set at any time: no wait is longer than its own rule says.

What has to outlive a process waits until a time on the wall. Each such time stands beside the one at which the wait
began, and all are judged here. Within a process, waits go by a clock that nobody sets.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

SLACK: Final = timedelta(minutes=1)
"""How far a clock may be set back without ending a wait, and at most as far as the wait is long."""
TOLD_LONGEST: Final = timedelta(days=32)
"""The longest wait that another program may ask for: no usage limit lasts longer than a month."""


def is_over(since: datetime, until: datetime, now: datetime) -> bool:
    """Whether a wait that began at `since` is over: its end has come, or the clock was set back to before it began."""
    return now >= until or now < since - min(until - since, SLACK)


def left(since: datetime, length: timedelta, now: datetime) -> timedelta:
    """What is left of a wait of this length; never more than its length and SLACK."""
    until = since + length
    return timedelta() if is_over(since, until, now) else until - now


def lies_within(moment: datetime, window: timedelta, now: datetime) -> bool:
    """Whether something happened in the time of this length that just passed; what has yet to happen did not."""
    return now - window < moment <= now + SLACK


def believed(told: datetime | None, now: datetime) -> datetime | None:
    """The end of a wait that another program told of; None for none, for one that has come and for one too far off."""
    return told if told is not None and now < told <= now + TOLD_LONGEST else None
