"""The audit log: every deed that counts leaves one row, in its own transaction, and only owners read it."""

from __future__ import annotations

import time

import pytest

from solo_unicorn.hub import audit
from solo_unicorn.hub.api import all_endpoints, auditing
from solo_unicorn.hub.api.endpoint import ENDPOINTS

from .world import World

assert all_endpoints.FILES
LOG = "/organizations/{}/audit"


async def rows(hub: World, **query: str) -> list[dict[str, str]]:
    answer = await hub.owner.get(LOG.format(hub.organization_id), params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, str]] = answer.json()["items"]
    return found


async def test_a_row_tells_who_did_what_to_what_when_and_from_where(hub: World) -> None:
    project = await hub.project()
    began = time.time()
    made = await hub.owner.post(
        f"/organizations/{hub.organization_id}/keys", json={"name": "ci"}, headers={"User-Agent": "the test's own"}
    )
    (row,) = await rows(hub, action="organization.keys.create")
    assert row["caller"] == f"user:{hub.ids['owner']}"
    assert row["target"].split() == [hub.organization_id, made.json()["id"]]
    assert (row["outcome"], row["place"], row["agent"]) == ("done", "127.0.0.1", "the test's own")
    assert row["traceId"] and row["organizationId"] == hub.organization_id and row["projectId"] is None
    assert row["at"][:10] == time.strftime("%Y-%m-%d", time.gmtime(began))
    assert made.json()["token"] not in str(row)
    path = f"/projects/{project['id']}"
    assert (await hub.owner.patch(path, json={"name": "Store"})).status_code == 200
    assert [one["projectId"] for one in await rows(hub, action="project.update")] == [project["id"]]


async def test_what_was_taken_away_is_still_told_of_and_by_whom(hub: World) -> None:
    mission = await hub.mission(await hub.project())
    gone = await hub.as_("collaborator").delete(f"/missions/{mission['id']}", headers={"If-Match": "*"})
    assert gone.status_code == 204, gone.text
    (row,) = await rows(hub, caller=f"user:{hub.ids['collaborator']}")
    assert (row["action"], row["target"], row["projectId"]) == ("mission.delete", mission["id"], mission["projectId"])


async def test_what_was_refused_or_sent_twice_leaves_no_further_row(hub: World) -> None:
    project = await hub.project()
    path = f"/projects/{project['id']}"
    assert (await hub.as_("maintainer").patch(path, json={"name": "Mine"})).status_code == 403
    for _ in range(2):
        again = await hub.owner.patch(path, json={"name": "Store"}, headers={"Idempotency-Key": "01J.1"})
        assert again.status_code == 200
    assert len(await rows(hub, action="project.update")) == 1


@pytest.mark.parametrize(("who", "status"), [("admin", 403), ("member", 403), ("stranger", 404), ("anonymous", 401)])
async def test_only_owners_read_it(hub: World, who: str, status: int) -> None:
    answer = await hub.as_(who).get(LOG.format(hub.organization_id))
    assert answer.status_code == status, answer.text


async def test_an_organization_is_told_nothing_of_another(hub: World) -> None:
    await hub.project()
    mine = (await hub.as_("stranger").get("/organizations")).json()["items"][0]["id"]
    assert (await hub.as_("stranger").get(LOG.format(mine))).json() == {"items": [], "nextAfter": None}


async def test_pages_hold_each_row_once_the_newest_first(hub: World) -> None:
    project = await hub.project()
    for number in range(5):
        await hub.owner.patch(f"/projects/{project['id']}", json={"name": f"Shop {number}"})
    found: list[str] = []
    after = ""
    while True:
        query = {"limit": "2", **({"after": after} if after else {})}
        page = (await hub.owner.get(LOG.format(hub.organization_id), params=query)).json()
        found += [row["id"] for row in page["items"]]
        if page["nextAfter"] is None:
            break
        after = page["nextAfter"]
    assert len(found) == 6 and found == sorted(set(found), reverse=True)


async def test_old_rows_are_forgotten_after_their_days_and_no_sooner(hub: World) -> None:
    await hub.project()
    day = 86_400
    assert await hub.hub.database.write(lambda at: audit.prune(at, time.time() + 399 * day)) == 0
    assert await hub.hub.database.write(lambda at: audit.prune(at, time.time() + 401 * day)) == 1
    assert await rows(hub) == []


def test_every_endpoint_that_counts_is_placed_in_an_organization() -> None:
    audited = [row for row in ENDPOINTS if row.audited]
    assert {"token.create", "organization.members.invite", "project.delete"} <= {row.name for row in audited}
    assert [row.name for row in audited if not auditing.is_placed(row)] == []
