"""What a hub depends on hangs: it is named within seconds, nothing waits for ever, and all goes on when it is back."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from .. import outside
from ..swallowing import Swallowing, swallowing
from ..whole import Whole, whole
from .processes import program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with outside.postgres() as url:
        yield url


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with outside.redis() as url:
        yield url


@asynccontextmanager
async def hanging(proxy: Swallowing) -> AsyncIterator[None]:
    proxy.passing.clear()
    try:
        yield
    finally:
        proxy.passing.set()


async def until(hub: Whole, status: int) -> httpx.Response:
    """`/readyz` remembers for a second what it found."""
    deadline = time.monotonic() + 60
    while (answer := await hub.nobody.get("/readyz")).status_code != status:
        assert time.monotonic() < deadline, answer.text
    return answer


async def test_a_database_that_hangs_is_named_and_no_request_waits_for_ever(postgres: str, tmp_path: Path) -> None:
    url = await outside.fresh(postgres)
    async with swallowing(url) as (proxy, by_proxy), whole(tmp_path, database_url=by_proxy) as hub:
        async with hanging(proxy):
            found = await until(hub, 503)
            assert found.json()["why"] == "failing: database, bus" and str(proxy.port) in found.text
            # more than there are connections: some hang, some wait for one
            answers = await asyncio.gather(*(hub.ask("GET", f"/api/v1/missions/{hub.mission}") for _ in range(30)))
            answers.append(await hub.ask("POST", "/api/v1/projects", json={"name": "Not made"}))
            assert {answer.status_code for answer in answers} == {503}
            assert all(answer.json()["error"]["code"] == "unavailable" for answer in answers)
            assert "database" in answers[-1].json()["error"]["message"]
        await until(hub, 200)
        made = await hub.ask("POST", "/api/v1/projects", json={"name": "Made"})
        assert made.status_code == 201
        names = [one["name"] for one in (await hub.ask("GET", "/api/v1/projects")).json()["items"]]
        assert sorted(names) == ["Lighthouse", "Made"]


async def test_a_database_that_is_gone_is_the_operators_matter_and_its_address_is_told_to_nobody_else(
    postgres: str, tmp_path: Path
) -> None:
    import asyncpg

    url = await outside.fresh(postgres)
    async with whole(tmp_path, database_url=url) as hub:
        at = await asyncpg.connect(postgres)
        await at.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
        await at.close()
        answers = [await hub.ask("GET", "/api/v1/projects") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [503] * 3
        assert "operator" in answers[-1].text and "127.0.0.1" not in answers[-1].text
        ready = await asyncio.gather(*(hub.nobody.get("/readyz") for _ in range(10)))
        assert {answer.status_code for answer in ready} == {503}
        assert "does not exist" in ready[0].json()["checks"]["database"]


async def test_redis_that_hangs_is_named_and_stops_neither_requests_nor_sockets(redis: str, tmp_path: Path) -> None:
    async with swallowing(redis) as (proxy, by_proxy), whole(tmp_path, bus_url=by_proxy, rate_limits="on") as hub:
        async with hanging(proxy):
            found = await until(hub, 503)
            assert found.json()["checks"]["database"] == "ok" and str(proxy.port) in found.json()["checks"]["bus"]
            assert (await hub.ask("POST", "/api/v1/projects", json={"name": "Made"})).status_code == 201
            async with opened(hub) as opened_socket:
                await opened_socket.send(orjson.dumps({"type": "join", "channel": f"project:{hub.project}"}).decode())
                with pytest.raises(ConnectionClosed) as closed:
                    async with asyncio.timeout(60):
                        while True:
                            await opened_socket.recv()
                assert closed.value.rcvd and closed.value.rcvd.code == 1012, "it comes back later, and polls"
        await until(hub, 200)
        async with opened(hub) as opened_socket, asyncio.timeout(60):
            await opened_socket.send(orjson.dumps({"type": "join", "channel": f"project:{hub.project}"}).decode())
            await heard(opened_socket, "joined")
            await hub.ask("POST", f"/api/v1/projects/{hub.project}/missions", json={"title": "Heard"})
            await heard(opened_socket, "changes")


async def test_a_bucket_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    aws = {"ACCESS_KEY_ID": "ann", "SECRET_ACCESS_KEY": "secret", "REGION": "eu-central-1", "ALLOW_HTTP": "true"}
    for name, value in (aws | {"ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    async with whole(tmp_path, upload_url="s3://files/here") as hub:
        found = await until(hub, 503)
        told = found.json()["checks"]
        assert told["files"].startswith("s3://files/here did not answer") and told["database"] == "ok"
        stranger = {"X-Forwarded-For": "8.8.8.8"}
        assert (await hub.nobody.get("/readyz", headers=stranger)).json()["checks"]["files"] == "failing"
        silent.close()


async def test_a_bucket_that_hangs_does_not_delay_the_end_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = {"ACCESS_KEY_ID": "ann", "SECRET_ACCESS_KEY": "secret", "REGION": "eu-central-1", "ALLOW_HTTP": "true"}
    answers = asyncio.Event()
    answers.set()

    async def bucket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """An empty bucket, until it hangs."""
        body = b"<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Type: application/xml\r\n\r\n"
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                await answers.wait()
                writer.write(head.encode() + body)

    serving = await asyncio.start_server(bucket, "127.0.0.1", 0)
    for name, value in (aws | {"ENDPOINT_URL": f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    async with program(tmp_path, upload_url="s3://files/here") as hub, httpx.AsyncClient() as http:
        answers.clear()
        while (await http.get(hub.url + "/readyz", timeout=30)).status_code != 503:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        hub.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(hub.process.wait, 20)
        assert code == 0, "it ended by itself, before somebody had to end it"
    answers.set()
    serving.close()


def opened(hub: Whole) -> connect:
    return connect(
        hub.url.replace("http", "ws") + "/ws/v1", additional_headers={"Authorization": f"Bearer {hub.ann_token}"}
    )


async def heard(opened_socket: object, kind: str) -> None:
    while True:
        found = orjson.loads(await opened_socket.recv())  # type: ignore[attr-defined]
        if kind in [one["type"] for one in (found if isinstance(found, list) else [found])]:
            return
