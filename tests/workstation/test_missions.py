"""Missions from ready to done, with the real service, session hosts, MCP server, git and the rehearsal agent."""

from __future__ import annotations

from solo_unicorn.workstation import client

from .conftest import Shop


def test_a_direct_mission_is_done_and_landed(shop: Shop) -> None:
    mission = shop.mission("Retry payments")
    client.ensure_running()
    done = shop.until(mission, lambda now: now.list == "done", "it is done")
    assert done.landed_commit
    assert done.landed_commit == shop.git("rev-parse", "main").strip()
    assert "rehearsal/M-1.md" in shop.git("ls-tree", "-r", "--name-only", "main")
    (session,) = shop.sessions(mission)
    assert session.outcome == "completed"
