"""A new password, a suspension and a removal end all of a person's tokens, browsers and sockets in every process.

The hubs are programs of their own, and what ends them is the operator's command in a third process.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from ..issuing import CLIENT, Flow
from ..joined.processes import Program, command, program
from ..rest.serving import free_port

pytestmark = pytest.mark.slow
EMAIL, PASSWORD = "ann@example.org", "correct horse battery"
WITHIN = 5.0
"""Seconds that docs/security.md promises."""


class Hubs:
    """The processes of one hub, and its operator."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self._directory, self._database_url = directory, database_url
        self.programs: list[Program] = []

    def operator(self, *words: str, said: str = "") -> str:
        return command(self._directory, *words, database_url=self._database_url, said=said)


@pytest.fixture
async def hubs(tmp_path: Path, database_url: str) -> AsyncIterator[Hubs]:
    found = Hubs(tmp_path, database_url)
    found.operator("user", "add", EMAIL, "--organization", "Ann's")
    found.operator("user", "password", EMAIL, said=PASSWORD)
    async with AsyncExitStack() as stack:
        ports = [free_port() for _ in range(2 if database_url else 1)]
        common = {"public_url": f"http://127.0.0.1:{ports[0]}"}
        for port in ports:
            one = program(tmp_path, database_url=database_url, port=port, **common)
            found.programs.append(await stack.enter_async_context(one))
        yield found


async def browser(hub: Program) -> httpx.AsyncClient:
    """Signed in with the password at the hub's own page."""
    http = httpx.AsyncClient(base_url=hub.url)
    page = await http.get("/sign-in")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    form = {"csrf": csrf[1], "action": "sign-in", "email": EMAIL, "password": PASSWORD}
    assert (await http.post("/sign-in", data=form)).status_code == 303
    return http


async def tokens(http: httpx.AsyncClient) -> dict[str, Any]:
    """Of a command line, for whoever is signed in with this browser."""
    flow = Flow()
    path = f"/oauth/authorize?{flow.query()}"
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await http.get(path)).text)
    assert csrf
    sent = await http.post(path, data={"csrf": csrf[1], "action": "continue"})
    form = {"grant_type": "authorization_code", "redirect_uri": flow.back, "client_id": CLIENT}
    code = httpx.URL(sent.headers["location"]).params["code"]
    return dict((await http.post("/oauth/token", data=form | {"code": code, "code_verifier": flow.verifier})).json())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "password", EMAIL), "another horse battery"),
        (("user", "suspend", EMAIL), ""),
        (("user", "remove", EMAIL, "--to", "heir@example.org"), ""),
    ],
    ids=["new password", "suspended", "removed"],
)
async def test_everything_ends_within_five_seconds_in_every_process(
    hubs: Hubs, words: tuple[str, ...], said: str
) -> None:
    hubs.operator("user", "add", "heir@example.org")
    key = hubs.operator("token", "create", EMAIL)
    web = await browser(hubs.programs[0])
    given = await tokens(web)
    bearers = [key, given["access_token"]]
    doors = [
        httpx.AsyncClient(base_url=hub.url + "/api/v1", headers={"Authorization": f"Bearer {bearer}"})
        for hub in hubs.programs
        for bearer in bearers
    ]
    sockets = [
        await connect(hub.sockets, additional_headers={"Authorization": f"Bearer {bearer}"})
        for hub in hubs.programs
        for bearer in bearers
    ]

    async def closed(socket: Any) -> int:
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 0

    async def refused(door: httpx.AsyncClient) -> None:
        while (await door.get("/auth/whoami")).status_code != 401:  # noqa: ASYNC110
            await asyncio.sleep(0.2)

    assert [(await door.get("/auth/whoami")).status_code for door in doors] == [200] * len(doors)
    assert (await web.get("/api/v1/auth/whoami")).status_code == 200
    await asyncio.to_thread(hubs.operator, *words, said=said)
    async with asyncio.timeout(WITHIN):
        codes, *_ = await asyncio.gather(asyncio.gather(*map(closed, sockets)), *map(refused, doors), refused_page(web))
    assert codes == [4401] * len(sockets)
    again = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "client_id": CLIENT}
    assert (await web.post("/oauth/token", data=again)).json()["error"] == "invalid_grant"
    for http in (web, *doors):
        await http.aclose()


async def refused_page(web: httpx.AsyncClient) -> None:
    while "signed in as" in (await web.get("/sign-in")).text:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    assert (await web.get("/api/v1/auth/whoami")).status_code == 401


async def test_a_person_who_is_resumed_signs_in_again_with_a_new_sign_in(hubs: Hubs) -> None:
    key = hubs.operator("token", "create", EMAIL)
    hubs.operator("user", "suspend", EMAIL)
    assert "suspended" in hubs.operator("user", "list")
    hubs.operator("user", "resume", EMAIL)
    async with httpx.AsyncClient(base_url=hubs.programs[0].url) as http:
        answer = await http.get("/api/v1/auth/whoami", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 401, "what was ended stays ended"
    web = await browser(hubs.programs[-1])
    assert (await web.get("/api/v1/auth/whoami")).json()["user"]["email"] == EMAIL
    await web.aclose()


async def test_a_revoked_token_closes_its_socket_and_no_other(hubs: Hubs) -> None:
    keys = [hubs.operator("token", "create", EMAIL, "--name", name) for name in ("one", "two")]
    listed = hubs.operator("token", "list", EMAIL, "--json")
    ids = {one["name"]: one["id"] for one in httpx.Response(200, text=listed).json()["data"]}
    one, two = [
        await connect(hubs.programs[-1].sockets, additional_headers={"Authorization": f"Bearer {key}"}) for key in keys
    ]
    await asyncio.to_thread(hubs.operator, "token", "revoke", ids["one"])
    async with asyncio.timeout(WITHIN):
        with pytest.raises(ConnectionClosed):
            while True:
                await one.recv()
    await (await two.ping())
    await two.close()
