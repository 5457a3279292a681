"""Files of missions at a hub: up in pieces, checked, down again; in a directory and in a store that speaks S3."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..whole import Whole, whole

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of a server that speaks S3."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        made = httpx.HTTPTransport(retries=8)  # a second and more until it listens
        with httpx.Client(transport=made, timeout=30) as client:
            assert client.put(f"{address}/files").status_code == 200
        yield address
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(params=["directory", "store"])
async def hub(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whole]:
    if request.param == "directory":
        async with whole(tmp_path) as found:
            yield found
        return
    aws = {"ACCESS_KEY_ID": "ann", "SECRET_ACCESS_KEY": "secret", "REGION": "eu-central-1", "ALLOW_HTTP": "true"}
    for name, value in (aws | {"ENDPOINT_URL": request.getfixturevalue("store")}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    async with whole(tmp_path, upload_url=f"s3://files/{tmp_path.name}") as found:
        yield found
    assert not any(entry.is_file() for entry in (tmp_path / "uploads").rglob("*")), "no byte stays on this machine"


def file(content: bytes, mission: str, **other: Any) -> dict[str, Any]:
    return {
        "missionId": mission,
        "name": "notes.txt",
        "mime": "text/plain",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    } | other


async def test_a_file_goes_up_in_pieces_and_comes_down_whole(hub: Whole) -> None:
    content = b"The lamp is lit at dusk.\n" * 400_000
    made = await hub.ask("POST", f"/api/v1/projects/{hub.project}/attachments", json=file(content, hub.mission))
    assert made.status_code == 201, made.text
    address, identifier = made.json()["uploadUrl"], made.json()["attachment"]["id"]
    early = await hub.ask("POST", f"/api/v1/attachments/{identifier}/complete")
    assert early.status_code == 409
    half = len(content) // 2
    first = await hub.nobody.put(address, content=content[:half], headers={"Upload-Offset": "0"})
    assert first.status_code == 204 and first.headers["upload-offset"] == str(half)
    wrong = await hub.nobody.put(address, content=content[half:], headers={"Upload-Offset": "17"})
    assert wrong.status_code == 409 and wrong.headers["upload-offset"] == str(half)
    assert (await hub.nobody.head(address)).headers["upload-offset"] == str(half)
    await hub.nobody.put(address, content=content[half:], headers={"Upload-Offset": str(half)})
    done = await hub.ask("POST", f"/api/v1/attachments/{identifier}/complete")
    assert done.status_code == 200 and done.json()["state"] == "complete", done.text
    listed = (await hub.ask("GET", f"/api/v1/missions/{hub.mission}/attachments")).json()
    assert [one["id"] for one in listed["items"]] == [identifier]
    sent = await hub.ask("GET", f"/api/v1/attachments/{identifier}/content")
    assert sent.status_code == 302
    assert (await hub.nobody.get(sent.headers["location"])).content == content
    assert (await hub.ben.get(f"/api/v1/attachments/{identifier}/content")).status_code == 404


async def test_an_upload_that_broke_off_goes_on_from_where_it_stands(hub: Whole) -> None:
    content = b"x" * 3_000_000
    made = await hub.ask("POST", f"/api/v1/projects/{hub.project}/attachments", json=file(content, hub.mission))
    address = made.json()["uploadUrl"]

    async def breaks() -> AsyncIterator[bytes]:
        yield content[:1_000_000]
        raise ConnectionError("the lid was closed")

    with pytest.raises((httpx.HTTPError, ConnectionError)):
        await hub.nobody.put(address, content=breaks(), headers={"Content-Length": str(len(content))})
    async with asyncio.timeout(10):
        while (stands := int((await hub.nobody.head(address)).headers["upload-offset"])) == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert 0 < stands <= 1_000_000
    await hub.nobody.put(address, content=content[stands:], headers={"Upload-Offset": str(stands)})
    identifier = made.json()["attachment"]["id"]
    assert (await hub.ask("POST", f"/api/v1/attachments/{identifier}/complete")).status_code == 200


async def test_a_file_that_is_not_what_was_announced_is_refused(hub: Whole) -> None:
    for content, other in ((b"\x7fELF....", {"mime": "image/png"}), (b"abc", {"sha256": "0" * 64})):
        made = await hub.ask(
            "POST", f"/api/v1/projects/{hub.project}/attachments", json=file(content, hub.mission, **other)
        )
        await hub.nobody.put(made.json()["uploadUrl"], content=content)
        identifier = made.json()["attachment"]["id"]
        refused = await hub.ask("POST", f"/api/v1/attachments/{identifier}/complete")
        assert refused.status_code == 422, refused.text
