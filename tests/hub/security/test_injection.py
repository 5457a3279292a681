"""SQL and header injection: text is text, wherever it is put."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from ..whole import Whole, whole

pytestmark = pytest.mark.slow
SQL = [
    "' OR 1=1 --",
    "'; DROP TABLE missions; --",
    '" OR ""="',
    "1) UNION SELECT hash FROM passwords --",
    "%' OR '1'='1",
    "\\'",
]


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Whole]:
    async with whole(tmp_path, database_url=database_url) as found:
        yield found


async def test_sql_in_ids_filters_and_cursors_finds_nothing_and_breaks_nothing(hub: Whole) -> None:
    before = (await hub.ask("GET", f"/api/v1/projects/{hub.project}/missions")).json()["items"]
    for text in SQL:
        word = quote(text, safe="")
        for path in (
            f"/api/v1/missions/{word}",
            f"/api/v1/projects/{word}",
            f"/api/v1/projects/{hub.project}/missions?after={word}",
            f"/api/v1/projects/{hub.project}/missions?list={word}",
            f"/api/v1/projects/{hub.project}/missions?fields={word}",
            f"/api/v1/projects/{hub.project}/changes?cursor={word}",
            f"/api/v1/public/projects/search?q={word}",
            f"/api/v1/public/projects/{word}",
        ):
            answer = await hub.ask("GET", path)
            assert answer.status_code < 500, (path, answer.text)
            assert "argon2" not in answer.text
    assert (await hub.ask("GET", f"/api/v1/projects/{hub.project}/missions")).json()["items"] == before


async def test_sql_in_texts_is_kept_as_text(hub: Whole) -> None:
    for text in SQL:
        made = await hub.ask(
            "POST", f"/api/v1/projects/{hub.project}/missions", json={"title": text, "description": text}
        )
        assert made.status_code == 201 and made.json()["title"] == text
        read = await hub.ask("GET", f"/api/v1/missions/{made.json()['id']}")
        assert read.json()["description"] == text


async def test_sql_at_the_sign_in_signs_nobody_in(hub: Whole) -> None:
    for text in SQL[:3]:
        page = await hub.nobody.get("/sign-in")
        csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
        given = {"csrf": csrf, "action": "sign-in", "email": text, "password": text}
        assert (await hub.nobody.post("/sign-in", data=given)).status_code == 401


async def raw(hub: Whole, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(hub.url.rpartition(":")[2]))
    writer.write(request)
    await writer.drain()
    try:
        async with asyncio.timeout(15):
            return await reader.read(65536)
    finally:
        writer.close()


async def test_line_ends_in_what_we_echo_make_no_header(hub: Whole) -> None:
    wrong = "evil%0d%0aSet-Cookie:%20a=b"
    for path in (
        f"/oauth/authorize?client_id=solo-unicorn-cli&redirect_uri=http://127.0.0.1:1/{wrong}&response_type=code",
        f"/api/v1/missions/{wrong}",
        f"/uploads/{wrong}",
    ):
        answer = await raw(hub, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert b"set-cookie: a=b" not in head
    for name in ("x y", "a" * 65, "<script>", "ü"):
        answer = await raw(
            hub, f"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: {name}\r\nConnection: close\r\n\r\n".encode()
        )
        assert f"x-request-id: {name}".encode() not in answer.lower()


async def test_the_host_header_is_believed_nowhere(hub: Whole) -> None:
    for host in ("evil.example", "evil.example:80", "127.0.0.1@evil.example"):
        for path in ("/.well-known/openid-configuration", "/.well-known/oauth-protected-resource"):
            answer = await hub.nobody.get(path, headers={"Host": host})
            assert "evil.example" not in answer.text
        made = await hub.ask(
            "POST",
            f"/api/v1/projects/{hub.project}/attachments",
            json={"missionId": hub.mission, "name": "x.txt", "mime": "text/plain", "size": 1, "sha256": "0" * 64},
            headers={"Host": host},
        )
        assert made.json()["uploadUrl"].startswith(hub.url + "/uploads/")


async def test_two_lengths_and_smuggled_requests_are_refused(hub: Whole) -> None:
    for head in (
        "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
    ):
        answer = await raw(hub, head.encode())
        assert answer.startswith(b"HTTP/1.1 400"), answer[:80]
