"""When a loop mission may run again (domain.md, Eligible)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ..entities import LoopSchedule
from ..waits import lies_within

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def next_run(schedule: LoopSchedule | None, past_runs: Sequence[datetime], now: datetime) -> datetime:
    """The first time at which another run is allowed; `now` when it is allowed already.

    Both limits count over the hour and the day that just passed, not over calendar ones, so that no time zone and
    no midnight lets two days' worth of runs go at once.
    """
    if schedule is None:
        return now
    allowed = now
    for limit, window in ((schedule.max_per_hour, HOUR), (schedule.max_per_day, DAY)):
        runs = sorted(min(run, now) for run in past_runs if lies_within(run, window, now))
        if limit is not None and limit <= len(runs):
            allowed = max(allowed, runs[-limit] + window)
    return allowed
