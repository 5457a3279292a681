"""Rows for the hub's bench: one person's projects, made by the hub itself, and their missions, copied in bulk."""

from __future__ import annotations

import time

import httpx
import orjson
from sqlalchemy import Connection, insert, select

from solo_unicorn.bench.hub_processes import hub_process
from solo_unicorn.hub.identity import SCOPES
from solo_unicorn.hub.services import people
from solo_unicorn.hub.storage.database import Database, open_database
from solo_unicorn.hub.storage.migrate import upgrade
from solo_unicorn.hub.storage.tables import missions, organization_members, projects
from solo_unicorn.missions.entities import JsonObject
from solo_unicorn.missions.ids import new_ulid

TEXT = "The lamp is lit at dusk and put out at dawn. " * 12


async def seed(url: str, count: int, boards: int) -> tuple[str, list[str], list[str]]:
    """So many missions in so many projects of one person: her token, ids of the projects, ids of missions.

    Projects and the first mission of each are made over the API. The others are like it.
    """
    database = open_database(url)
    await upgrade(database)
    token, organization = await database.write(_person)
    await database.close()
    firsts = await _boards(url, token, organization, boards)
    database = open_database(url)
    found: list[str] = []
    for first in firsts:
        found += await _copies(database, first, count // boards)
    await database.close()
    return token, [str(first["projectId"]) for first in firsts], found


def _person(at: Connection) -> tuple[str, str]:
    """A token and an organisation of hers."""
    user = people.user_for(at, "bench@example.org", time.time(), name="Bench", verified=True)
    people.add_organization(at, name="Bench", owner_id=user, now=time.time())
    token, _ = people.add_token(
        at, kind="personal", name="bench", now=time.time(), scopes=list(SCOPES), days=1, user_id=user
    )
    return token, str(at.execute(select(organization_members.c.organization_id)).scalars().first())


async def _boards(url: str, token: str, organization: str, count: int) -> list[JsonObject]:
    """The first mission of each project."""
    made: list[JsonObject] = []
    async with hub_process(url) as (base, _), httpx.AsyncClient(base_url=base, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        for number in range(count):
            board = {"name": f"Board {number}", "organizationId": organization}
            project = (await http.post("/api/v1/projects", json=board)).json()
            body = {"title": "A mission of ordinary length", "description": TEXT, "solution": TEXT}
            made.append((await http.post(f"/api/v1/projects/{project['id']}/missions", json=body)).json())
    return made


async def _copies(database: Database, first: JsonObject, count: int) -> list[str]:
    """A project's mission, and so many in all that are like it: ids of the others."""

    def copy(at: Connection) -> list[str]:
        row = dict(at.execute(select(missions).where(missions.c.id == first["id"])).one()._mapping)
        doc, rows = orjson.loads(row["doc"]), []
        for place in range(1, count):
            identifier, seq = new_ulid(), row["seq"] + place
            text = orjson.dumps({**doc, "id": identifier, "version": seq, "listOrder": float(place)}).decode()
            more = {"id": identifier, "seq": seq, "number": place + 1, "list_order": float(place), "doc": text}
            rows.append({**row, **more})
        if rows:
            at.execute(insert(missions), rows)
        behind = {"seq": row["seq"] + count, "mission_number": count + 1}
        at.execute(projects.update().where(projects.c.id == first["projectId"]).values(behind))
        return [str(one["id"]) for one in rows]

    return await database.write(copy)
