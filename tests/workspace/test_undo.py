"""Undo and redo take back a person's steps, never somebody else's newer change."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.entities import SYSTEM, Author, Mission, Project
from solo_unicorn.missions.errors import Conflict, NotFound
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

AGENT = Author("agent", "claude")


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


def test_a_verdict_is_undone_until_the_agent_has_begun_again(
    workspace: Workspace, project: Project, mission: Mission
) -> None:
    workspace.write_as(AGENT, operations.review.complete_stage, mission.id, "Clear now")
    workspace.write(operations.review.reject, mission.id, "Not yet")
    assert "sending back M-1" in workspace.write(operations.undo.undo, project.id)
    again = workspace.read(queries.missions.get, mission.id)
    assert (again.list, again.review_status, again.review_feedback) == ("review", "pending", None)
    workspace.write(operations.review.approve, mission.id)
    workspace.write_as(SYSTEM, operations.missions.edit, mission.id, {"stage": "code"})
    with pytest.raises(Conflict, match="Approving M-1 cannot be undone") as refused:
        workspace.write(operations.undo.undo, project.id)
    assert refused.value.why == "it is at code now"


def test_the_step_on_top_is_a_landing_until_it_is_taken_back(
    workspace: Workspace, project: Project, mission: Mission
) -> None:
    def landing() -> str | None:
        return workspace.read(queries.undo.landing_on_top, project.id)

    workspace.write(operations.missions.edit, mission.id, {"title": "Before"})
    for stage in ("clarify", "plan", "code"):
        workspace.write_as(AGENT, operations.review.complete_stage, mission.id, stage)
        if workspace.read(queries.missions.get, mission.id).review_status == "pending":
            workspace.write(operations.review.approve, mission.id)
    assert workspace.read(queries.missions.get, mission.id).landing_status == "queued" and landing() is None
    workspace.write_as(SYSTEM, operations.landing.started, mission.id)
    with pytest.raises(Conflict, match="Approving M-1 cannot be undone") as refused:
        workspace.write(operations.undo.undo, project.id)
    assert refused.value.why == "its work is being landed"
    workspace.write_as(SYSTEM, operations.landing.landed, mission.id, "c" * 40)
    assert landing() == mission.id
    undone = workspace.write(operations.landing.undone, mission.id)
    assert (undone.list, undone.review_status, undone.landed_commit) == ("review", "pending", None)
    assert landing() is None
    with pytest.raises(Conflict, match="no landing to undo"):
        workspace.write(operations.landing.undone, mission.id)
