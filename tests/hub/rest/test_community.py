"""Public projects, stars, requests for access, templates, memory, tokens, members."""

from __future__ import annotations

from .world import World

OPEN = {"visibility": "public", "publicMissionRead": True}


async def test_what_the_settings_hide_is_nowhere_to_be_found(hub: World) -> None:
    shown = await hub.project("Open shop", **OPEN, category="tools")
    closed = await hub.project("Closed shop", visibility="public")
    await hub.project("Secret shop")
    await hub.mission(shown, "Pay by card")
    await hub.mission(closed, "Hidden plan")
    anonymous = hub.as_("anonymous")
    names = {item["name"] for item in (await anonymous.get("/public/projects")).json()["items"]}
    assert names == {"Open shop", "Closed shop"}
    found = (await anonymous.get("/public/projects/search", params={"q": "shop open"})).json()["items"]
    assert [item["name"] for item in found] == ["Open shop"]
    missions = (await anonymous.get(f"/public/projects/{shown['publicSlug']}/missions")).json()["items"]
    assert [item["title"] for item in missions] == ["Pay by card"]
    assert (await anonymous.get(f"/public/projects/{closed['publicSlug']}/missions")).status_code == 404
    assert (await anonymous.get("/public/categories")).json()["items"] == [{"name": "tools", "count": 1}]
    for path in ("/public/projects", "/public/featured", f"/public/projects/{closed['publicSlug']}"):
        text = (await anonymous.get(path)).text
        assert "Secret" not in text
        assert "Hidden" not in text
        assert "organizationId" not in text


async def test_public_pages_are_cached_by_their_etag(hub: World) -> None:
    await hub.project("Open shop", **OPEN)
    anonymous = hub.as_("anonymous")
    first = await anonymous.get("/public/projects")
    again = await anonymous.get("/public/projects", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "max-age" in first.headers["cache-control"]


async def test_a_star_counts_once_for_each_person(hub: World) -> None:
    project = await hub.project("Open shop", **OPEN)
    path = f"/projects/{project['id']}/star"
    for _ in range(2):
        assert (await hub.as_("stranger").put(path)).json() == {"starred": True, "starCount": 1}
    assert (await hub.owner.put(path)).json()["starCount"] == 2
    assert (await hub.as_("stranger").delete(path)).json()["starCount"] == 1
    shown = (await hub.as_("anonymous").get(f"/public/projects/{project['publicSlug']}")).json()
    assert shown["starCount"] == 1


async def test_an_owner_gives_the_role_that_was_asked_for(hub: World) -> None:
    project = await hub.project("Open shop", **OPEN)
    stranger, path = hub.as_("stranger"), f"/projects/{project['id']}"
    assert (await stranger.post(path + "/missions", json={"title": "Mine"})).status_code == 403
    asked = (
        await stranger.post(path + "/access-requests", json={"role": "collaborator", "message": "I know fees"})
    ).json()
    assert (await stranger.post(f"/access-requests/{asked['id']}/approve")).status_code == 403
    listed = (await hub.owner.get(path + "/access-requests")).json()["items"]
    assert [one["id"] for one in listed] == [asked["id"]]
    given = await hub.owner.post(f"/access-requests/{asked['id']}/approve")
    assert given.json()["status"] == "approved"
    assert (await stranger.post(path + "/missions", json={"title": "Mine"})).status_code == 201
    assert (await hub.owner.post(f"/access-requests/{asked['id']}/reject")).status_code == 409


async def test_a_project_begins_as_its_template_was(hub: World) -> None:
    project = await hub.project("Shop", wipLimits={"doing": 2})
    path = f"/projects/{project['id']}"
    await hub.owner.post(path + "/actors", json={"name": "Critic", "focus": "fees"})
    await hub.owner.post(
        path + "/flows", json={"name": "Own", "stageSequence": [{"stage": "do", "requireReview": True}]}
    )
    await hub.mission(project, "Pay by card", priority=5)
    template = (await hub.owner.post(path + "/template", json={"name": "Shops"})).json()
    assert (await hub.as_("stranger").post(f"/templates/{template['id']}/projects", json={})).status_code == 404
    made = await hub.owner.post(f"/templates/{template['id']}/projects", json={"name": "Second shop"})
    assert made.status_code == 201, made.text
    other = f"/projects/{made.json()['id']}"
    missions = (await hub.owner.get(other + "/missions")).json()["items"]
    assert [(one["title"], one["priority"]) for one in missions] == [("Pay by card", 5)]
    assert [one["name"] for one in (await hub.owner.get(other + "/actors")).json()["items"]] == ["Critic"]
    assert "Own" in {one["name"] for one in (await hub.owner.get(other + "/flows")).json()["items"]}
    assert made.json()["wipLimits"] == {"doing": 2}


async def test_memory_is_replaced_only_by_who_saw_it(hub: World) -> None:
    project = await hub.project()
    path = f"/projects/{project['id']}/memory/notes"
    first = await hub.owner.put(path, json={"text": "Fees are net."})
    assert (first.status_code, first.headers["etag"]) == (201, f'"{first.json()["version"]}"')
    assert (await hub.owner.put(path, json={"text": "Lost"})).status_code == 428
    seen = {"If-Match": first.headers["etag"]}
    second = await hub.owner.put(path, json={"text": "Fees are gross."}, headers=seen)
    assert second.json()["version"] > first.json()["version"]
    late = await hub.owner.put(path, json={"text": "Lost"}, headers=seen)
    assert late.json()["error"]["details"]["current"]["text"] == "Fees are gross."
    versions = (await hub.owner.get(path + "/versions")).json()["items"]
    assert [one["text"] for one in versions] == ["Fees are net.", "Fees are gross."]


async def test_a_revoked_token_is_refused_at_once(hub: World) -> None:
    made = (await hub.owner.post("/tokens", json={"name": "laptop", "scopes": ["read"]})).json()
    hub.tokens["laptop"] = made["token"]
    assert (await hub.as_("laptop").get("/projects")).status_code == 200
    assert made["token"] not in (await hub.owner.get("/tokens")).text
    assert (await hub.owner.delete(f"/tokens/{made['id']}")).status_code == 204
    assert (await hub.as_("laptop").get("/projects")).status_code == 401


async def test_the_last_owner_stays(hub: World) -> None:
    project = await hub.project()
    owner = hub.ids["owner"]
    assert (await hub.owner.delete(f"/projects/{project['id']}/members/{owner}")).status_code == 409
    path = f"/organizations/{hub.organization_id}/members"
    assert (await hub.owner.delete(f"{path}/{owner}")).status_code == 409
    assert (await hub.as_("admin").post(path, json={"email": "new@example.com", "role": "owner"})).status_code == 403
    assert (await hub.as_("admin").post(path, json={"email": "new@example.com"})).status_code == 201
    assert (await hub.owner.patch(f"{path}/{owner}", json={"role": "member"})).status_code == 409
    assert (await hub.as_("admin").patch(f"{path}/{owner}", json={"role": "member"})).status_code == 403


async def test_who_am_i_names_my_organizations(hub: World) -> None:
    told = (await hub.as_("admin").get("/auth/whoami")).json()
    assert told["user"]["email"] == "admin@example.com"
    assert [(one["name"], one["role"]) for one in told["organizations"]] == [("Team", "admin")]
    assert (await hub.as_("anonymous").get("/auth/whoami")).status_code == 401
