"""Edits that were not sent outlive the workspace file: they are lines beside it, and are queued again."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Json, JsonObject
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import FULL
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Response
from solo_unicorn.workspace import journal, operations, queries
from solo_unicorn.workspace.failures import StoreDamaged, StoreFull
from solo_unicorn.workspace.workspace import Workspace

PROJECT = "01J00000000000000000000000"
STAGES: Json = [{"stage": "plan", "requireReview": True}]
FLOW: JsonObject = {"id": "01JF", "name": "Standard", "isDefault": True, "stageSequence": STAGES}
THEIRS_ID = "01J0000000000000000000000A"
THEIRS: JsonObject = {
    "id": THEIRS_ID,
    "projectId": PROJECT,
    "title": "theirs",
    "version": 3,
    "list": "todo",
    "createdAt": "2026-05-01T00:00:00Z",
    "listOrder": 1.0,
    "stage": "plan",
}


def connect(workspace: Workspace, user: str = "ann") -> Account:
    account = Account(f"{user}@hub", "hub", "https://hub", user, "", "token", True, {})
    replica.connecting.put_account(workspace, account)
    workspace.write(replica.connecting.connect, account, {"id": PROJECT, "name": "Shared"}, {"flows": [FLOW]})
    workspace.write_as(
        SYSTEM, replica.sync_steps.take_changes, PROJECT, {"changes": [THEIRS], "cursor": "c1", "seq": 3, "epoch": 1}
    )
    return account


@pytest.fixture
def path(home: Path) -> Path:
    return home / "workspace.db"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in journal.path_of(path).read_text().splitlines()]


def test_a_damaged_file_costs_no_edit_that_was_not_sent(path: Path) -> None:
    with Workspace.open(path) as workspace:
        connect(workspace)
        workspace.write(operations.missions.edit, THEIRS_ID, {"title": "mine"})
        made = workspace.write(operations.missions.create, PROJECT, MissionDraft("Made on the train"))
        workspace.write(operations.projects.create_actor, PROJECT, "Careful")
        sent = workspace.write(operations.missions.edit, THEIRS_ID, {"priority": 5})
        first = workspace.read(replica.sync_steps.due, "ann@hub")[0]
        workspace.write_as(SYSTEM, replica.sending.freeze, first.seq, FULL, 1.0)
        workspace.checkpoint()
    path.write_bytes(b"\0" * 8192)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    with pytest.raises(StoreDamaged, match="sync --recover"):
        Workspace.open(path)
    path.rename(path.with_name("damaged.db"))
    with Workspace.open(path) as workspace:
        assert replica.sync_steps.recover_unsent(workspace) == {"": 3}, "nobody is signed in, no project is connected"
        connect(workspace)
        assert replica.sync_steps.recover_unsent(workspace) == {"": 0, PROJECT: 3}
        assert replica.sync_steps.recover_unsent(workspace) == {"": 0}, "once"
        mission = workspace.read(queries.missions.get, THEIRS_ID)
        assert (mission.title, mission.priority) == ("mine", sent.priority)
        assert workspace.read(queries.missions.get, made.id).title == "Made on the train"
        assert [one.name for one in workspace.read(queries.projects.actors, PROJECT)] == ["Careful"]
        assert workspace.read(replica.sync_steps.verify_mirror, PROJECT) == []


def test_what_was_sent_does_not_come_back(path: Path) -> None:
    with Workspace.open(path) as workspace:
        connect(workspace)
        workspace.write(operations.missions.edit, THEIRS_ID, {"title": "mine"})
        row = workspace.read(replica.sync_steps.due, "ann@hub")[0]
        workspace.write_as(SYSTEM, replica.sending.freeze, row.seq, FULL, 1.0)
        workspace.write_as(
            SYSTEM,
            replica.sending.settle,
            row.seq,
            Response(200, {}, {**THEIRS, "title": "mine", "version": 4}),
            FULL,
            1.0,
        )
    assert lines(path)[-1] == {"gone": row.mutation_id} and journal.unsent(journal.path_of(path)) == []
    path.unlink()
    with Workspace.open(path) as workspace:
        connect(workspace)
        assert (
            replica.sync_steps.recover_unsent(workspace) == {"": 0} and workspace.read(replica.sync_steps.queued) == []
        )


def test_another_account_does_not_send_it(path: Path) -> None:
    with Workspace.open(path) as workspace:
        connect(workspace)
        workspace.write(operations.missions.edit, THEIRS_ID, {"title": "of ann"})
    path.unlink()
    with Workspace.open(path) as workspace:
        connect(workspace, "bob")
        assert (
            replica.sync_steps.recover_unsent(workspace) == {"": 1} and workspace.read(replica.sync_steps.queued) == []
        )
    assert len(list(path.parent.glob("*.journal.kept-*"))) == 1


def test_a_line_that_was_cut_off_and_one_that_is_none_cost_nothing_else(path: Path) -> None:
    with Workspace.open(path) as workspace:
        connect(workspace)
        workspace.write(operations.missions.edit, THEIRS_ID, {"title": "mine"})
    own = journal.path_of(path)
    own.write_bytes(own.read_bytes() + b'\xff\xfe not json\n{"mutation_id": "half')
    (row,) = journal.unsent(own)
    assert json.loads(str(row["patch"])) == {"title": "mine"}
    assert own.stat().st_mode & 0o077 == 0


def test_the_journal_stays_small_and_keeps_what_a_restored_workspace_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "REWRITTEN_BYTES", 4000)
    with Workspace.open(path) as workspace:
        connect(workspace)
        workspace.checkpoint()
    backup = path.read_bytes()
    with Workspace.open(path) as workspace:
        workspace.write(operations.missions.edit, THEIRS_ID, {"title": "after the backup"})
        workspace.checkpoint()
    path.write_bytes(backup)
    with Workspace.open(path) as workspace:
        for number in range(40):
            workspace.write(operations.missions.edit, THEIRS_ID, {"description": f"words {number}"})
        assert journal.path_of(path).stat().st_size < 8000
        assert replica.sync_steps.recover_unsent(workspace)[PROJECT] == 1
        assert workspace.read(queries.missions.get, THEIRS_ID).title == "after the backup"


def test_a_full_disk_refuses_the_edit_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Workspace.open(path) as workspace:
        connect(workspace)

        def full(descriptor: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(StoreFull, match="no space left"):
                workspace.write(operations.missions.edit, THEIRS_ID, {"title": "mine"})
        assert (
            workspace.read(queries.missions.get, THEIRS_ID).title == "theirs"
            and workspace.read(replica.sync_steps.queued) == []
        )
        workspace.write(operations.missions.edit, THEIRS_ID, {"title": "mine"})
        assert len(journal.unsent(journal.path_of(path))) == 1


def test_a_local_project_writes_no_journal(path: Path) -> None:
    with Workspace.open(path) as workspace:
        project = workspace.write(operations.projects.create, "Mine")
        workspace.write(operations.missions.create, project.id, MissionDraft("One"))
    assert not journal.path_of(path).exists()
