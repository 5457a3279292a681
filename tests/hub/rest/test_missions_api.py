"""Missions over REST: made, changed by the rules, linked, reviewed, deleted."""

from __future__ import annotations

from solo_unicorn.missions.ids import new_ulid

from .world import World


async def test_a_mission_is_made_with_the_defaults_of_its_project(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project, "  Pay   by card ")
    assert mission["title"] == "Pay by card"
    assert (mission["list"], mission["stage"], mission["priority"], mission["ready"]) == ("todo", "clarify", 3, False)
    assert not {"number", "worktreePath", "deletedAt"} & mission.keys()
    assert (await hub.owner.get(f"/missions/{mission['id']}")).json() == mission


async def test_making_a_mission_twice_with_its_own_id_names_the_first(hub: World) -> None:
    project = await hub.project()
    body = {"id": new_ulid(), "title": "Pay by card"}
    path, key = f"/projects/{project['id']}/missions", {"Idempotency-Key": "mutation.0"}
    first = await hub.owner.post(path, json=body, headers=key)
    second = await hub.owner.post(path, json=body)
    assert (first.status_code, second.status_code) == (201, 409)
    details = second.json()["error"]["details"]
    assert details["creatorMutationId"] == "mutation"
    assert details["current"] == first.json()


async def test_a_patch_has_the_consequences_of_the_rules(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project)
    answer = await hub.patch(mission, list="review")
    assert answer.status_code == 200
    assert answer.json()["reviewStatus"] == "pending"
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    done = (await hub.patch(answer.json(), list="done")).json()
    assert (done["list"], done["ready"], done.get("reviewStatus")) == ("done", False, None)


async def test_a_mirrors_patch_is_merged_as_it_is(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project, description="old")
    answer = await hub.patch(
        mission, list="review", reviewStatus="pending", stageSummary="done so far", description=None, number=7
    )
    changed = answer.json()
    assert (changed["reviewStatus"], changed["stageSummary"]) == ("pending", "done so far")
    assert "description" not in changed
    assert "number" not in changed


async def test_a_patch_with_broken_values_changes_nothing(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project)
    for field, value in {
        "priority": 9,
        "title": "",
        "list": "nowhere",
        "listOrder": 1e300,
        "nonsense": 1,
        "stage": "cook",
        "projectRepositoryId": new_ulid(),
        "reviewStatus": "perhaps",
        "solution": "a\0b",
        "flowId": new_ulid(),
        "createdAt": "yesterday",
        "tasks": "none",
    }.items():
        answer = await hub.patch(mission, **{field: value})
        assert answer.status_code == 422, (field, answer.text)
        assert answer.json()["error"]["code"] == "invalid"
    assert (await hub.owner.get(f"/missions/{mission['id']}")).json() == mission


async def test_blockers_are_counted_and_a_cycle_is_refused(hub: World) -> None:
    project = await hub.project()
    first, second = await hub.mission(project, "First"), await hub.mission(project, "Second")
    blocked = (await hub.patch(second, blockedBy=[first["id"]])).json()
    assert (blocked["blockedBy"], blocked["dependencyCount"]) == ([first["id"]], 1)
    cycle = await hub.patch(first, blockedBy=[second["id"]])
    assert cycle.status_code == 412, "the other end of a link is written anew too"
    first = (await hub.owner.get(f"/missions/{first['id']}")).json()
    cycle = await hub.patch(first, blockedBy=[second["id"]])
    assert cycle.status_code == 409
    assert "M-2 → M-1 → M-2" in cycle.json()["error"]["message"]
    await hub.patch(first, list="done")
    assert (await hub.owner.get(f"/missions/{second['id']}")).json()["dependencyCount"] == 0
    listed = (await hub.owner.get(f"/missions/{second['id']}/dependencies")).json()["items"]
    assert [(one["direction"], one["missionId"], one["resolved"]) for one in listed] == [
        ("blocked_by", first["id"], True)
    ]


async def test_a_blocker_that_the_hub_does_not_have_counts_until_it_is_done_there(hub: World) -> None:
    project, elsewhere = await hub.project(), await hub.project("Elsewhere")
    unknown, mission = new_ulid(), await hub.mission(project)
    blocked = (await hub.patch(mission, blockedBy=[unknown])).json()
    assert (blocked["blockedBy"], blocked["dependencyCount"]) == ([unknown], 1)
    kinds = [one["kind"] for one in (await hub.owner.get(f"/missions/{mission['id']}/events")).json()["items"]]
    assert kinds == ["created", "linked", "blockers_changed"]
    await hub.mission(project, "It comes later", id=unknown, list="done")
    freed = (await hub.owner.get(f"/missions/{mission['id']}")).json()
    assert freed["dependencyCount"] == 0
    others = await hub.mission(elsewhere, "Of another project")
    assert (await hub.patch(freed, blockedBy=[others["id"]])).status_code == 404
    assert (await hub.patch(freed, blockedBy=[])).json()["blockedBy"] == []


async def test_a_system_flow_stays_as_it_is(hub: World) -> None:
    project = await hub.project()
    (flow, *_) = (await hub.owner.get(f"/projects/{project['id']}/flows")).json()["items"]
    refused = await hub.owner.patch(f"/flows/{flow['id']}", json={"name": "Mine"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    own = {"name": "Mine", "stageSequence": [{"stage": "do", "requireReview": True}]}
    made = (await hub.owner.post(f"/projects/{project['id']}/flows", json=own)).json()
    taken = await hub.owner.post(f"/projects/{project['id']}/flows", json=own)
    assert taken.json()["error"] | {"message": "", "traceId": ""} == {
        "code": "already_exists",
        "message": "",
        "details": {"id": made["id"]},
        "traceId": "",
    }


async def test_a_review_is_a_persons_and_its_feedback_is_not_blank(hub: World) -> None:
    project = await hub.project()
    mission = (await hub.patch(await hub.mission(project), list="review")).json()
    path = f"/missions/{mission['id']}"
    assert (await hub.owner.post(path + "/reject", json={"feedback": "  "})).status_code == 422
    assert (await hub.as_("key").post(path + "/approve")).status_code == 403
    rejected = (await hub.owner.post(path + "/reject", json={"feedback": "Name the fees"})).json()
    assert (rejected["list"], rejected["ready"], rejected["reviewStatus"]) == ("doing", True, "rejected")
    assert rejected["reviewedByUserId"] == hub.ids["owner"]
    assert (await hub.owner.post(path + "/approve")).status_code == 409
    again = (await hub.patch(rejected, list="review")).json()
    approved = (await hub.owner.post(path + "/approve", headers={"If-Match": f'"{again["version"]}"'})).json()
    assert (approved["stage"], approved["reviewStatus"]) == ("plan", "approved")


async def test_a_deleted_id_is_gone_for_ever(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project)
    path = f"/missions/{mission['id']}"
    assert (await hub.owner.delete(path)).status_code == 428
    assert (await hub.owner.delete(path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await hub.owner.delete(path, headers={"If-Match": f'"{mission["version"]}"'})).status_code == 204
    assert (await hub.owner.get(path)).json()["error"]["code"] == "gone"
    again = await hub.owner.post(f"/projects/{project['id']}/missions", json={"id": mission["id"], "title": "Again"})
    assert again.status_code == 410


async def test_lists_are_filtered_paged_and_cut_to_fields(hub: World) -> None:
    project = await hub.project()
    for number in range(5):
        await hub.mission(project, f"Mission {number}", priority=number + 1)
    path = f"/projects/{project['id']}/missions"
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (
            await hub.owner.get(path, params={"limit": 2, "sort": "board", **({"after": after} if after else {})})
        ).json()
        seen += [item["title"] for item in page["items"]]
        after = page["nextAfter"]
    assert seen == [f"Mission {number}" for number in range(5)]
    urgent = (await hub.owner.get(path, params={"priority": 5, "fields": "title"})).json()["items"]
    assert [item.keys() for item in urgent] == [{"id", "version", "title"}]
    found = (await hub.owner.get(path, params={"q": "mission 3"})).json()["items"]
    assert [item["title"] for item in found] == ["Mission 3"]
    assert (await hub.owner.get(path, params={"limit": "many"})).status_code == 422


async def test_the_history_says_who_changed_what(hub: World) -> None:
    project = await hub.project()
    mission = (await hub.patch(await hub.mission(project), priority=5)).json()
    items = (await hub.owner.get(f"/missions/{mission['id']}/events")).json()["items"]
    assert [item["kind"] for item in items] == ["created", "edited"]
    assert items[1]["changes"] == {"priority": [3, 5]}
    assert items[1]["author"]["name"] == "owner@example.com"
