"""A web hook's body names many addresses; the hub calls none of them, and takes only bodies that GitHub signed."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ..joined.test_parts import hook, in_pull_request, made_hook, pull_request
from ..whole import Whole, whole

pytestmark = pytest.mark.slow
INSIDE = ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "file:///etc/passwd", "gopher://x/"]


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Whole]:
    async with whole(tmp_path, database_url=database_url) as found:
        yield found


async def test_no_address_in_a_body_is_ever_called(hub: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    await in_pull_request(hub)
    called: list[Any] = []
    before = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        called.append(address)
        before(self, address)

    real = socket.getaddrinfo

    def resolve(host: Any, *more: Any, **named: Any) -> Any:
        called.append(host)
        return real(host, *more, **named)

    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/"
        told = pull_request(
            draft=True,
            url=address,
            html_url=address,
            comments_url=INSIDE[0],
            statuses_url=INSIDE[2],
            diff_url=INSIDE[3],
            head={"sha": "a" * 40, "repo": {"clone_url": address, "hooks_url": INSIDE[1]}},
        )
        told["repository"]["url"] = address
        told["sender"] = {"avatar_url": address}
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert (await hook(hub, told)).json()["outcome"] == "1 changed"
        with pytest.raises(BlockingIOError):
            trap.accept()
    ours = hub.url.rpartition(":")[2]
    assert [one for one in called if one not in ("127.0.0.1", ours)] == []


async def test_a_body_without_the_right_signature_changes_nothing(hub: Whole) -> None:
    await in_pull_request(hub)
    before = (await hub.ask("GET", f"/api/v1/missions/{hub.mission}")).json()
    merged = pull_request(state="closed", merged=True)
    linked = (await hub.ask("GET", f"/api/v1/projects/{hub.project}/repositories")).json()["items"][0]["id"]
    made = await made_hook(hub, linked)
    assert (await hook(hub, merged, made={**made, "secret": "a guess"})).status_code == 401
    for headers in (
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature": "sha1=00"},
    ):
        sent = await hub.nobody.post(made["url"], json=merged, headers=headers)
        assert sent.status_code == 401
    assert (await hub.ask("GET", f"/api/v1/missions/{hub.mission}")).json() == before


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"repository": None},
        {"repository": {"id": "77; DROP TABLE missions"}, "pull_request": {"number": 5}},
        {"repository": {"id": 77}, "pull_request": {"number": 5, "updated_at": "yesterday"}},
        {"repository": {"id": 77}, "pull_request": {"number": 5, "updated_at": "2026-01-01T10:00:00Z", "head": 3}},
        {"repository": {"id": 1e30}, "pull_request": {"number": -1e30}},
    ],
)
async def test_signed_bodies_of_any_shape_are_answered(hub: Whole, told: Any) -> None:
    await in_pull_request(hub)
    assert (await hook(hub, told)).status_code == 200


async def test_a_repository_without_a_secret_takes_nothing(hub: Whole) -> None:
    await in_pull_request(hub)
    linked = (await hub.ask("GET", f"/api/v1/projects/{hub.project}/repositories")).json()["items"][0]["id"]
    url = f"{hub.url}/api/v1/webhooks/github/{linked}"
    assert (await hook(hub, pull_request(), made={"url": url, "secret": ""})).status_code == 401
    made = await made_hook(hub, linked)
    assert (await hook(hub, pull_request(draft=True), made=made)).json()["outcome"] == "1 changed"
    assert (await hub.ask("DELETE", f"/api/v1/repositories/{linked}/webhook")).status_code == 204
    assert (await hook(hub, pull_request(state="closed"), made=made)).status_code == 401


async def test_who_links_the_same_repository_moves_only_missions_of_their_own(hub: Whole) -> None:
    """A stranger linked the id of Ann's repository, and their signed events closed her missions."""
    await in_pull_request(hub)
    before = (await hub.ask("GET", f"/api/v1/missions/{hub.mission}")).json()
    mine = (await hub.ben.post("/api/v1/projects", json={"name": "Ben's"})).json()["id"]
    linked = await hub.ben.post(f"/api/v1/projects/{mine}/repositories", json={"name": "lamp", "githubRepoId": 77})
    theirs = await made_hook(hub, linked.json()["id"], hub.ben)
    merged = pull_request(state="closed", merged=True, merge_commit_sha="a" * 40)
    assert (await hook(hub, merged, made=theirs)).json()["outcome"] == "nothing to do"
    anns = (await hub.ask("GET", f"/api/v1/projects/{hub.project}/repositories")).json()["items"][0]["id"]
    at_anns = {**theirs, "url": f"{hub.url}/api/v1/webhooks/github/{anns}"}
    assert (await hook(hub, merged, made=at_anns)).status_code == 401
    assert (await hub.ask("GET", f"/api/v1/missions/{hub.mission}")).json() == before
    assert (await hook(hub, merged)).json()["outcome"] == "1 changed", "the same body is taken for each repository"


async def test_a_hook_hears_of_its_own_repository_alone(hub: Whole) -> None:
    await in_pull_request(hub)
    told = pull_request(state="closed", merged=True)
    told["repository"]["id"] = 78
    assert (await hook(hub, told)).json()["outcome"] == "nothing to do"
