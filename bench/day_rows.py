"""What a machine shows of a project and what the hub has of it, as rows that can be compared: see day.py.

A machine is read from its workspace file and the hub through its API, without the code that synchronises. Rows are
{(kind, id): {field: value}}; what is of one machine alone is left out, and so is what is empty.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from solo_unicorn.bench.day_programs import HubProgram
from solo_unicorn.missions.field_kinds import LOCAL, shared_fields

Rows = dict[tuple[str, str], dict[str, Any]]
PARTS = {"flow": "flows", "actor": "actors", "repository": "repositories"}
COMMENT = ("missionId", "text", "author", "state", "resolvedAt")
FILE = ("missionId", "name", "sha256", "size")


def of_machine(workspace: Path, project: str) -> Rows:
    """Everything of the project that the workspace file shows."""
    with reading(workspace) as connection:

        def docs(query: str) -> Iterator[dict[str, Any]]:
            return (json.loads(doc) for (doc,) in connection.execute(query, (project,)))

        rows: Rows = {
            ("mission", one["id"]): _without(LOCAL, one)
            for one in docs("SELECT doc FROM mission WHERE project_id = ? AND NOT deleted")
        }
        for part in PARTS:
            rows |= {
                (part, one["id"]): _full(shared_fields(part, one))
                for one in docs(f"SELECT doc FROM {part} WHERE project_id = ?")
            }
        rows["project", project] = _full(shared_fields("project", next(docs("SELECT doc FROM project WHERE id = ?"))))
        rows |= {
            ("memory", name): {"text": text}
            for name, text in connection.execute("SELECT name, text FROM memory WHERE project_id = ?", (project,))
        }
        shown = {mission for kind, mission in rows if kind == "mission"}
        rows |= {
            ("comment", one["id"]): _only(COMMENT, one)
            for one in docs(
                "SELECT doc FROM line_comment WHERE mission_id IN (SELECT id FROM mission WHERE project_id = ?)"
            )
            if one["missionId"] in shown
        }
        rows |= {
            ("file", one["id"]): _only(FILE, one)
            for one in docs("SELECT doc FROM attachment WHERE project_id = ?")
            if one["missionId"] in shown
        }
        notes = connection.execute(
            "SELECT mission_id, kind, note FROM event WHERE project_id = ? AND kind LIKE 'noted_%'", (project,)
        )
        return rows | _notes(note for note in notes if note[0] in shown)


def of_hub(hub: HubProgram, token: str, project: str) -> Rows:
    """Everything of the project that the hub answers with."""
    path = f"/projects/{project}"
    rows: Rows = {("mission", one["id"]): _without(LOCAL, one) for one in hub.every(token, f"{path}/missions")}
    for part, plural in PARTS.items():
        rows |= {(part, one["id"]): _full(shared_fields(part, one)) for one in hub.every(token, f"{path}/{plural}")}
    rows["project", project] = _full(shared_fields("project", hub.read(token, path)))
    for one in hub.every(token, f"{path}/memory"):
        rows["memory", one["name"]] = {"text": hub.read(token, f"{path}/memory/{one['name']}")["text"]}
    shown = {mission for kind, mission in rows if kind == "mission"}
    for mission in shown:
        files = hub.every(token, f"/missions/{mission}/attachments")
        rows |= {("file", one["id"]): _only(FILE, {"missionId": mission, **one}) for one in files}
    events = [one for one in hub.every(token, f"{path}/events") if one.get("missionId") in shown]
    for one in events:
        if one["kind"] == "comment_deleted":
            rows.pop(("comment", one["data"]["id"]), None)
        elif one["kind"] in ("commented", "comment_edited", "comment_answered", "comment_resolved", "comment_reopened"):
            rows["comment", one["data"]["id"]] = _only(COMMENT, one["data"])
    noted = ((one["missionId"], one["kind"], one["note"]) for one in events if one["kind"].startswith("noted_"))
    return rows | _notes(noted)


def differences(one: str, rows: Rows, other: str, others: Rows) -> list[str]:
    """Each row and field in which two sides differ, in words."""
    found = [
        f"{' '.join(key)} is only at {one if key in rows else other}" for key in sorted(rows.keys() ^ others.keys())
    ]
    for key in sorted(rows.keys() & others.keys()):
        here, there = rows[key], others[key]
        found += [
            f"{name} of {' '.join(key)}: {here.get(name)!r} at {one}, {there.get(name)!r} at {other}"
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name)
        ]
    return found


@contextmanager
def reading(workspace: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a workspace file."""
    connection = sqlite3.connect(f"file:{workspace}?mode=ro", uri=True, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def _notes(notes: Iterable[tuple[str, str, str]]) -> Rows:
    """A note has no id that a machine keeps: how often each was written."""
    return {("note", " ".join(one)): {"times": times} for one, times in Counter(notes).items()}


def _full(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value not in (None, "", [], {})}


def _without(names: Iterable[str], document: Mapping[str, Any]) -> dict[str, Any]:
    return _full({name: value for name, value in document.items() if name not in names})


def _only(names: Iterable[str], document: Mapping[str, Any]) -> dict[str, Any]:
    return _full({name: document.get(name) for name in names})
