"""Strangers walk over every endpoint of the OpenAPI document and every channel of the socket of a public project.

Everything private in it has a mark, and nothing that a stranger is told has one: no address, name, id or byte.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from solo_unicorn.hub.api.openapi import document
from solo_unicorn.hub.realtime.envelopes import Kind
from solo_unicorn.missions.ids import new_ulid

from ..realtime.server import Client
from ..whole import Whole, whole

pytestmark = pytest.mark.slow

MARK = "PRIVATE-7f3a"
GENEROUS = {"publicMissionRead": True, "publicMemoryRead": True, "publicRepositoryRead": True}
CLOSED = dict.fromkeys(GENEROUS, False)


@dataclass
class Filled:
    """A hub with Ann's public project, the ids of what is in it, and what no stranger may be told."""

    hub: Whole
    ids: dict[str, str]
    private: set[str]
    strangers: dict[str, httpx.AsyncClient]
    tokens: dict[str, str]

    def crossed(self, text: str) -> set[str]:
        return {one for one in self.private if one in text}


async def made(hub: Whole, method: str, path: str, **body: Any) -> dict[str, Any]:
    answer = await hub.ask(method, f"/api/v1{path}", json=body, headers={"If-Match": "*"})
    assert answer.status_code < 300, (path, answer.text)
    return dict(answer.json()) if answer.content else {}


@pytest.fixture(params=["generous", "closed"])
async def filled(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Filled]:
    settings = GENEROUS if request.param == "generous" else CLOSED
    async with whole(tmp_path) as hub:
        filled = await fill(hub, settings)
        yield filled
        await closed(filled)


async def closed(filled: Filled) -> None:
    """End the strangers' connections."""
    for client in filled.strangers.values():
        await client.aclose()


async def fill(hub: Whole, settings: dict[str, bool]) -> Filled:
    project, mission = f"/projects/{hub.project}", f"/missions/{hub.mission}"
    me = await made(hub, "GET", "/auth/whoami")
    organization, user = me["organizations"][0]["id"], me["user"]["id"]
    open_to_all = {**settings, "visibility": "public", "workstationVisibility": "full_details"}
    await made(hub, "PATCH", project, publicSlug="lighthouse", **open_to_all)
    actor = await made(hub, "POST", f"{project}/actors", name="Critic", description=MARK, methodology=MARK, focus=MARK)
    repository = await made(hub, "POST", f"{project}/repositories", name="shop", remoteUrl=f"git@{MARK}:x")
    stages = [{"stage": "plan", "requireReview": True, "prompt": MARK, "description": MARK}]
    flow = await made(hub, "POST", f"{project}/flows", name="Own", stageSequence=stages, description=MARK)
    await made(hub, "PUT", f"{project}/memory/notes", text="Fees are net.")
    await made(hub, "PATCH", mission, actorId=actor["id"], projectRepositoryId=repository["id"])
    await made(hub, "POST", f"{mission}/notes", kind="noted_decision", text=MARK)
    told = ("reviewFeedback", "question", "prBranchName", "stageSummary", "landingError")
    internal = dict.fromkeys((*told, "lastCodeAgentSessionId", "sessionId"), MARK)
    await made(hub, "PATCH", mission, **internal, reviewedByUserId=user)
    other = await made(hub, "POST", f"{project}/missions", title="Other")
    await made(hub, "POST", f"{mission}/dependencies", missionId=other["id"], relation="blocks")
    station = await made(
        hub, "POST", "/workstations", name="lamp", organizationId=organization, machineId=MARK, hostname=MARK
    )
    beat = {"generation": station["generation"], "state": "idle", "availableCodeAgents": []}
    await made(hub, "POST", f"/workstations/{station['id']}/heartbeat", **beat)
    content = f"{MARK} in a file".encode()
    announced = await made(
        hub,
        "POST",
        f"{project}/attachments",
        missionId=hub.mission,
        name=f"{MARK}.txt",
        mime="text/plain",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    assert (await hub.nobody.put(announced["uploadUrl"], content=content)).status_code == 204
    file = await made(hub, "POST", f"/attachments/{announced['attachment']['id']}/complete")
    key = (await hub.ben.get("/api/v1/organizations")).json()["items"][0]["id"]
    bens_key = (await hub.ben.post(f"/api/v1/organizations/{key}/keys", json={"name": "k", "scopes": ["read"]})).json()
    tokens = {"another organization": hub.ben_token, "its key": bens_key["token"], "nobody": ""}
    clients = {
        name: httpx.AsyncClient(base_url=hub.url, headers={"Authorization": f"Bearer {token}"} if token else {})
        for name, token in tokens.items()
    }
    ids = {
        "projects": hub.project,
        "missions": hub.mission,
        "organizations": organization,
        "flows": flow["id"],
        "repositories": repository["id"],
        "actors": actor["id"],
        "workstations": station["id"],
        "attachments": file["id"],
        "user": user,
        "other": other["id"],
    }
    private = {MARK, "ann@example.org", '"Ann"', "Ann's", user, organization}
    return Filled(hub, ids, private, clients, tokens)


def addresses(ids: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, body) of everything that the document describes, with what is in the project."""
    found = []
    names = {"slug": "lighthouse", "name": "notes", "relation": "blocks", "key": new_ulid(), "invitation": new_ulid()}
    paths = cast("dict[str, dict[str, Any]]", document("/api/v1")["paths"])
    for path, row in paths.items():
        kind = path.removeprefix("/api/v1/").split("/")[0]
        known = {**names, "user": ids["user"], "other": ids["other"], "id": ids.get(kind, new_ulid())}
        filled = path.format(**known)
        if not path.startswith("/api/v1"):
            filled = "/api/v1" + filled
        found += [(method.upper(), filled, dict(row[method])) for method in row if method in _METHODS]
    return found


_METHODS = ("get", "post", "put", "patch", "delete")
OWN = {"text": "x", "title": "x", "name": "x", "role": "contributor", "message": "", "missionId": "", "feedback": "x"}


async def test_no_answer_of_any_endpoint_has_anything_private(filled: Filled) -> None:
    tried, served = 0, 0
    for who, client in filled.strangers.items():
        for method, path, row in addresses(filled.ids):
            body = {**OWN, "missionId": filled.ids["other"]} if "requestBody" in row else None
            answer = await client.request(method, path, headers={"If-Match": "*"}, json=body)
            tried += 1
            served += answer.status_code < 300
            said = answer.text + str(dict(answer.headers))
            crossed = {one for one in filled.crossed(said) if one not in path}  # a refusal repeats what was asked for
            assert not crossed, (who, method, path, crossed, answer.text[:600])
            assert answer.status_code != 302, (who, method, path)
    assert tried > 200 and served > 15


async def test_what_is_shown_is_not_nothing(filled: Filled) -> None:
    ben, ids = filled.strangers["another organization"], filled.ids
    generous = (await ben.get(f"/api/v1/projects/{ids['projects']}")).json()["publicMissionRead"]
    answer = await ben.get(f"/api/v1/projects/{ids['projects']}/missions")
    assert answer.status_code == (200 if generous else 404)
    if generous:
        assert {one["title"] for one in answer.json()["items"]} == {"Lamp", "Other"}
        events = (await ben.get(f"/api/v1/projects/{ids['projects']}/events")).json()["items"]
        assert events and all(set(one) <= {"seq", "projectId", "missionId", "kind", "at"} for one in events)
        memory = (await ben.get(f"/api/v1/projects/{ids['projects']}/memory/notes")).json()
        assert memory["text"] == "Fees are net."


async def test_no_message_of_any_channel_has_anything_private(filled: Filled) -> None:
    ids, hub = filled.ids, filled.hub
    heard: dict[str, list[str]] = {}
    channels = {
        "workstation": f"workstation:{ids['workstations']}",
        "workstations": f"project:{ids['projects']}:workstations",
        "mission": f"mission:{ids['missions']}",
        "project": f"project:{ids['projects']}",
    }
    assert channels.keys() == set(get_args(Kind))
    place = hub.url.replace("http", "ws") + "/ws/v1"
    ann = {"Authorization": f"Bearer {hub.ann_token}"}
    async with connect(place, additional_headers=ann) as machine:
        speaker = Client(machine)
        present = {"status": "online", "devServer": MARK, "user": "ann@example.org"}
        station, board = ids["workstations"], channels["workstations"]
        for who in ("another organization", "its key"):
            ears = {"Authorization": f"Bearer {filled.tokens[who]}"}
            async with connect(place, additional_headers=ears) as opened:
                listener = Client(opened)
                await speaker.say("presence.update", board, workstationId=station, meta=present, ref=1)
                await speaker.until("ok")
                for channel in channels.values():
                    await listener.say("join", channel)
                await made(hub, "POST", f"/missions/{ids['missions']}/notes", kind="noted_decision", text=MARK)
                await made(hub, "PATCH", f"/missions/{ids['missions']}", reviewFeedback=f"{MARK} {who}")
                await speaker.say(
                    "presence.update", board, workstationId=station, meta={**present, "port": MARK + who}, ref=2
                )
                await speaker.until("ok")
                heard[who] = await everything(listener)
    for who, frames in heard.items():
        for frame in frames:
            assert not filled.crossed(frame), (who, frame)
        assert any('"joined"' in one for one in frames) and any('"error"' in one for one in frames)


async def everything(listener: Client) -> list[str]:
    """What comes until the hub has nothing more to say."""
    frames = []
    await asyncio.sleep(1.2)  # presence is told at most once a second
    await listener.say("ping")
    while True:
        heard = await listener.hear()
        frames.append(orjson.dumps(heard).decode())
        if heard["type"] == "pong":
            return frames


async def test_a_private_project_is_not_there(tmp_path: Path) -> None:
    async with whole(tmp_path) as hub:
        filled = await fill(hub, GENEROUS)
        await made(hub, "PATCH", f"/projects/{hub.project}", visibility="private")
        for client in filled.strangers.values():
            for method, path, row in addresses(filled.ids):
                if method != "GET" or not any(one in path for one in filled.ids.values()):
                    continue
                answer = await client.get(path)
                assert answer.status_code in (401, 403, 404), (path, answer.text, row["operationId"])
        await closed(filled)
