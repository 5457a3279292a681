"""Claims, leases, workstations and offers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update

from solo_unicorn.hub.change import Change
from solo_unicorn.hub.housekeeping import Housekeeping
from solo_unicorn.hub.services import running
from solo_unicorn.hub.storage.tables import missions

from .world import World

ONE_PROCESS = pytest.mark.parametrize(
    "place", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
"""What a hub does by itself is done by the one of the test: another would be faster at times."""


async def _ready(hub: World, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A project and a mission in it that may start."""
    project = await hub.project(**settings)
    repository = await hub.owner.post(f"/projects/{project['id']}/repositories", json={"name": "shop"})
    assert repository.status_code == 201, repository.text
    return project, await hub.mission(project, ready=True)


async def _claim(
    hub: World, mission: dict[str, Any], station: dict[str, Any], session: str, verb: str = "claim"
) -> httpx.Response:
    body = {"workstationId": station["id"], "sessionId": session, "generation": 1}
    return await hub.owner.post(f"/missions/{mission['id']}/{verb}", json=body)


async def test_the_first_claim_wins_and_the_second_names_it(hub: World) -> None:
    _, mission = await _ready(hub)
    one, two = await hub.workstation(), await hub.workstation(name="second")
    first = await _claim(hub, mission, one, "s1")
    assert first.status_code == 200, first.text
    claimed = first.json()
    assert (claimed["agentSessionStatus"], claimed["list"], claimed["leaseSeconds"]) == ("PUSHING", "doing", 120)
    second = await _claim(hub, mission, two, "s2")
    assert (second.status_code, second.json()["error"]["code"]) == (409, "already_claimed")
    assert second.json()["error"]["details"]["holder"] == one["id"]
    assert (await _claim(hub, mission, one, "s1")).json()["fence"] == claimed["fence"]


async def test_of_many_claims_at_once_one_wins_and_the_others_are_told_which(hub: World) -> None:
    stations = [await hub.workstation(name=f"station {number}") for number in range(6)]
    for number in range(3):
        _, mission = await _ready(hub, name=f"Shop {number}")
        answers = await asyncio.gather(*(_claim(hub, mission, one, f"session of {one['id']}") for one in stations))
        (won,) = [place for place, answer in enumerate(answers) if answer.is_success]
        lost = [answer for answer in answers if answer.status_code != 200]
        assert {answer.json()["error"]["code"] for answer in lost} == {"already_claimed"}, [one.text for one in lost]
        assert {answer.json()["error"]["details"]["holder"] for answer in lost} == {stations[won]["id"]}
        assert answers[won].json()["fence"] == 1


async def test_a_lease_that_ran_out_may_be_taken_and_the_former_holder_is_told(hub: World) -> None:
    _, mission = await _ready(hub)
    one, two = await hub.workstation(), await hub.workstation(name="second")
    fence = (await _claim(hub, mission, one, "s1")).json()["fence"]
    await hub.hub.database.write(lambda at: at.execute(update(missions).values(lease_until=time.time() - 1)))
    taken = await _claim(hub, mission, two, "s2")
    assert taken.status_code == 200, taken.text
    assert taken.json()["fence"] == fence + 1
    late = await _claim(hub, mission, one, "s1", "renew")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "superseded")
    assert (await _claim(hub, mission, two, "s2", "renew")).status_code == 200


async def test_giving_a_claim_back_twice_is_a_success(hub: World) -> None:
    _, mission = await _ready(hub)
    station = await hub.workstation()
    await _claim(hub, mission, station, "s1")
    first, second = [await _claim(hub, mission, station, "s1", "release") for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json()["agentSessionStatus"] == "INACTIVE"
    assert (await _claim(hub, mission, station, "s1", "renew")).json()["error"]["code"] == "lease_lost"


async def test_what_may_not_start_cannot_be_claimed(hub: World) -> None:
    project, mission = await _ready(hub)
    station = await hub.workstation()
    blocker = await hub.mission(project, "Design")
    blocked = (await hub.patch(mission, blockedBy=[blocker["id"]])).json()
    refused = await _claim(hub, blocked, station, "s1")
    assert refused.status_code == 409
    assert "Blocked by" in refused.json()["error"]["message"]
    await hub.owner.patch(f"/projects/{project['id']}", json={"paused": True})
    assert (await _claim(hub, blocker, station, "s1")).status_code == 409


async def test_a_copied_home_directory_is_refused_and_an_older_start_superseded(hub: World) -> None:
    station = await hub.workstation(machineId="machine-1")
    path = f"/workstations/{station['id']}"
    other = await hub.owner.put(path, json={"name": "copy", "generation": 2, "machineId": "machine-2"})
    assert (other.status_code, other.json()["error"]["details"]) == (409, {"reason": "other_machine"})
    newer = await hub.owner.put(path, json={"generation": 2, "machineId": "machine-1"})
    assert (newer.status_code, newer.json()["generation"]) == (200, 2)
    late = await hub.owner.post(path + "/heartbeat", json={"generation": 1})
    assert late.json()["error"]["code"] == "superseded"


async def test_an_older_start_renews_no_claim(hub: World) -> None:
    """A copy of a home holds the same session, and still only one of them works on it."""
    _, mission = await _ready(hub)
    station = await hub.workstation()
    await _claim(hub, mission, station, "s1")
    await hub.owner.put(f"/workstations/{station['id']}", json={"generation": 7})
    body = {"workstationId": station["id"], "sessionId": "s1"}
    renew = f"/missions/{mission['id']}/renew"
    older = await hub.owner.post(renew, json={**body, "generation": 6})
    assert (older.status_code, older.json()["error"]["details"]) == (409, {"generation": 7})
    assert (await hub.owner.post(renew, json={**body, "generation": 7})).status_code == 200


async def test_a_workstation_is_online_while_it_is_heard_of(hub: World) -> None:
    station = await hub.workstation()
    path = f"/workstations/{station['id']}"
    assert station["status"] == "offline"
    beat = await hub.owner.post(path + "/heartbeat", json={"generation": 1, "state": "idle"})
    assert beat.json()["heartbeatSeconds"] == 15
    assert (await hub.owner.get(path)).json()["status"] == "online"
    await hub.hub.database.write(
        lambda at: at.execute(text("UPDATE workstations SET heartbeat_at = heartbeat_at - 60"))
    )
    assert (await hub.owner.get(path)).json()["status"] == "offline"
    shown = (await hub.owner.get(path)).text
    assert not any(secret in shown for secret in ("registrationToken", "lastIpAddress", "localPath"))


class Heard:
    """A listener of the bus."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, Any]] = []

    def changed(self, project: str, seq: int, /) -> None:
        """Not of interest."""

    def post(self, channel: str, kind: str, payload: Any, /) -> None:
        self.messages.append((channel, kind, payload))


@ONE_PROCESS
async def test_a_ready_mission_is_offered_to_a_workstation_that_is_there(hub: World) -> None:
    heard = Heard()
    hub.hub.bus.listen(heard)
    _, mission = await _ready(hub)
    station = await hub.workstation()
    path = f"/workstations/{station['id']}"
    agents = [{"type": "claude", "name": "claude", "available": True}]
    await hub.owner.post(path + "/heartbeat", json={"generation": 1, "availableCodeAgents": agents})
    keeper = Housekeeping(hub.hub)
    await keeper.one_pass()
    await keeper.one_pass()  # one open offer a mission
    told = [message for message in heard.messages if message[1] == "mission.assign"]
    offers = (await hub.owner.get(path + "/assignments")).json()["items"]
    assert [offer["missionId"] for offer in offers] == [mission["id"]], "also without the message"
    assert len({message[2]["idempotencyKey"] for message in told}) == 1
    assert told[0][0] == f"workstation:{station['id']}"
    rejected = await hub.owner.post(f"/assignments/{offers[0]['assignmentId']}/reject", json={"reason": "dirty"})
    assert rejected.status_code == 204
    await keeper.one_pass()
    assert (await hub.owner.get(path + "/assignments")).json()["items"] == []


async def test_a_person_assigns_a_mission_to_a_workstation_that_can_take_it_only(hub: World) -> None:
    project, mission = await _ready(hub)
    unready = await hub.mission(project, "Design")
    station = await hub.workstation()
    path = f"/workstations/{station['id']}"

    async def assigned(one: dict[str, Any]) -> httpx.Response:
        return await hub.owner.post(f"/missions/{one['id']}/assign", json={"workstationId": station["id"]})

    async def refused(one: dict[str, Any]) -> str:
        answer = await assigned(one)
        assert answer.status_code == 409, answer.text
        assert (await hub.owner.get(path + "/assignments")).json()["items"] == []
        return str(answer.json()["error"]["message"])

    agents = [{"type": "claude", "name": "claude", "available": True}]
    beat = {"generation": 1, "availableCodeAgents": agents}
    assert "offline" in await refused(mission)
    await hub.owner.post(path + "/heartbeat", json=beat | {"state": "paused"})
    assert "paused" in await refused(mission)
    await hub.owner.post(path + "/heartbeat", json=beat)
    assert "not marked ready" in (await refused(unready)).casefold()
    offer = await assigned(mission)
    assert (offer.status_code, offer.json()["codeAgentName"]) == (201, "claude"), offer.text
    offers = (await hub.owner.get(path + "/assignments")).json()["items"]
    assert [one["assignmentId"] for one in offers] == [offer.json()["assignmentId"]]


@ONE_PROCESS
async def test_an_offer_that_nobody_took_is_made_again(hub: World) -> None:
    await _ready(hub)
    station = await hub.workstation()
    path = f"/workstations/{station['id']}"
    agents = [{"type": "claude", "name": "claude", "available": True}]
    beat = {"generation": 1, "availableCodeAgents": agents}
    await hub.owner.post(path + "/heartbeat", json=beat)
    keeper = Housekeeping(hub.hub)
    await keeper.one_pass()
    first = (await hub.owner.get(path + "/assignments")).json()["items"]
    await hub.hub.database.write(lambda at: at.execute(text("UPDATE assignments SET expires_at = 0")))
    await keeper.one_pass()
    second = (await hub.owner.post(path + "/heartbeat", json=beat)).json()["offers"]
    assert len(first) == len(second) == 1
    assert first[0]["assignmentId"] != second[0]["assignmentId"]


@ONE_PROCESS
async def test_a_holder_that_is_never_heard_of_again_leaves_an_unknown_outcome(hub: World) -> None:
    _, mission = await _ready(hub)
    station = await hub.workstation()
    claimed = (await _claim(hub, mission, station, "s1")).json()
    running = (await hub.patch(claimed, agentSessionStatus="ACTIVE")).json()
    assert running["agentSessionStatus"] == "ACTIVE"
    await hub.hub.database.write(lambda at: at.execute(update(missions).values(lease_until=time.time() - 3_600)))
    await Housekeeping(hub.hub).one_pass()
    left = (await hub.owner.get(f"/missions/{mission['id']}")).json()
    assert (left["agentSessionStatus"], left["ready"]) == ("INACTIVE", False)
    assert "Outcome unknown" in left["attention"]


@ONE_PROCESS
async def test_one_mission_that_fails_does_not_keep_the_others_from_their_turn(
    hub: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    project, first = await _ready(hub)
    second = await hub.mission(project, "Another", ready=True)
    station = await hub.workstation()
    for number, mission in enumerate((first, second)):
        await hub.patch((await _claim(hub, mission, station, f"s{number}")).json(), agentSessionStatus="ACTIVE")
    await hub.hub.database.write(lambda at: at.execute(update(missions).values(lease_until=time.time() - 3_600)))
    expire = running.expire

    def failing(change: Change, mission_id: str) -> None:
        if mission_id == first["id"]:
            raise RuntimeError("a damaged row")
        expire(change, mission_id)

    monkeypatch.setattr(running, "expire", failing)
    keeper = Housekeeping(hub.hub)
    await keeper.one_pass()
    await keeper.one_pass()
    states = [(await hub.owner.get(f"/missions/{one['id']}")).json()["agentSessionStatus"] for one in (first, second)]
    assert states == ["ACTIVE", "INACTIVE"]
    assert [one.getMessage() for one in caplog.records].count("housekeeping of one mission failed") == 1
