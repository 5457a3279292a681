"""Ben uses Ann's ids on every endpoint there is: the answer is that of an id nobody has, and nothing of Ann's changes.

Made from the API's own rows: a new endpoint is tried as soon as it exists.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.hub.api import all_endpoints
from solo_unicorn.hub.api.endpoint import ENDPOINTS, Endpoint
from solo_unicorn.missions.ids import new_ulid

from ..whole import Whole, whole

assert all_endpoints.FILES
SECRET = "Only Ann may read this"


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Whole]:
    async with whole(tmp_path, database_url=database_url) as found:
        yield found


async def anns(hub: Whole) -> dict[str, str]:
    """One of each kind of thing, all of them Ann's, by the first part of its path."""

    async def make(method: str, path: str, **body: Any) -> Any:
        answer = await hub.ask(method, f"/api/v1{path}", json=body, headers={"If-Match": "*"})
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()

    me = (await hub.ask("GET", "/api/v1/auth/whoami")).json()
    organization = me["organizations"][0]["id"]
    await make("PATCH", f"/missions/{hub.mission}", title=SECRET, description=SECRET)
    flow = (await hub.ask("GET", f"/api/v1/projects/{hub.project}/flows")).json()["items"][0]["id"]
    repository = await make(
        "POST", f"/projects/{hub.project}/repositories", name="lamp", githubOwner="ann", githubName="lamp"
    )
    actor = await make("POST", f"/projects/{hub.project}/actors", name="Keeper", description=SECRET)
    await make("PUT", f"/projects/{hub.project}/memory/notes", text=SECRET)
    station = await make("POST", "/workstations", name="Ann's laptop", organizationId=organization, machineId="m1")
    template = await make("POST", f"/projects/{hub.project}/template", name=SECRET)
    token = await make("POST", "/tokens", name="another", scopes=["read"])
    file = await make(
        "POST",
        f"/projects/{hub.project}/attachments",
        missionId=hub.mission,
        name="a.txt",
        mime="text/plain",
        size=1,
        sha256=hashlib.sha256(b"a").hexdigest(),
    )
    return {
        "projects": hub.project,
        "missions": hub.mission,
        "organizations": organization,
        "flows": flow,
        "repositories": repository["id"],
        "actors": actor["id"],
        "workstations": station["id"],
        "templates": template["id"],
        "tokens": token.get("id", token.get("token", {}))
        if isinstance(token.get("id"), str)
        else token["details"]["id"],
        "attachments": file["attachment"]["id"],
        "user": me["user"]["id"],
        "notes": "notes",
    }


def path_of(row: Endpoint, ids: dict[str, str]) -> str | None:
    """The row's path with these ids; None for one that names nothing of anybody's."""
    if "{" not in row.path or "{slug}" in row.path:
        return None
    kind = row.path.split("/")[1]
    other = {"name": "notes", "relation": "blocks", "user": ids["user"], "other": ids["missions"], "key": ids["tokens"]}
    other["invitation"] = ids["tokens"]
    known = {"id": ids.get(kind, ids["missions"]), **other}
    return "/api/v1" + re.sub(r"\{(\w+)\}", lambda found: known[found[1]], row.path)


def body_of(ids: dict[str, str]) -> dict[str, Any]:
    """Every field that names something, with Ann's ids."""
    return {
        "missionId": ids["missions"],
        "workstationId": ids["workstations"],
        "sessionId": new_ulid(),
        "relation": "blocks",
        "feedback": "no",
        "name": "Forged",
        "title": "Forged",
        "text": "Forged",
        "userId": ids["user"],
        "role": "owner",
    }


@pytest.mark.slow
async def test_an_id_of_somebody_else_is_answered_like_one_that_nobody_has(hub: Whole) -> None:
    ids = await anns(hub)
    nobody = {name: "notes" if name == "notes" else new_ulid() for name in ids}
    before = await everything(hub, ids)
    tried = 0
    for row in ENDPOINTS:
        theirs, nobodys = path_of(row, ids), path_of(row, nobody)
        if theirs is None or nobodys is None:
            continue
        tried += 1
        answers = []
        for path, given in ((theirs, ids), (nobodys, nobody)):
            body: dict[str, Any] = {"json": body_of(given)} if row.body is not None else {}
            answers.append(await hub.ben.request(row.method, path, headers={"If-Match": "*"}, **body))
        one, other = answers
        said = (row.method, row.path, one.status_code, one.text[:300], other.status_code, other.text[:300])
        if (row.method, row.path) != ("PUT", "/workstations/{id}"):  # makes one of an id that nobody has
            assert one.status_code == other.status_code, said
        assert one.status_code >= 400, said
        assert SECRET not in one.text and "Lighthouse" not in one.text, said
    assert tried > 50
    assert await everything(hub, ids) == before


@pytest.mark.slow
async def test_ids_of_somebody_else_in_a_body_or_a_filter_open_nothing(hub: Whole) -> None:
    ids = await anns(hub)
    before = await everything(hub, ids)
    mine = (await hub.ben.post("/api/v1/projects", json={"name": "Ben's own"})).json()["id"]
    mission = (await hub.ben.post(f"/api/v1/projects/{mine}/missions", json={"title": "Ben's"})).json()["id"]
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"/projects/{mine}/missions", {"title": "x", "flowId": ids["flows"]}),
        ("POST", f"/projects/{mine}/missions", {"title": "x", "projectRepositoryId": ids["repositories"]}),
        ("POST", f"/projects/{mine}/missions", {"title": "x", "actorId": ids["actors"]}),
        ("POST", f"/projects/{mine}/missions", {"title": "x", "id": ids["missions"]}),
        ("POST", f"/projects/{mine}/missions", {"title": "x", "blockedBy": [ids["missions"]]}),
        ("PATCH", f"/missions/{mission}", {"flowId": ids["flows"]}),
        ("PATCH", f"/missions/{mission}", {"projectRepositoryId": ids["repositories"]}),
        ("POST", f"/missions/{mission}/dependencies", {"missionId": ids["missions"], "relation": "blocks"}),
        ("POST", f"/missions/{mission}/claim", {"workstationId": ids["workstations"], "sessionId": new_ulid()}),
        ("POST", "/projects", {"name": "x", "organizationId": ids["organizations"]}),
        ("POST", "/projects", {"name": "x", "id": hub.project}),
        ("POST", "/workstations", {"name": "x", "organizationId": ids["organizations"], "machineId": "m2"}),
        ("PUT", f"/workstations/{ids['workstations']}", {"name": "x", "machineId": "m1"}),
        (
            "POST",
            f"/projects/{mine}/attachments",
            {"missionId": ids["missions"], "name": "a", "mime": "text/plain", "size": 1, "sha256": "0" * 64},
        ),
    ]
    for method, path, body in tries:
        answer = await hub.ben.request(method, f"/api/v1{path}", json=body, headers={"If-Match": "*"})
        assert answer.status_code >= 400, (method, path, body, answer.text[:300])
        assert SECRET not in answer.text, (method, path, answer.text)
    assert await everything(hub, ids) == before


async def everything(hub: Whole, ids: dict[str, str]) -> list[str]:
    """All of Ann's, as Ann sees it."""
    kinds = ("projects", "missions", "organizations", "flows", "repositories", "actors", "workstations", "attachments")
    found = [(await hub.ask("GET", f"/api/v1/{kind}/{ids[kind]}")).text for kind in kinds]
    for path in (
        f"projects/{hub.project}/missions",
        f"projects/{hub.project}/memory",
        f"projects/{hub.project}/events",
    ):
        found.append((await hub.ask("GET", f"/api/v1/{path}")).text)
    return found
