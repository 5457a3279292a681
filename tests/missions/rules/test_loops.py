"""When a loop mission may run again (domain.md, Eligible)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import LoopSchedule
from solo_unicorn.missions.rules.loops import next_run
from solo_unicorn.missions.waits import SLACK

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
runs = st.lists(st.integers(-100_000, 100_000).map(lambda seconds: NOW + timedelta(seconds=seconds)), max_size=30)
schedules = st.builds(LoopSchedule, st.none() | st.integers(1, 6), st.none() | st.integers(1, 3))


@pytest.mark.parametrize("schedule", [None, LoopSchedule()])
def test_without_a_schedule_a_run_is_always_allowed(schedule: LoopSchedule | None) -> None:
    assert next_run(schedule, [NOW] * 100, NOW) == NOW


def test_once_a_day_is_a_day_after_the_last_run() -> None:
    assert next_run(LoopSchedule(max_per_day=1), [NOW - timedelta(hours=21)], NOW) == NOW + timedelta(hours=3)


def test_the_stricter_limit_decides() -> None:
    schedule = LoopSchedule(max_per_day=3, max_per_hour=1)
    past = [NOW - timedelta(minutes=minutes) for minutes in (130, 65, 20)]
    assert next_run(schedule, past, NOW) == NOW - timedelta(minutes=130) + timedelta(days=1)
    assert next_run(schedule, past[1:], NOW) == NOW + timedelta(minutes=40)


def test_a_clock_that_ran_ahead_does_not_hold_a_loop_for_a_year() -> None:
    assert next_run(LoopSchedule(max_per_hour=1), [NOW + timedelta(days=365)], NOW) == NOW


@given(schedules, runs)
def test_running_at_the_allowed_time_breaks_no_limit_and_an_earlier_time_would(
    schedule: LoopSchedule, past: list[datetime]
) -> None:
    allowed = next_run(schedule, past, NOW)
    known = [min(run, NOW) for run in past if run <= NOW + SLACK]  # what has yet to happen holds nothing up

    def fits(at: datetime) -> bool:
        in_hour = sum(run > at - timedelta(hours=1) for run in known)
        in_day = sum(run > at - timedelta(days=1) for run in known)
        return in_hour < (schedule.max_per_hour or 99) and in_day < (schedule.max_per_day or 99)

    assert fits(allowed)
    assert allowed == NOW or not fits(allowed - timedelta(microseconds=1))
