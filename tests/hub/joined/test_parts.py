"""The parts of a hub together: a change is heard on the socket, a file goes up and down, a hook moves a mission."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect

from .. import outside
from ..realtime.server import Client
from ..whole import Whole, whole

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with outside.postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
async def hub(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Whole]:
    url = ""
    if request.param == "postgres":
        url = await outside.fresh(request.getfixturevalue("server"))
    async with whole(tmp_path, database_url=url) as found:
        yield found


async def test_a_change_is_heard_by_who_may_see_it_and_by_nobody_else(hub: Whole) -> None:
    address = hub.url.replace("http", "ws") + "/ws/v1"
    channel = f"mission:{hub.mission}"
    async with (
        connect(address, additional_headers={"Authorization": f"Bearer {hub.ann_token}"}) as ann,
        connect(address + f"?access_token={hub.ben_token}") as ben,
    ):
        mine, others = Client(ann), Client(ben)
        await mine.join(channel)
        await mine.join(f"project:{hub.project}")
        for name in (channel, f"project:{hub.project}", f"project:{hub.project}:workstations"):
            await others.say("join", name)
            assert (await others.until("error"))["payload"]["code"] == "not_found"
        await hub.ask(
            "PATCH", f"/api/v1/missions/{hub.mission}", json={"title": "Lamp, lit"}, headers={"If-Match": "*"}
        )
        kinds = {(await mine.hear())["type"], (await mine.hear())["type"]} - {"welcome"}
        while len(kinds) < 2:
            kinds.add((await mine.hear())["type"])
        assert kinds >= {"changes", "mission.update"}


async def made_hook(hub: Whole, repository: str, client: Any = None) -> dict[str, str]:
    made = await (client or hub.ann).post(f"/api/v1/repositories/{repository}/webhook")
    assert made.status_code == 201, made.text
    return dict(made.json())


async def hook(
    hub: Whole, told: dict[str, Any], event: str = "pull_request", made: dict[str, str] | None = None
) -> Any:
    """What GitHub sends to the hook of Ann's repository, or to another one."""
    if made is None:
        linked = (await hub.ask("GET", f"/api/v1/projects/{hub.project}/repositories")).json()["items"]
        made = await made_hook(hub, linked[0]["id"])
    body = orjson.dumps(told)
    signed = "sha256=" + hmac.new(made["secret"].encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signed, "X-GitHub-Event": event, "X-GitHub-Delivery": "1"}
    return await hub.nobody.post(made["url"], content=body, headers=headers)


async def in_pull_request(hub: Whole) -> None:
    repository = await hub.ask(
        "POST",
        f"/api/v1/projects/{hub.project}/repositories",
        json={"name": "lamp", "githubRepoId": 77, "githubOwner": "ann", "githubName": "lamp"},
    )
    assert repository.status_code == 201, repository.text
    wished = {
        "projectRepositoryId": repository.json()["id"],
        "list": "doing",
        "landingStatus": "pull_request",
        "prCreated": True,
        "githubPrNumber": 5,
        "pullRequest": {"state": "open"},
    }
    changed = await hub.ask("PATCH", f"/api/v1/missions/{hub.mission}", json=wished, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text


def pull_request(**other: Any) -> dict[str, Any]:
    request = {"number": 5, "state": "open", "merged": False, "updated_at": "2026-01-01T10:00:00Z"} | other
    return {"action": "x", "repository": {"id": 77}, "pull_request": request}


async def test_a_merge_on_github_finishes_the_mission_once(hub: Whole) -> None:
    await in_pull_request(hub)
    merged = pull_request(state="closed", merged=True, merge_commit_sha="a" * 40)
    first = await hook(hub, merged)
    assert first.json()["outcome"] == "1 changed", first.text
    after = (await hub.ask("GET", f"/api/v1/missions/{hub.mission}")).json()
    assert after["list"] == "done" and after["landedCommit"] == "a" * 40
    assert (await hook(hub, merged)).json()["outcome"] == "already taken"
    assert (await hub.ask("GET", f"/api/v1/missions/{hub.mission}")).json() == after


async def test_an_older_state_never_replaces_a_newer_one(hub: Whole) -> None:
    await in_pull_request(hub)
    await hook(hub, pull_request(draft=True, updated_at="2026-01-01T12:00:00Z"))
    late = await hook(hub, pull_request(state="closed", updated_at="2026-01-01T11:00:00Z"))
    assert late.json()["outcome"] == "nothing to do"
    after = (await hub.ask("GET", f"/api/v1/missions/{hub.mission}")).json()
    assert after["pullRequest"]["state"] == "open" and after["pullRequest"]["draft"] is True


async def test_the_root_is_a_page_for_browsers_and_json_for_programs(hub: Whole) -> None:
    page = await hub.nobody.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert f"solo-unicorn auth login --hub {hub.url}" in page.text
    for place in re.findall(r'href="(/[^"]*)"', page.text):
        assert (await hub.nobody.get(place)).status_code == 200, place
    for accept in ("application/json", "*/*"):
        about = (await hub.nobody.get("/", headers={"Accept": accept})).json()
        assert about["api"] == f"{hub.url}/api/v1" and "version" in about
        for name in ("openapi", "documentation", "signIn"):
            assert (await hub.nobody.get(about[name])).status_code == 200, name


async def test_health_readiness_and_metrics(hub: Whole) -> None:
    assert (await hub.nobody.get("/healthz")).json() == {"status": "ok"}
    ready = (await hub.nobody.get("/readyz")).json()
    assert ready["status"] == "ready" and set(ready["checks"].values()) == {"ok"}
    assert {"database", "files"} <= set(ready["checks"])
    page = (await hub.nobody.get("/metrics")).text
    assert "solo_unicorn_requests_total" in page and "solo_unicorn_websockets 0.0" in page
    hub.app.state.composed.health.stopping = True
    assert (await hub.nobody.get("/readyz")).status_code == 503


async def test_answers_carry_an_id_and_the_headers_that_keep_browsers_safe(hub: Whole) -> None:
    answer = await hub.ask("GET", "/api/v1/projects", headers={"X-Request-Id": "my-own-request-1"})
    assert answer.headers["x-request-id"] == "my-own-request-1"
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-frame-options"] == "DENY"
    assert "server" not in answer.headers
    missing = await hub.nobody.get("/api/v1/nothing")
    assert missing.json()["error"]["traceId"] == missing.headers["x-request-id"]


async def test_limits_are_told_and_kept(tmp_path: Path) -> None:
    async with whole(tmp_path, rate_limits="on", rate_limit_anonymous="3") as hub:
        answers = [await hub.nobody.get("/api/v1/public/projects") for _ in range(4)]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers[:3]] == ["2", "1", "0"]
        assert answers[3].status_code == 429 and int(answers[3].headers["retry-after"]) > 0
        assert answers[3].json()["error"]["code"] == "rate_limited"
        assert (await hub.ask("GET", "/api/v1/projects")).headers["x-ratelimit-limit"] == "5000"
        assert (await hub.nobody.get("/healthz")).status_code == 200
