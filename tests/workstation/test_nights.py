"""What a provider refuses is not held against missions: their agent is held, one tries, then all go on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import Hold
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation import client

from .conftest import Shop, until

pytestmark = pytest.mark.slow


def hold(shop: Shop) -> Hold | None:
    """What holds the agent; None as long as nobody has looked for agents."""
    found = (one.hold for one in shop.workspace.read(queries.workstation.agents) if one.name == "rehearsal")
    return next(found, None)


def why_not(shop: Shop, ref: str) -> str:
    return shop.workspace.read(queries.sessions.why_not, ref, now=shop.workspace.now()) or ""


def test_an_overloaded_service_fails_no_mission(shop: Shop) -> None:
    missions = [shop.mission(f"Mission {number}", rehearsal="overloaded once") for number in range(3)]
    client.ensure_running()
    until(lambda: hold(shop) and not shop.workspace.read(queries.sessions.find, active=True), "the agent is held")
    met = hold(shop)
    assert met is not None and (met.kind, met.times) == ("service", 1)
    ran = [session for mission in missions for session in shop.sessions(mission)]
    assert {session.outcome for session in ran} == {"unavailable"}
    for mission in missions:
        now = shop.now(mission)
        assert (now.attempts, now.ready, now.attention) == (0, True, None)
        assert "the service of rehearsal does not answer; tried again in" in why_not(shop, mission.id)
    while any(shop.now(mission).list != "done" for mission in missions):  # who came second meets its overload now
        shop.workspace.write(operations.workstation.request, "scan_agents")
        until(lambda: shop.workspace.read(queries.workstation.requests) == [], "a person asked for a look")
        until(lambda: hold(shop) or all(shop.now(mission).list == "done" for mission in missions), "all go on")
    assert [shop.now(mission).attempts for mission in missions] == [0, 0, 0]
    assert all(len(shop.sessions(mission)) <= 2 for mission in missions)


DEAF = """
import json, sys
if "--version" in sys.argv:
    raise SystemExit(print("9.9.9"))
sys.stdin.readline()
own = {"session_id": "11111111-1111-4111-8111-111111111111"}
words = {"role": "assistant", "content": [{"type": "text", "text": "I see no such tools."}]}
for line in (
    {"type": "system", "subtype": "init", "tools": [], "mcp_servers": []},
    {"type": "assistant", "message": words},
    {"type": "result", "subtype": "success", "is_error": False, "result": "Done.", "num_turns": 1},
):
    print(json.dumps(line | own), flush=True)
"""
ENTRY = """
title = "Deaf"
command = ["{python}", "{program}"]
parser = "claude"
[turn]
prompt = "claude"
result_types = ["result"]
"""


def test_a_run_whose_token_never_came_fails_at_once_with_that_reason(shop: Shop, tmp_path: Path) -> None:
    """It had no chance, so it is no attempt; what it said is no question and no work."""
    program = tmp_path / "deaf.py"
    program.write_text(DEAF)
    (paths.home() / "agents").mkdir()
    (paths.home() / "agents" / "deaf.toml").write_text(ENTRY.format(python=sys.executable, program=program))
    mission = shop.mission("Greet", code_agent_type="deaf")
    client.ensure_running()
    asked = shop.until(mission, lambda now: now.attention, "a person is asked")
    assert str(asked.attention).startswith("It could not reach Solo Unicorn's tools")
    assert (asked.attempts, asked.ready) == (0, False)
    assert [session.outcome for session in shop.sessions(mission)] == ["failed"]
