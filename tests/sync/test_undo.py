"""Undo and redo take back a person's steps, never somebody else's newer change."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.missions.entities import SYSTEM, Mission, Project
from solo_unicorn.missions.errors import Conflict, NotFound
from solo_unicorn.workspace.workspace import Workspace


def test_steps_are_undone_and_redone_in_order(workspace: Workspace, project: Project, mission: Mission) -> None:
    workspace.edit_mission(mission.id, {"title": "Second"})
    workspace.move_mission(mission.id, "doing")
    assert "moving M-1" in workspace.undo(project.id)
    assert workspace.mission("1").list == "todo"
    workspace.undo(project.id)
    assert workspace.mission("1").title == "Retry payments"
    workspace.redo(project.id)
    workspace.redo(project.id)
    assert (workspace.mission("1").title, workspace.mission("1").list) == ("Second", "doing")
    with pytest.raises(Conflict, match="nothing to redo"):
        workspace.redo(project.id)


def test_creating_and_deleting_can_be_undone(workspace: Workspace, project: Project, mission: Mission) -> None:
    workspace.delete_mission(mission.id)
    workspace.undo(project.id)
    assert workspace.mission(mission.id).deleted_at is None
    workspace.undo(project.id)
    with pytest.raises(NotFound):
        workspace.mission(mission.id)
    workspace.redo(project.id)
    assert workspace.mission(mission.id).title == mission.title
    with pytest.raises(Conflict, match="nothing to undo"):
        for _ in range(4):
            workspace.undo(project.id)


def test_a_newer_change_of_somebody_else_is_not_overwritten(
    workspace: Workspace, project: Project, mission: Mission
) -> None:
    workspace.edit_mission(mission.id, {"title": "Mine"})
    workspace.edit_mission(mission.id, {"title": "The system's"}, by=SYSTEM)
    with pytest.raises(Conflict, match="changed since"):
        workspace.undo(project.id)
    assert workspace.mission(mission.id).title == "The system's"


def test_a_new_step_forgets_what_could_be_redone(workspace: Workspace, project: Project, mission: Mission) -> None:
    workspace.edit_mission(mission.id, {"title": "A"})
    workspace.undo(project.id)
    workspace.create_mission(project.id, MissionDraft(title="New"))
    with pytest.raises(Conflict, match="nothing to redo"):
        workspace.redo(project.id)
