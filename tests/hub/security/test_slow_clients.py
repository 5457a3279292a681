"""Clients that send or read a byte now and then are let go, and hold up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ..whole import Whole, whole

pytestmark = pytest.mark.slow


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    monkeypatch.setattr("solo_unicorn.hub.operating.server.HEADER_SECONDS", 0.5)
    monkeypatch.setattr("solo_unicorn.hub.operating.middleware.BODY_SECONDS", 0.5)
    monkeypatch.setattr("solo_unicorn.hub.uploads.routes.CHUNK_SECONDS", 0.5)
    async with whole(tmp_path) as found:
        yield found


async def opened(hub: Whole, said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(hub.url.rpartition(":")[2]))
    writer.write(said)
    await writer.drain()
    return reader, writer


async def test_a_head_that_does_not_come_closes_the_connection(hub: Whole) -> None:
    crowd = [await opened(hub, said) for said in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ") for _ in range(50)]
    assert (await hub.nobody.get("/healthz")).status_code == 200
    async with asyncio.timeout(10):
        for reader, writer in crowd:
            assert await reader.read() == b""
            writer.close()


async def test_a_body_that_does_not_come_is_refused(hub: Whole) -> None:
    head = f"POST /api/v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {hub.ann_token}\r\n"
    reader, writer = await opened(
        hub, head.encode() + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    writer.close()


async def test_an_upload_that_stands_still_is_let_go_and_keeps_what_came(hub: Whole) -> None:
    made = await hub.ask(
        "POST",
        f"/api/v1/projects/{hub.project}/attachments",
        json={"missionId": hub.mission, "name": "x.txt", "mime": "text/plain", "size": 100, "sha256": "0" * 64},
    )
    address = made.json()["uploadUrl"]
    path = address.removeprefix(hub.url)
    reader, writer = await opened(hub, f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf".encode())
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    assert (await hub.nobody.head(address)).headers["upload-offset"] == "4"


async def test_a_kept_connection_goes_on_serving(hub: Whole) -> None:
    for _ in range(3):
        assert (await hub.nobody.get("/healthz")).status_code == 200
        await asyncio.sleep(0.3)
