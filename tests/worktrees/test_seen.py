"""The states that a person saw are kept while a mission may be looked at, and no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from solo_unicorn.worktrees import noted_states

from .conftest import Repo


def test_old_states_are_named_by_their_missions_and_forgotten(repo: Repo) -> None:
    repo.write("README.md", "Not committed\n")
    for mission in ("M1", "M2"):
        noted_states.note_state(repo.path, mission)
    now = datetime.now(UTC)
    assert noted_states.noted(repo.path, before=now - timedelta(days=1)) == []
    assert noted_states.noted(repo.path, before=now + timedelta(days=1)) == ["M1", "M2"]
    noted_states.forget(repo.path, ["M1"])
    assert noted_states.noted(repo.path, before=now + timedelta(days=1)) == ["M2"]
