"""Requests for permission: asked in a session, answered once by a person, closed with their session."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Mission, Session
from solo_unicorn.missions.errors import Conflict, InvalidValue, NotFound
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT


@pytest.fixture
def session(workspace: Workspace, mission: Mission) -> Session:
    """A running session on M-1."""
    workspace.set_agents([AGENT])
    workspace.set_ready(mission.id, True)
    session = workspace.claim(mission.id, session_id="S1", agent=AGENT, workstation_id="here")
    workspace.session_started(session.id, host_pid=1, worktree_path="/w", branch="b", base_commit="c")
    return session


def test_a_request_is_open_until_it_is_answered_and_both_are_in_the_history(
    workspace: Workspace, session: Session
) -> None:
    asked = workspace.ask_permission(session.id, "Bash", {"command": "rm -rf build"}, call_id="t1")
    assert [item.id for item in workspace.permissions()] == [asked.id]
    assert [item.id for item in workspace.permissions(session.project_id)] == [asked.id]
    assert workspace.permissions("other") == []
    answered = workspace.answer_permission(asked.id, "deny", "Use make clean")
    assert (answered.decision, answered.message, answered.answered_by) == ("deny", "Use make clean", "user")
    assert workspace.permission(asked.id) == answered
    assert workspace.permissions() == []
    assert workspace.permissions(open_only=False) == [answered]
    told = [(event.kind, event.note) for event in workspace.history("M-1") if event.kind.startswith("permission_")]
    assert told == [("permission_asked", "Bash"), ("permission_answered", "deny Bash: Use make clean")]


def test_the_same_call_asks_once(workspace: Workspace, session: Session) -> None:
    first = workspace.ask_permission(session.id, "Bash", {"command": "ls"}, call_id="t1")
    assert workspace.ask_permission(session.id, "Bash", {"command": "ls"}, call_id="t1") == first
    assert workspace.ask_permission(session.id, "Bash", {"command": "ls"}).id != first.id


def test_an_answer_stands(workspace: Workspace, session: Session) -> None:
    asked = workspace.ask_permission(session.id, "Bash", {})
    workspace.answer_permission(asked.id, "allow", by=SYSTEM)
    with pytest.raises(Conflict, match="answered already: allow"):
        workspace.answer_permission(asked.id, "deny")
    with pytest.raises(NotFound):
        workspace.answer_permission(99, "deny")


def test_what_is_no_decision_is_refused(workspace: Workspace, session: Session) -> None:
    asked = workspace.ask_permission(session.id, "Bash", {})
    with pytest.raises(InvalidValue):
        workspace.answer_permission(asked.id, "perhaps")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue):
        workspace.answer_permission(asked.id, "allow", "x" * 3000)
    assert workspace.permission(asked.id).decision is None


def test_the_end_of_a_session_closes_its_requests(workspace: Workspace, session: Session) -> None:
    asked = workspace.ask_permission(session.id, "Bash", {})
    workspace.end_session(session.id, "cancelled", "stopped")
    assert workspace.permissions() == []
    with pytest.raises(Conflict, match="has ended"):
        workspace.answer_permission(asked.id, "allow")
    with pytest.raises(Conflict, match="has ended"):
        workspace.ask_permission(session.id, "Bash", {})


def test_long_values_are_cut_for_the_person(workspace: Workspace, session: Session) -> None:
    asked = workspace.ask_permission(session.id, "Write", {"file_path": "a.txt", "content": "x" * 1_000_000})
    assert asked.input["file_path"] == "a.txt"
    assert len(str(asked.input["content"])) < 30_000
    assert str(asked.input["content"]).endswith("(1000000 characters)")


@pytest.mark.parametrize(
    ("tool", "path", "decision"),
    [
        ("Write", "src/a.txt", "allow"),
        ("Edit", "{worktree}/src/../a.txt", "allow"),
        ("Edit", "../a.txt", None),
        ("Edit", "/etc/passwd", None),
        ("Write", "way-out/a.txt", None),
        ("Write", ".git/config", None),
        ("Write", "src/.claude/settings.json", None),
        ("Write", "", None),
        ("Read", "a.txt", None),
        ("Edit", "migrations/1.sql", "deny"),
        ("Edit", "src/../migrations/1.sql", "deny"),
        ("Edit", "docs/a.md", None),
        ("Write", "docs/a.md", None),
        ("Write", "to-them/1.sql", "deny"),
        ("Write", "deep/../1.sql", "deny"),
    ],
)
def test_a_change_in_the_worktree_needs_no_person_unless_a_rule_says_so(
    workspace: Workspace, mission: Mission, tmp_path: Path, tool: str, path: str, decision: str | None
) -> None:
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (worktree / "way-out").symlink_to(tmp_path, target_is_directory=True)
    (worktree / "migrations" / "old").mkdir(parents=True)
    (worktree / "to-them").symlink_to("migrations")
    (worktree / "deep").symlink_to("migrations/old")
    workspace.set_agents([AGENT])
    workspace.set_ready(mission.id, True)
    session = workspace.claim(mission.id, session_id="S1", agent=AGENT, workstation_id="here")
    workspace.session_started(session.id, host_pid=1, worktree_path=str(worktree), branch="b", base_commit="c")
    workspace.add_permission_rule(mission.project_id, "*", "migrations/*", "deny")
    workspace.add_permission_rule(mission.project_id, "Edit", "docs/*", "ask")
    asked = workspace.ask_permission(session.id, tool, {"file_path": path.format(worktree=worktree)})
    assert asked.decision == decision
    assert [item.id for item in workspace.permissions()] == ([asked.id] if decision is None else [])


def test_an_answer_that_comes_too_late_is_refused_with_the_reason(workspace: Workspace, session: Session) -> None:
    asked = workspace.ask_permission(session.id, "Bash", {"command": "npm test"})
    workspace.answer_permission(asked.id, "deny", "Nobody answered in time", by=SYSTEM)
    with pytest.raises(Conflict, match="comes too late") as refused:
        workspace.answer_permission(asked.id, "allow", always=True)
    assert "was told at" in str(refused.value) and "asks again" in str(refused.value)
    assert workspace.permission(asked.id).decision == "deny"
    assert workspace.permission_rules(session.project_id) == [], "nor is anything allowed for good by it"
