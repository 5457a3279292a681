"""Line comments in the workspace: kept with the mission, told in its history, moved without noise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from solo_unicorn.missions.comments import Anchor
from solo_unicorn.missions.entities import SYSTEM, Mission, Project
from solo_unicorn.missions.errors import InvalidValue, NotFound
from solo_unicorn.missions.rules.change_state import ChangeMeasure
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace


def test_comments_are_kept_in_order_and_told(workspace: Workspace, mission: Mission) -> None:
    second = workspace.write(operations.comments.add, "M-1", "b.py", 3, "new", "Second")
    first = workspace.write(
        operations.comments.add, "M-1", "a.py", 9, "old", "First", anchor=Anchor("return 1", ("x",))
    )
    assert workspace.read(queries.comments.of_mission, mission.id) == [first, second]
    resolved = workspace.write(operations.comments.resolve, first.id)
    assert workspace.read(queries.comments.of_mission, "M-1", open_only=True) == [second]
    assert workspace.write(operations.comments.resolve, first.id) == resolved
    assert workspace.write(operations.comments.resolve, first.id[-6:].lower(), resolved=False) == first
    assert workspace.write(operations.comments.delete, second.id) == second
    assert workspace.read(queries.comments.of_mission, "M-1") == [first]
    told = [
        (event.kind, event.note)
        for event in workspace.read(queries.missions.history, "M-1")
        if event.kind.startswith("comment")
    ]
    assert told == [
        ("commented", "b.py:3 Second"),
        ("commented", "a.py:9 First"),
        ("comment_resolved", "a.py:9"),
        ("comment_reopened", "a.py:9"),
        ("comment_deleted", "b.py:3 Second"),
    ]


def test_what_is_wrong_is_refused_and_nothing_kept(workspace: Workspace, mission: Mission) -> None:
    for parts in (("", 1, "new", "x"), ("a", -1, "new", "x"), ("a", 1, "middle", "x"), ("a", 1, "new", " ")):
        with pytest.raises(InvalidValue):
            workspace.write(operations.comments.add, "M-1", *parts)
    for wrong in ("", "%", "nobody", "1"):
        with pytest.raises(NotFound):
            workspace.write(operations.comments.resolve, wrong)
    with pytest.raises(NotFound):
        workspace.write(operations.comments.add, "M-9", "a", 1, "new", "x")
    assert workspace.read(queries.comments.of_mission, "M-1") == []


def test_a_new_place_keeps_what_a_person_did_meanwhile(workspace: Workspace, mission: Mission) -> None:
    made = workspace.write(operations.comments.add, "M-1", "a.py", 3, "new", "Look")
    gone = workspace.write(operations.comments.add, "M-1", "a.py", 4, "new", "Gone")
    moved = [replace(one, line=one.line + 10, anchor=Anchor("x")) for one in (made, gone)]
    resolved = workspace.write(operations.comments.resolve, made.id)
    workspace.write(operations.comments.delete, gone.id)
    events = len(workspace.read(queries.missions.history, "M-1"))
    workspace.write_as(SYSTEM, operations.change_measures.keep_comments, moved)
    assert workspace.read(queries.comments.of_mission, "M-1") == [replace(resolved, line=13, anchor=Anchor("x"))]
    assert len(workspace.read(queries.missions.history, "M-1")) == events


def test_comments_travel_with_an_exported_project(
    workspace: Workspace, project: Project, mission: Mission, tmp_path: Path
) -> None:
    made = workspace.write(operations.comments.add, "M-1", "ä b.py", 3, "new", "Straße", anchor=Anchor("x = 1"))
    exported = json.loads(json.dumps(workspace.read(queries.exports.export_project, project.id)))
    with Workspace.open(tmp_path / "other" / "workspace.db") as other:
        other.write(operations.imports.import_project, exported)
        assert other.read(queries.comments.of_mission, "M-1") == [made]
    workspace.write(operations.imports.import_project, exported, copy=True)
    assert [(one.text, one.id != made.id) for one in workspace.read(queries.comments.of_mission, "M-2")] == [
        ("Straße", True)
    ]


def test_where_the_work_stands_is_read_without_git(workspace: Workspace, mission: Mission) -> None:
    state = workspace.read(queries.missions.change_state_of, "M-1")
    assert (state.worktree_path, state.measured, state.pull_request) == (None, None, None)
    workspace.write_as(
        SYSTEM, operations.workstation.set_mission_worktree, mission.id, "/w/shop", "solo-unicorn/mission-1"
    )
    seen = ChangeMeasure(mission.created_at, "c0ffee", "solo-unicorn/mission-1", 2, 1, 3)
    workspace.write_as(SYSTEM, operations.change_measures.keep_change, mission.id, seen)
    state = workspace.read(queries.missions.change_state_of, "M-1")
    assert (state.worktree_path, state.branch, state.measured) == ("/w/shop", "solo-unicorn/mission-1", seen)
    workspace.write_as(
        SYSTEM, operations.change_measures.keep_change, mission.id, replace(seen, at=seen.at + timedelta(hours=1))
    )
    assert workspace.read(queries.missions.change_state_of, "M-1").measured == seen, "nothing new is not written"
    workspace.write_as(SYSTEM, operations.change_measures.keep_change, "nobody", seen)
    assert workspace.read(queries.missions.change_state_of, "M-1").measured == seen
