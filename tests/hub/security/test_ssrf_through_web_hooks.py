"""A web hook's body names many addresses; the hub calls none of them, and takes only bodies that GitHub signed."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ..joined.test_parts import hook, in_pull_request, pull_request
from ..whole import Whole, whole

pytestmark = pytest.mark.slow
INSIDE = ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "file:///etc/passwd", "gopher://x/"]


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Whole]:
    async with whole(tmp_path, database_url=database_url, github_webhook_secret="the hook's own secret") as found:
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
    assert (await hook(hub, merged, secret="a guess")).status_code == 401
    for headers in (
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature": "sha1=00"},
    ):
        sent = await hub.nobody.post("/api/v1/webhooks/github", json=merged, headers=headers)
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


async def test_without_a_secret_there_is_no_hook(tmp_path: Path) -> None:
    async with whole(tmp_path) as hub:
        assert (await hub.nobody.post("/api/v1/webhooks/github", json={})).status_code == 404
