"""Undo and redo take back a person's steps, never somebody else's newer change."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.entities import SYSTEM, Mission, Project
from solo_unicorn.missions.errors import Conflict, NotFound
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace


def test_steps_are_undone_and_redone_in_order(workspace: Workspace, project: Project, mission: Mission) -> None:
    workspace.write(operations.missions.edit, mission.id, {"title": "Second"})
    workspace.write(operations.missions.move, mission.id, "doing")
    assert "moving M-1" in workspace.write(operations.undo.undo, project.id)
    assert workspace.read(queries.missions.get, "1").list == "todo"
    workspace.write(operations.undo.undo, project.id)
    assert workspace.read(queries.missions.get, "1").title == "Retry payments"
    workspace.write(operations.undo.redo, project.id)
    workspace.write(operations.undo.redo, project.id)
    assert (workspace.read(queries.missions.get, "1").title, workspace.read(queries.missions.get, "1").list) == (
        "Second",
        "doing",
    )
    with pytest.raises(Conflict, match="nothing to redo"):
        workspace.write(operations.undo.redo, project.id)


def test_creating_and_deleting_can_be_undone(workspace: Workspace, project: Project, mission: Mission) -> None:
    workspace.write(operations.missions.delete, mission.id)
    workspace.write(operations.undo.undo, project.id)
    assert workspace.read(queries.missions.get, mission.id).deleted_at is None
    workspace.write(operations.undo.undo, project.id)
    with pytest.raises(NotFound):
        workspace.read(queries.missions.get, mission.id)
    workspace.write(operations.undo.redo, project.id)
    assert workspace.read(queries.missions.get, mission.id).title == mission.title
    with pytest.raises(Conflict, match="nothing to undo"):
        for _ in range(4):
            workspace.write(operations.undo.undo, project.id)


def test_a_newer_change_of_somebody_else_is_not_overwritten(
    workspace: Workspace, project: Project, mission: Mission
) -> None:
    workspace.write(operations.missions.edit, mission.id, {"title": "Mine"})
    workspace.write_as(SYSTEM, operations.missions.edit, mission.id, {"title": "The system's"})
    with pytest.raises(Conflict, match="changed since"):
        workspace.write(operations.undo.undo, project.id)
    assert workspace.read(queries.missions.get, mission.id).title == "The system's"


def test_a_new_step_forgets_what_could_be_redone(workspace: Workspace, project: Project, mission: Mission) -> None:
    workspace.write(operations.missions.edit, mission.id, {"title": "A"})
    workspace.write(operations.undo.undo, project.id)
    workspace.write(operations.missions.create, project.id, MissionDraft(title="New"))
    with pytest.raises(Conflict, match="nothing to redo"):
        workspace.write(operations.undo.redo, project.id)
