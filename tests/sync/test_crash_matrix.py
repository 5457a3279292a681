"""A crash before every SQL statement of every operation, on real files: after it all is as before, or as after it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.sync.mirror.connecting import Account
from solo_unicorn.sync.mirror.messages import NoAnswer, Response
from solo_unicorn.sync.mirror.pushing import FULL
from solo_unicorn.sync.store import Store
from solo_unicorn.sync.workspace import Workspace

from .simulation.store import Crash, Fragile, SilentWorkspace

pytestmark = pytest.mark.slow
PROJECT = "01J00000000000000000000000"
HUB_HAS = {
    "id": "01J0000000000000000000000A", "projectId": PROJECT, "title": "theirs", "description": "a\nb\nc", "version": 3,
    "createdAt": "2026-05-01T00:00:00Z", "updatedAt": "2026-05-01T00:00:00Z", "list": "todo", "listOrder": 1.0,
    "stage": "plan", "agentSessionStatusChangedAt": "2026-05-01T00:00:00Z",
}  # fmt: skip
FLOW = {
    "id": "01JF",
    "name": "Standard",
    "isDefault": True,
    "stageSequence": [{"stage": "plan", "requireReview": True}],
}
ACTOR = {"id": "01JA", "name": "Careful", "version": 2}
NOTE = {
    "seq": 7, "missionId": HUB_HAS["id"], "kind": "noted_progress", "note": "theirs", "noteId": "01JX",
    "at": "2026-05-01T00:00:00Z",
}  # fmt: skip
FILE = {
    "id": "01JY", "missionId": HUB_HAS["id"], "name": "a.txt", "mime": "text/plain", "size": 3, "sha256": "0" * 64,
    "addedAt": "2026-05-01T00:00:00Z", "addedBy": {"kind": "user", "name": "ann"},
}  # fmt: skip
NEWER = {**HUB_HAS, "title": "newer", "description": "a\nb\nc\nd", "version": 9}
Operation = Callable[[Workspace], Any]


class FragileStore(Store):
    """The real store over a real file, on a connection that counts statements."""

    def __init__(self, path: Path) -> None:
        self.path, self.read_only = path, None
        self.connection: Fragile = sqlite3.connect(path, isolation_level=None, factory=Fragile)
        self.connection.execute("PRAGMA foreign_keys = ON")


def page(**values: Any) -> dict[str, Any]:
    return {"changes": [NEWER], "cursor": "c2", "seq": 9, "epoch": 1, **values}


def seq(workspace: Workspace) -> int:
    return workspace.due("ann@hub")[0].seq


def frozen(workspace: Workspace) -> int:
    """The row that is on its way."""
    return next(one.seq for one in workspace.outbox() if one.state == "inflight")


OPERATIONS: dict[str, Operation] = {
    "edit": lambda w: w.edit_mission(HUB_HAS["id"], {"priority": 5}),
    "create": lambda w: w.create_mission(PROJECT, MissionDraft(title="new")),
    "delete": lambda w: w.delete_mission(HUB_HAS["id"]),
    "move": lambda w: w.move_mission(HUB_HAS["id"], "doing"),
    "link": lambda w: w.link(HUB_HAS["id"], "M-2"),
    "undo": lambda w: w.undo(PROJECT),
    "pull": lambda w: w.take_changes(PROJECT, page()),
    "pull a tombstone": lambda w: w.take_changes(
        PROJECT, page(changes=[{"id": HUB_HAS["id"], "deleted": True, "version": 9}])
    ),
    "begin a resync": lambda w: w.begin_resync(PROJECT),
    "a page of a resync": lambda w: (
        w.begin_resync(PROJECT),
        w.take_snapshot(PROJECT, {"items": [NEWER], "nextAfter": "x", "snapshotCursor": "c2", "seq": 9, "epoch": 1}),
    ),
    "the last page of a resync": lambda w: (
        w.begin_resync(PROJECT), w.take_snapshot(PROJECT, {"items": [], "snapshotCursor": "c2", "seq": 9, "epoch": 1}),
    ),
    "freeze": lambda w: w.freeze(seq(w), FULL, 1.0),
    "done": lambda w: w.settle(frozen(w), Response(200, {}, {**NEWER, "title": "mine"}), FULL, 1.0),
    "outdated": lambda w: w.settle(
        frozen(w), Response(412, {}, {"error": {"details": {"current": NEWER}}}), FULL, 1.0
    ),
    "gone": lambda w: w.settle(frozen(w), Response(410, {}, None), FULL, 1.0),
    "refused": lambda w: w.settle(frozen(w), Response(422, {}, {"error": {"message": "no"}}), FULL, 1.0),
    "no answer": lambda w: w.settle(frozen(w), NoAnswer("cut"), FULL, 1.0),
    "new parts": lambda w: w.take_parts(PROJECT, {"id": PROJECT, "name": "Renamed"}, {"flows": [FLOW]}, 2),
    "edit a persona": lambda w: w.update_actor("01JA", {"focus": "mine"}),
    "remove a persona": lambda w: w.delete_actor("01JA"),
    "change the project": lambda w: w.update_project(PROJECT, {"name": "Mine"}),
    "write into the memory": lambda w: w.append_memory(PROJECT, "notes", "words"),
    "a document of the hub": lambda w: w.take_memory(PROJECT, "notes", {"version": 2, "text": "theirs"}),
    "a note": lambda w: w.add_note(HUB_HAS["id"], "progress", "words"),
    "notes of the hub": lambda w: w.take_notes(PROJECT, [NOTE]),
    "files of the hub": lambda w: w.take_files(PROJECT, HUB_HAS["id"], [FILE]),
    "parts that are gone": lambda w: w.take_parts(
        PROJECT, {"id": PROJECT, "name": "Shared", "version": 20}, {"actors": [], "flows": [FLOW]}, 20
    ),
    "a name that is taken": lambda w: w.take_parts(
        PROJECT, {"id": PROJECT, "name": "Shared", "version": 20},
        {"actors": [{**ACTOR, "id": "01JB", "name": "Mine"}]}, 20,
    ),
    "disconnect": lambda w: w.disconnect_project(PROJECT, force=True),
    "select": lambda w: w.select_missions(PROJECT, lists=["todo"], days=None),
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a mirrored mission, a row on its way and one that waits."""
    path = tmp_path_factory.mktemp("matrix") / "prepared.db"
    with SilentWorkspace(Store(path)) as workspace:
        account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
        workspace.put_account(account)
        parts = {"flows": [FLOW], "actors": [ACTOR]}
        workspace.connect_project(account, {"id": PROJECT, "name": "Shared"}, parts)
        workspace.create_actor(PROJECT, "Mine")
        workspace.take_changes(PROJECT, {"changes": [HUB_HAS], "cursor": "c1", "seq": 3, "epoch": 1})
        workspace.edit_mission(HUB_HAS["id"], {"title": "mine"})
        workspace.freeze(workspace.due("ann@hub")[0].seq, FULL, 1.0)
        workspace.create_mission(PROJECT, MissionDraft(title="another"))
        workspace.edit_mission(HUB_HAS["id"], {"description": "mine\nb\nc"})
        workspace.checkpoint()
    return path


def told(workspace: Workspace) -> str:
    """Everything that matters, as text."""
    tables = (
        "mission", "base", "outbox", "conflict", "mirror", "dependency", "event", "project", "part_base", "actor",
        "flow", "memory", "memory_version", "shared_note", "shared_file", "attachment",
    )  # fmt: skip
    connection = workspace._store.connection
    rows = {table: sorted(map(repr, connection.execute(f"SELECT * FROM {table}").fetchall())) for table in tables}
    return repr(rows)


def opened(path: Path) -> SilentWorkspace:
    numbers = iter(range(1, 10**6))
    return SilentWorkspace(
        FragileStore(path), clock=lambda: datetime(2026, 5, 2, tzinfo=UTC), new_id=lambda: f"01JN{next(numbers):022d}"
    )


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_nothing_is_half_done(name: str, prepared: Path, tmp_path: Path) -> None:
    step = OPERATIONS[name]
    path = tmp_path / "w.db"
    _copy(prepared, path)
    workspace = opened(path)
    allowed = {told(workspace)}
    workspace._store.connection.statements = 0  # type: ignore[attr-defined]
    step(workspace)
    total = workspace._store.connection.statements  # type: ignore[attr-defined]
    allowed.add(told(workspace))
    workspace.close()
    if "resync" in name and "page" in name:  # two transactions: between them is a state of its own
        _copy(prepared, path)
        workspace = opened(path)
        workspace.begin_resync(PROJECT)
        allowed.add(told(workspace))
        workspace.close()
    assert total >= 3
    for left in range(total):
        _copy(prepared, path)
        workspace = opened(path)
        workspace._store.connection.left = left  # type: ignore[attr-defined]
        with pytest.raises(Crash):
            step(workspace)
        workspace._store.connection.left = -1  # type: ignore[attr-defined]
        workspace._store.connection.close()
        with opened(path) as again:
            assert told(again) in allowed, f"half done when it crashed before statement {left} of {total}"
            assert again.mirrors() == [] or again.verify_mirror(PROJECT) == []


def _copy(source: Path, target: Path) -> None:
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    shutil.copy(source, target)
