"""A repository without a free worktree is asked less and less often, and at once when a worktree changes hands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from solo_unicorn.missions.entities import Worktree
from solo_unicorn.workstation.full_repositories import LONGEST_SECONDS, FullRepositories

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TAKEN = Worktree("W1", "R", "/w1", "m1", NOW, NOW, mission_id="M1")
OTHER = replace(TAKEN, id="W2", repository_id="other")


def test_pauses_grow_until_a_worktree_changes_hands() -> None:
    full, now = FullRepositories(), 100.0
    pauses = []
    for _ in range(9):
        full.without_worktree("R", now, [TAKEN, OTHER])
        (pause,) = full.waits(now)
        pauses.append(pause)
        assert full.still(now, [TAKEN]) == {"R"}, "what another repository has does not matter"
        now += pause
        assert full.still(now, [TAKEN]) == frozenset()
    assert pauses[:3] == [5.0, 10.0, 20.0] and pauses[-1] == LONGEST_SECONDS
    full.without_worktree("R", now, [TAKEN])
    assert full.still(now, [replace(TAKEN, mission_id=None)]) == frozenset()
    full.without_worktree("R", now, [TAKEN])
    assert full.waits(now) == [5.0]


def test_a_full_disk_is_waited_for_as_long_as_was_said() -> None:
    full = FullRepositories()
    full.without_worktree("R", 0.0, [TAKEN])
    full.without_room("R", 30.0)
    assert full.still(29.0, []) == {"R"} and full.still(31.0, []) == frozenset()
    full.over("R")
    assert not full
