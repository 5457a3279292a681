"""Bodies, heads and nesting beyond all reason are refused early, and the hub goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ..whole import Whole, whole

pytestmark = pytest.mark.slow
MB = 1024 * 1024


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole(tmp_path) as found:
        yield found
        assert (await found.nobody.get("/readyz")).status_code == 200


async def test_an_announced_size_is_refused_before_the_body_is_read(hub: Whole) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(hub.url.rpartition(":")[2]))
    writer.write(
        b"POST /api/v1/projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 99999999999\r\n\r\n"
    )
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_a_body_of_no_announced_size_is_cut_off(hub: Whole) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += MB
            yield b" " * MB

    try:
        answer = await hub.ask(
            "POST", "/api/v1/projects", content=endless(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the hub closed the connection while we were still sending
    assert sent < 100 * MB


async def test_deep_nesting_is_answered(hub: Whole) -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    for path in ("/api/v1/projects", "/oauth/register", "/mcp"):
        answer = await hub.ask("POST", path, content=deep, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text[:200]


async def test_huge_heads_and_addresses_are_refused(hub: Whole) -> None:
    for request in (
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: " + b"b" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: " + b"b" * 200_000,
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"b" * 900) for n in range(200)) + b"\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(hub.url.rpartition(":")[2]))
        try:
            writer.write(request)
            await writer.drain()
            async with asyncio.timeout(15):
                answer = await reader.read(200)
        except ConnectionError:
            answer = b""
        finally:
            writer.close()
        assert answer == b"" or answer.split()[1] in (b"400", b"414", b"431"), answer


async def test_a_file_larger_than_announced_is_cut_at_its_size(hub: Whole) -> None:
    made = await hub.ask(
        "POST",
        f"/api/v1/projects/{hub.project}/attachments",
        json={"missionId": hub.mission, "name": "x.txt", "mime": "text/plain", "size": 10, "sha256": "0" * 64},
    )
    answer = await hub.nobody.put(made.json()["uploadUrl"], content=b"x" * MB)
    assert answer.status_code == 422
    largest = await hub.ask(
        "POST",
        f"/api/v1/projects/{hub.project}/attachments",
        json={"missionId": hub.mission, "name": "x.txt", "mime": "text/plain", "size": 10**12, "sha256": "0" * 64},
    )
    assert largest.status_code == 422


async def test_passwords_of_a_megabyte_are_not_hashed(hub: Whole) -> None:
    page = await hub.nobody.get("/sign-in")
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    given = {"csrf": csrf, "action": "sign-in", "email": "ann@example.org", "password": "x" * 60_000}
    assert (await hub.nobody.post("/sign-in", data=given)).status_code == 401
    given["password"] = "x" * MB
    assert (await hub.nobody.post("/sign-in", data=given)).status_code in (403, 413)
