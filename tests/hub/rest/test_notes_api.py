"""Notes and line comments in a mission's history, and the history as mirrors read it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from .world import World, world

COMMENT = {
    "id": "01J0000000000000000000000C",
    "file": "a.py",
    "line": 3,
    "side": "new",
    "text": "too long",
    "createdAt": "2026-05-01T00:00:00Z",
    "author": {"kind": "user", "name": ""},
}


async def test_a_note_is_written_once_however_often_it_is_sent(hub: World) -> None:
    project = await hub.project()
    mission = await hub.mission(project)
    path = f"/missions/{mission['id']}/notes"
    agent = {"kind": "agent", "name": "claude", "sessionId": "s1"}
    note = {"id": "01J0000000000000000000000A", "kind": "noted_decision", "text": "SQLite it is", "author": agent}
    first = await hub.owner.post(path, json=note)
    again = await hub.owner.post(path, json=note)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() and first.json()["author"]["name"] == "claude"
    comment = {"id": "01J0000000000000000000000B", "kind": "commented", "data": {**COMMENT, "missionId": mission["id"]}}
    assert (await hub.owner.post(path, json=comment)).status_code == 201
    events = f"/projects/{project['id']}/events"
    found = (await hub.owner.get(events, params={"kinds": "noted_decision,commented"})).json()["items"]
    assert [one["kind"] for one in found] == ["noted_decision", "commented"]
    assert found[1]["data"]["text"] == "too long"
    after = (await hub.owner.get(events, params={"kinds": "commented", "after": str(found[1]["seq"])})).json()
    assert after["items"] == []


async def test_what_is_no_note_is_refused(hub: World) -> None:
    mission = await hub.mission(await hub.project())
    path = f"/missions/{mission['id']}/notes"
    for body in (
        {"kind": "approved", "text": "x"},
        {"kind": "noted_progress", "text": " "},
        {"kind": "noted_progress", "text": "x", "id": "no ulid"},
        {"kind": "noted_progress", "text": "x", "at": "yesterday"},
        {"kind": "commented", "data": {**COMMENT, "missionId": "another"}},
        {"kind": "commented", "data": {"id": 3}},
    ):
        answer = await hub.owner.post(path, json=body)
        assert answer.status_code == 422, (body, answer.text)
    assert (await hub.as_("anonymous").post(path, json={"kind": "noted_progress", "text": "x"})).status_code == 401


async def test_no_history_of_a_hub_gives_a_version_of_a_document_twice(tmp_path: Path) -> None:
    async with world(tmp_path) as hub:
        project = await hub.project()
        path = f"/projects/{project['id']}/memory/notes"
        before = (await hub.owner.put(path, json={"text": "of yesterday"})).json()["version"]
        with (
            closing(sqlite3.connect(tmp_path / "hub.sqlite3")) as live,
            closing(sqlite3.connect(tmp_path / "copy")) as to,
        ):
            live.backup(to)
        match = {"If-Match": f'"{before}"'}
        lost = (await hub.owner.put(path, json={"text": "of today"}, headers=match)).json()["version"]
        with (
            closing(sqlite3.connect(tmp_path / "copy")) as kept,
            closing(sqlite3.connect(tmp_path / "hub.sqlite3")) as to,
        ):
            kept.backup(to)
        again = await hub.owner.put(path, json={"text": "of another today"}, headers=match)
        assert again.status_code == 200 and again.json()["version"] not in (before, lost)
        refused = await hub.owner.put(path, json={"text": "blind"}, headers={"If-Match": f'"{lost}"'})
        assert refused.json()["error"]["details"]["current"]["text"] == "of another today"
