"""Values that the steps of the crash stories use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.missions.rules.change_state import ChangeMeasure
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import FULL
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Response
from solo_unicorn.workspace import queries
from solo_unicorn.workspace.workspace import Workspace

Step = Callable[[Workspace], Any]


PROJECT = "01J00000000000000000000000"
HUB_HAS: dict[str, Any] = {
    "id": "01J0000000000000000000000A",
    "projectId": PROJECT,
    "title": "theirs",
    "description": "a\nb\nc",
    "version": 3,
    "createdAt": "2026-05-01T00:00:00Z",
    "updatedAt": "2026-05-01T00:00:00Z",
    "list": "todo",
    "listOrder": 1.0,
    "stage": "plan",
    "agentSessionStatusChangedAt": "2026-05-01T00:00:00Z",
}
FLOW: dict[str, Any] = {
    "id": "01JF",
    "name": "Standard",
    "isDefault": True,
    "stageSequence": [{"stage": "plan", "requireReview": True}],
}
ACTOR: dict[str, Any] = {"id": "01JA", "name": "Careful", "version": 2}
NOTE: dict[str, Any] = {
    "seq": 7,
    "missionId": HUB_HAS["id"],
    "kind": "noted_progress",
    "note": "theirs",
    "noteId": "01JX",
    "at": "2026-05-01T00:00:00Z",
}
FILE: dict[str, Any] = {
    "id": "01JY",
    "missionId": HUB_HAS["id"],
    "name": "a.txt",
    "mime": "text/plain",
    "size": 3,
    "sha256": "0" * 64,
    "addedAt": "2026-05-01T00:00:00Z",
    "addedBy": {"kind": "user", "name": "ann"},
}
NEWER = {**HUB_HAS, "title": "newer", "description": "a\nb\nc\nd", "version": 9}
ANN = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
AT = datetime(2026, 5, 2, tzinfo=UTC)
HERE = HUB_HAS["id"]


def page(**values: Any) -> dict[str, Any]:
    return {"changes": [NEWER], "cursor": "c2", "seq": 9, "epoch": 1, **values}


def due(workspace: Workspace) -> int:
    """The first row that may go."""
    return workspace.read(replica.sync_steps.due, "ann@hub")[0].seq


def frozen(workspace: Workspace) -> int:
    """The row that is on its way."""
    return next(one.seq for one in workspace.read(replica.sync_steps.queued) if one.state == "inflight")


def told(status: int, body: Any = None) -> Step:
    """The hub's answer to what is on its way."""
    return lambda w: w.write_as(SYSTEM, replica.sending.settle, frozen(w), Response(status, {}, body), FULL, 1.0)


def conflicted(workspace: Workspace) -> str:
    return workspace.read(replica.resolving.list_open)[0].id


OUTDATED = {"error": {"details": {"current": NEWER}}}


def a_day_later(workspace: Workspace) -> Workspace:
    """The same, for one step, on the day after the story's."""
    workspace.now = lambda: datetime(2026, 5, 3, tzinfo=UTC)
    return workspace


def zeros() -> list[Any]:
    from dataclasses import fields

    return [0 for one in fields(ChangeMeasure)[5:] if one.init and "int" in str(one.type)]


def file_of(workspace: Path) -> Path:
    made = workspace.with_name("notes.txt")
    made.write_text("notes")
    return made


def flow_of(workspace: Workspace) -> str:
    return next(one.id for one in workspace.read(queries.projects.flows, "own") if one.name == "Short")
