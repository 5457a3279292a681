"""Two hubs over one PostgreSQL are one hub; and a hub that is told to stop leaves soon and tells everybody."""

from __future__ import annotations

import asyncio
import resource
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .. import outside
from ..realtime.server import Client
from .processes import command, program

pytestmark = pytest.mark.slow


async def test_a_change_at_one_hub_is_heard_at_the_other_and_files_and_tokens_are_both(tmp_path: Path) -> None:
    with outside.postgres() as address:
        url = address.replace("postgresql://", "postgresql+asyncpg://")
        command(tmp_path, "user", "add", "ann@example.org", "--organization", "Ann's", database_url=url)
        token = command(tmp_path, "token", "create", "ann@example.org", database_url=url)
        headers = {"Authorization": f"Bearer {token}"}
        common: Any = {"public_url": "http://127.0.0.1:8420", "database_url": url}
        async with (
            program(tmp_path, **common) as one,
            program(tmp_path, **common) as two,
            httpx.AsyncClient(base_url=one.url, headers=headers, timeout=30) as here,
            httpx.AsyncClient(base_url=two.url, headers=headers, timeout=30) as there,
        ):
            project = (await here.post("/api/v1/projects", json={"name": "Lighthouse"})).json()
            mission = (await there.post(f"/api/v1/projects/{project['id']}/missions", json={"title": "Lamp"})).json()
            async with connect(two.sockets, additional_headers=headers) as opened:
                client = Client(opened)
                await client.join(f"mission:{mission['id']}")
                await client.join(f"project:{project['id']}")
                path = f"/api/v1/missions/{mission['id']}"
                for number in range(10):
                    await here.patch(path, json={"title": f"Lamp {number}"}, headers={"If-Match": "*"})
                seen: list[int] = []
                while len(seen) < 10:
                    heard = await client.hear()
                    if heard["type"] == "mission.update":
                        seen.append(heard["seq"])
                assert seen == list(range(seen[0], seen[0] + 10))
            jwks = [(await http.get("/oauth/jwks")).json() for http in (here, there)]
            assert jwks[0] == jwks[1]


async def test_a_stopping_hub_leaves_within_five_seconds_and_tells_500_sockets_when_to_come_back(
    tmp_path: Path,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    command(tmp_path, "user", "add", "ann@example.org", "--organization", "Ann's")
    headers = {"Authorization": f"Bearer {command(tmp_path, 'token', 'create', 'ann@example.org')}"}
    async with program(tmp_path) as hub:
        gate = asyncio.Semaphore(40)

        async def opened() -> ClientConnection:
            async with gate:
                return await connect(hub.sockets, additional_headers=headers, open_timeout=60)

        sockets = await asyncio.gather(*(opened() for _ in range(500)))

        async def told(socket: ClientConnection) -> tuple[int, int]:
            wait = -1
            try:
                while True:
                    said = orjson.loads(await socket.recv())
                    for one in said if isinstance(said, list) else [said]:
                        wait = one["payload"]["retryAfterMs"] if one["type"] == "bye" else wait
            except ConnectionClosed as closed:
                return wait, closed.rcvd.code if closed.rcvd else 0

        hearing = [asyncio.create_task(told(socket)) for socket in sockets]
        await asyncio.sleep(0)
        began = time.monotonic()
        hub.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(hub.process.wait, 30)
        took = time.monotonic() - began
        answers = await asyncio.gather(*hearing)
    assert code == 0 and took < 5, f"exit code {code} after {took:.1f} s"
    assert {close for _, close in answers} == {1012}
    waits = [wait for wait, _ in answers]
    assert min(waits) > 0 and max(waits) - min(waits) > 1000, "spread over more than a second"


async def test_the_log_tells_who_did_what_and_holds_no_token(tmp_path: Path) -> None:
    command(tmp_path, "user", "add", "ann@example.org", "--organization", "Ann's")
    command(tmp_path, "user", "password", "ann@example.org", said="correct horse battery\n")
    token = command(tmp_path, "token", "create", "ann@example.org")
    async with program(tmp_path) as hub, httpx.AsyncClient(base_url=hub.url) as http:
        mine = {"Authorization": f"Bearer {token}", "X-Request-Id": "the-request-of-ann"}
        assert (await http.post("/api/v1/projects", json={"name": "Lighthouse"}, headers=mine)).status_code == 201
        await http.get("/api/v1/projects", headers={"Authorization": "Bearer pat_not-a-token-that-is-known"})
        async with connect(f"{hub.sockets}?access_token={token}"):
            pass
    text = next(tmp_path.glob("**/solo-unicorn.log")).read_text()  # noqa: ASYNC240
    lines = [orjson.loads(line) for line in text.splitlines()]
    changed = [line for line in lines if line["logger"] == "hub.audit" and line["message"] == "changed"]
    assert changed[0]["correlation"] == "the-request-of-ann" and changed[0]["caller"].startswith("user:")
    assert any(line["logger"] == "hub.access" and line["status"] == 401 for line in lines)
    for secret in (token, "pat_not-a-token", "correct horse"):
        assert secret not in text


async def test_the_operator_reads_who_did_what_while_the_hub_runs(tmp_path: Path) -> None:
    command(tmp_path, "user", "add", "ann@example.org", "--organization", "Ann's")
    token = command(tmp_path, "token", "create", "ann@example.org")
    async with (
        program(tmp_path) as hub,
        httpx.AsyncClient(base_url=hub.url, headers={"Authorization": f"Bearer {token}"}) as http,
    ):
        project = (await http.post("/api/v1/projects", json={"name": "Lighthouse"})).json()
        for name in ("Lamp", "Light"):
            await http.patch(f"/api/v1/projects/{project['id']}", json={"name": name})
        rows = orjson.loads(command(tmp_path, "audit", "--json"))["data"]
        assert [row["action"] for row in rows[:3]] == ["project.update", "project.update", "project.create"]
        assert all(row["caller"].startswith("user:") and row["place"] == "127.0.0.1" for row in rows[:3])
        last = command(tmp_path, "audit", "--json", "--action", "project.update", "--limit", "1")
        assert orjson.loads(last)["data"] == rows[:1]
        first = command(tmp_path, "audit").splitlines()[0].split("\t")
        assert first[2:4] == ["project.update", project["id"]], "in a pipe, columns are parted by tabs"
        assert orjson.loads(command(tmp_path, "audit", "--json", "--caller", "user:nobody"))["data"] == []
        assert token not in command(tmp_path, "audit", "--json")
