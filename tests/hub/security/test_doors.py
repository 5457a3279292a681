"""Doors beside the API: sockets, links and searches open no more than a token, an inviter or a reader may."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from solo_unicorn.hub.errors import HubError
from solo_unicorn.hub.services import invitations

from ..realtime.server import Client
from ..whole import Whole, whole

pytestmark = pytest.mark.slow


@pytest.fixture
async def hub(tmp_path: Path, database_url: str) -> AsyncIterator[Whole]:
    async with whole(tmp_path, database_url=database_url) as found:
        yield found


async def token(hub: Whole, *scopes: str) -> dict[str, str]:
    made = (await hub.ann.post("/api/v1/tokens", json={"name": "narrow", "scopes": list(scopes)})).json()
    return {"Authorization": f"Bearer {made['token']}"}


async def own(client: httpx.AsyncClient) -> str:
    return str((await client.get("/api/v1/organizations")).json()["items"][0]["id"])


def place(hub: Whole) -> str:
    return hub.url.replace("http", "ws") + "/ws/v1"


async def test_a_token_that_may_not_read_opens_no_socket(hub: Whole) -> None:
    async with connect(place(hub), additional_headers=await token(hub, "run", "write")) as socket:
        with pytest.raises(ConnectionClosed) as ended:
            await socket.recv()
    assert ended.value.rcvd is not None and ended.value.rcvd.code == 4401


async def test_a_token_that_may_only_read_speaks_for_no_workstation(hub: Whole) -> None:
    body = {"name": "lamp", "machineId": "m", "organizationId": await own(hub.ann)}
    station = (await hub.ann.post("/api/v1/workstations", json=body)).json()["id"]
    board = f"project:{hub.project}:workstations"
    for scopes, said in ((("read",), "error"), (("read", "run"), "ok")):
        async with connect(place(hub), additional_headers=await token(hub, *scopes)) as socket:
            speaker = Client(socket)
            await speaker.say("presence.update", board, workstationId=station, meta={"status": "online"}, ref=1)
            heard = await speaker.hear()
            while heard["type"] not in ("ok", "error"):
                heard = await speaker.hear()
            assert heard["type"] == said, heard


async def test_a_search_does_not_say_by_its_pages_what_is_hidden(hub: Whole) -> None:
    """Another project has the guessed text in its name, so that a second match would show as a further page."""
    anns = await own(hub.ann)
    bens = (await hub.ben.post("/api/v1/projects", json={"name": f"Guess {anns}"})).json()["id"]
    for client, project in ((hub.ann, hub.project), (hub.ben, bens)):
        await client.patch(f"/api/v1/projects/{project}", json={"visibility": "public"}, headers={"If-Match": "*"})
    for path in (f"search?q={anns}&limit=1", f"search?q=organizationId+{anns}&limit=1"):
        found = (await hub.nobody.get(f"/api/v1/public/projects/{path}")).json()
        assert found["nextAfter"] is None, path
    names = [one["name"] for one in (await hub.nobody.get("/api/v1/public/projects/search?q=LIGHT")).json()["items"]]
    assert names == ["Lighthouse"]


async def test_a_search_goes_on_over_its_pages(hub: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solo_unicorn.hub.services.public.BATCH", 2)
    for number in range(7):
        made = (await hub.ann.post("/api/v1/projects", json={"name": f"Board {number}"})).json()
        shown = {"visibility": "public", **({"description": "lamp"} if number % 2 else {})}
        await hub.ann.patch(f"/api/v1/projects/{made['id']}", json=shown, headers={"If-Match": "*"})
    found, after = [], ""
    while True:
        answer = (await hub.nobody.get(f"/api/v1/public/projects/search?q=lamp&limit=1{after}")).json()
        found += [one["name"] for one in answer["items"]]
        if answer["nextAfter"] is None:
            break
        after = f"&after={answer['nextAfter']}"
    assert found == ["Board 1", "Board 3", "Board 5"]


async def offered(hub: Whole, by: httpx.AsyncClient, email: str, role: str = "member") -> dict[str, Any]:
    path = f"/api/v1/organizations/{await own(hub.ann)}/members"
    answer = await by.post(path, json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def user(client: httpx.AsyncClient) -> str:
    return str((await client.get("/api/v1/auth/whoami")).json()["user"]["id"])


async def test_one_link_is_accepted_once_however_many_read_it_before(hub: Whole) -> None:
    link = (await offered(hub, hub.ann, "eve@example.org"))["link"].rpartition("/")[2]
    row = await hub.hub.database.read(lambda at: invitations.behind(at, link, time.time()))
    assert row is not None
    first, second = await user(hub.ben), await user(hub.ann)
    await hub.hub.database.write(lambda at: invitations.decide(at, row, first, accepted=True, now=time.time()))
    with pytest.raises(HubError, match="no longer open"):
        await hub.hub.database.write(lambda at: invitations.decide(at, row, second, accepted=True, now=time.time()))


@pytest.mark.parametrize("became", ["removed", "member"])
async def test_an_invitation_ends_with_the_right_of_whoever_offered_it(hub: Whole, became: str) -> None:
    """Else an administrator who has to go leaves invitations to accounts of their own behind."""
    welcome = await offered(hub, hub.ann, "ben@example.org", "admin")
    await hub.ben.post(f"/api/v1/invitations/{welcome['id']}/accept")
    back = await offered(hub, hub.ben, "ben@example.org", "admin")
    link = httpx.URL(back["link"]).path
    assert (await hub.nobody.get(link)).status_code == 200
    member = f"/api/v1/organizations/{await own(hub.ann)}/members/{await user(hub.ben)}"
    if became == "removed":
        assert (await hub.ann.delete(member)).status_code == 204
    else:
        assert (await hub.ann.patch(member, json={"role": "member"})).status_code == 200
    assert (await hub.ben.get("/api/v1/invitations")).json()["items"] == []
    assert (await hub.nobody.get(link)).status_code == 404
    refused = await hub.ben.post(f"/api/v1/invitations/{back['id']}/accept")
    assert refused.status_code == 409 and "may not invite" in refused.text


async def test_nobody_is_drawn_into_a_project_and_no_answer_says_who_has_an_account(hub: Whole) -> None:
    path = f"/api/v1/projects/{hub.project}/members"
    answers = [
        await hub.ann.post(path, json=named)
        for named in ({"email": "ben@example.org"}, {"email": "nobody@example.org"}, {"userId": await user(hub.ben)})
    ]
    assert {(one.status_code, one.json()["error"]["message"]) for one in answers} == {
        (404, answers[0].json()["error"]["message"])
    }
    assert (await hub.ben.get(f"/api/v1/projects/{hub.project}")).status_code == 404
    welcome = await offered(hub, hub.ann, "ben@example.org")
    await hub.ben.post(f"/api/v1/invitations/{welcome['id']}/accept")
    given = await hub.ann.post(path, json={"email": "ben@example.org", "role": "maintainer"})
    assert given.json()["role"] == "maintainer"
