"""What holds an agent: pauses that grow with each vain try, and what ends them (domain.md, Holds)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from solo_unicorn.missions import holds
from solo_unicorn.missions.entities import CodeAgent, Hold, HoldKind

NOW = datetime(2026, 11, 20, 22, tzinfo=UTC)
AGENT = CodeAgent("claude", "claude", state="ready")


def tries_within(kind: HoldKind, duration: timedelta) -> list[int]:
    """Minutes at which one vain try after another begins."""
    hold, now, tries = None, NOW, []
    while now < NOW + duration:
        tries.append(round((now - NOW).total_seconds() / 60))
        hold = holds.held(hold, kind, now)
        assert hold.until is not None
        now = hold.until
    return tries


def test_a_service_that_is_down_is_tried_after_growing_pauses_and_for_ever() -> None:
    assert tries_within("service", timedelta(hours=1)) == [0, 2, 6, 14, 30]
    assert len(tries_within("service", timedelta(hours=24))) < 60
    assert tries_within("credit", timedelta(hours=12)) == [0, 60, 180, 420]


def test_runs_that_fail_together_count_as_one() -> None:
    first = holds.held(None, "service", NOW)
    again = holds.held(first, "service", NOW + timedelta(seconds=30))
    assert (again.times, again.until) == (1, first.until)


def test_a_reset_that_was_told_is_kept_to_and_not_believed_for_ever() -> None:
    reset = NOW + timedelta(hours=3)
    limit = holds.held(None, "limit", NOW, reset_at=reset)
    assert limit.until == reset
    pauses = []
    now = reset
    for _ in range(8):  # an agent that always says: in ten seconds
        limit = holds.held(limit, "limit", now, reset_at=now + timedelta(seconds=10))
        assert limit.until is not None
        pauses.append(round((limit.until - now).total_seconds() / 60))
        now = limit.until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    limit = holds.held(None, "limit", NOW, reset_at=NOW + timedelta(hours=3))
    assert holds.held(limit, "service", NOW) == limit


@pytest.mark.parametrize(
    ("kind", "over"), [("service", True), ("requests", True), ("credit", True), ("limit", False), ("sign_in", False)]
)
def test_an_answer_ends_a_hold_but_a_limit_and_a_sign_in(kind: HoldKind, over: bool) -> None:
    hold = holds.held(None, kind, NOW, reset_at=NOW + timedelta(hours=1) if kind == "limit" else None)
    assert (holds.after_answer(hold, NOW) is None) == over
    assert kind == "sign_in" or holds.after_answer(hold, NOW + timedelta(hours=9)) is None


def test_a_check_that_said_signed_in_all_along_does_not_end_a_refused_sign_in() -> None:
    refused = replace(AGENT, state="signed_out", hold=Hold("sign_in", NOW))
    assert holds.after_look(AGENT, refused, asked=False) == (refused.hold, True)
    assert holds.after_look(AGENT, refused, asked=True) == (None, False)
    now_it_says_so_too = replace(AGENT, state="signed_out")
    assert holds.after_look(now_it_says_so_too, refused, asked=False) == (None, False)
    assert holds.after_look(AGENT, now_it_says_so_too, asked=False) == (None, False), "and then it is believed"


def test_a_person_ends_every_hold_but_a_limit() -> None:
    for kind in ("limit", "requests", "service", "credit", "sign_in"):
        before = replace(AGENT, hold=Hold(kind, NOW, until=NOW + timedelta(hours=1)))
        hold, _ = holds.after_look(AGENT, before, asked=True)
        assert (hold is None) == (kind != "limit")
        assert "claude" not in holds.sentence(before) or kind == "requests"
        assert holds.sentence(before)
