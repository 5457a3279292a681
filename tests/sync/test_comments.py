"""Line comments in the workspace: kept with the mission, told in its history, moved without noise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from solo_unicorn.missions.change_state import ChangeMeasure
from solo_unicorn.missions.comments import Anchor
from solo_unicorn.missions.entities import Mission, Project
from solo_unicorn.missions.errors import InvalidValue, NotFound
from solo_unicorn.workspace.workspace import Workspace


def test_comments_are_kept_in_order_and_told(workspace: Workspace, mission: Mission) -> None:
    second = workspace.add_comment("M-1", "b.py", 3, "new", "Second")
    first = workspace.add_comment("M-1", "a.py", 9, "old", "First", anchor=Anchor("return 1", ("x",)))
    assert workspace.comments(mission.id) == [first, second]
    resolved = workspace.resolve_comment(first.id)
    assert workspace.comments("M-1", open_only=True) == [second]
    assert workspace.resolve_comment(first.id) == resolved
    assert workspace.resolve_comment(first.id[-6:].lower(), resolved=False) == first
    assert workspace.delete_comment(second.id) == second
    assert workspace.comments("M-1") == [first]
    told = [(event.kind, event.note) for event in workspace.history("M-1") if event.kind.startswith("comment")]
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
            workspace.add_comment("M-1", *parts)
    for wrong in ("", "%", "nobody", "1"):
        with pytest.raises(NotFound):
            workspace.resolve_comment(wrong)
    with pytest.raises(NotFound):
        workspace.add_comment("M-9", "a", 1, "new", "x")
    assert workspace.comments("M-1") == []


def test_a_new_place_keeps_what_a_person_did_meanwhile(workspace: Workspace, mission: Mission) -> None:
    made = workspace.add_comment("M-1", "a.py", 3, "new", "Look")
    gone = workspace.add_comment("M-1", "a.py", 4, "new", "Gone")
    moved = [replace(one, line=one.line + 10, anchor=Anchor("x")) for one in (made, gone)]
    resolved = workspace.resolve_comment(made.id)
    workspace.delete_comment(gone.id)
    events = len(workspace.history("M-1"))
    workspace.comments_placed(moved)
    assert workspace.comments("M-1") == [replace(resolved, line=13, anchor=Anchor("x"))]
    assert len(workspace.history("M-1")) == events


def test_comments_travel_with_an_exported_project(
    workspace: Workspace, project: Project, mission: Mission, tmp_path: Path
) -> None:
    made = workspace.add_comment("M-1", "ä b.py", 3, "new", "Straße", anchor=Anchor("x = 1"))
    exported = json.loads(json.dumps(workspace.export_project(project.id)))
    with Workspace.open(tmp_path / "other" / "workspace.db") as other:
        other.import_project(exported)
        assert other.comments("M-1") == [made]
    workspace.import_project(exported, copy=True)
    assert [(one.text, one.id != made.id) for one in workspace.comments("M-2")] == [("Straße", True)]


def test_where_the_work_stands_is_read_without_git(workspace: Workspace, mission: Mission) -> None:
    state = workspace.change_state("M-1")
    assert (state.worktree_path, state.measured, state.pull_request) == (None, None, None)
    workspace.set_mission_worktree(mission.id, "/w/shop", "solo-unicorn/mission-1")
    seen = ChangeMeasure(mission.created_at, "c0ffee", "solo-unicorn/mission-1", 2, 1, 3)
    workspace.change_measured(mission.id, seen)
    state = workspace.change_state("M-1")
    assert (state.worktree_path, state.branch, state.measured) == ("/w/shop", "solo-unicorn/mission-1", seen)
    workspace.change_measured(mission.id, replace(seen, at=seen.at + timedelta(hours=1)))
    assert workspace.change_state("M-1").measured == seen, "nothing new is not written"
    workspace.change_measured("nobody", seen)
    assert workspace.change_state("M-1").measured == seen
