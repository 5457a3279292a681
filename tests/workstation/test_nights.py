"""What a provider refuses is not held against missions: their agent is held, one tries, then all go on."""

from __future__ import annotations

import pytest

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
