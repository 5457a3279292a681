"""Requests for permission: asked in a session, answered once by a person, closed with their session."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Mission, Session, service_of
from solo_unicorn.missions.errors import Conflict, InvalidValue, NotFound
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import start


def test_a_request_is_open_until_it_is_answered_and_both_are_in_the_history(
    workspace: Workspace, session: Session
) -> None:
    asked = workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "rm -rf build"}, call_id="t1")
    assert [item.id for item in workspace.read(queries.inbox.items)] == [asked.id]
    assert [item.id for item in workspace.read(queries.inbox.items, session.project_id)] == [asked.id]
    assert workspace.read(queries.inbox.items, "other") == []
    answered = workspace.write(operations.inbox.answer, asked.id, "deny", "Use make clean")
    assert (answered.decision, answered.message, answered.answered_by) == ("deny", "Use make clean", "user")
    assert workspace.read(queries.inbox.item, asked.id) == answered
    assert workspace.read(queries.inbox.items) == []
    assert workspace.read(queries.inbox.items, open_only=False) == [answered]
    told = [
        (event.kind, event.note)
        for event in workspace.read(queries.missions.history, "M-1")
        if event.kind.startswith("permission_")
    ]
    assert told == [("permission_asked", "Bash"), ("permission_answered", "deny Bash: Use make clean")]


def test_the_same_call_asks_once(workspace: Workspace, session: Session) -> None:
    first = workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "ls"}, call_id="t1")
    assert workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "ls"}, call_id="t1") == first
    assert workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "ls"}).id != first.id


def test_an_answer_stands(workspace: Workspace, session: Session) -> None:
    asked = workspace.write(operations.inbox.ask, session.id, "Bash", {})
    workspace.write_as(SYSTEM, operations.inbox.answer, asked.id, "allow")
    with pytest.raises(Conflict, match="already answered: allow"):
        workspace.write(operations.inbox.answer, asked.id, "deny")
    with pytest.raises(NotFound):
        workspace.write(operations.inbox.answer, 99, "deny")


def test_what_is_no_decision_is_refused(workspace: Workspace, session: Session) -> None:
    asked = workspace.write(operations.inbox.ask, session.id, "Bash", {})
    with pytest.raises(InvalidValue):
        workspace.write(operations.inbox.answer, asked.id, "perhaps")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue):
        workspace.write(operations.inbox.answer, asked.id, "allow", "x" * 3000)
    assert workspace.read(queries.inbox.item, asked.id).decision is None


def test_the_end_of_a_session_closes_its_requests(workspace: Workspace, session: Session) -> None:
    asked = workspace.write(operations.inbox.ask, session.id, "Bash", {})
    workspace.write_as(service_of(session.id), operations.sessions.end, session.id, "cancelled", "stopped")
    assert workspace.read(queries.inbox.items) == []
    with pytest.raises(Conflict, match="has ended"):
        workspace.write(operations.inbox.answer, asked.id, "allow")
    with pytest.raises(Conflict, match="has ended"):
        workspace.write(operations.inbox.ask, session.id, "Bash", {})


def test_long_values_are_cut_for_the_person(workspace: Workspace, session: Session) -> None:
    asked = workspace.write(
        operations.inbox.ask, session.id, "Write", {"file_path": "a.txt", "content": "x" * 1_000_000}
    )
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
    workspace: Workspace, ready: Mission, tmp_path: Path, tool: str, path: str, decision: str | None
) -> None:
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (worktree / "way-out").symlink_to(tmp_path, target_is_directory=True)
    (worktree / "migrations" / "old").mkdir(parents=True)
    (worktree / "to-them").symlink_to("migrations")
    (worktree / "deep").symlink_to("migrations/old")
    session = start(workspace, ready.id, worktree_path=str(worktree))
    workspace.write(operations.inbox.add_rule, ready.project_id, "*", "migrations/*", "deny")
    workspace.write(operations.inbox.add_rule, ready.project_id, "Edit", "docs/*", "ask")
    asked = workspace.write(operations.inbox.ask, session.id, tool, {"file_path": path.format(worktree=worktree)})
    assert asked.decision == decision
    assert [item.id for item in workspace.read(queries.inbox.items)] == ([asked.id] if decision is None else [])


def test_an_answer_that_comes_too_late_is_refused_with_the_reason(workspace: Workspace, session: Session) -> None:
    asked = workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "npm test"})
    workspace.write_as(SYSTEM, operations.inbox.answer, asked.id, "deny", "Nobody answered in time")
    with pytest.raises(Conflict, match="comes too late") as refused:
        workspace.write(operations.inbox.answer, asked.id, "allow", always=True)
    assert "was told at" in str(refused.value) and "asks again" in str(refused.value)
    assert workspace.read(queries.inbox.item, asked.id).decision == "deny"
    assert workspace.read(queries.inbox.rules, session.project_id) == [], "nor is anything allowed for good by it"


def test_while_it_waits_every_list_says_so(workspace: Workspace, session: Session) -> None:
    """Running was all that list, show and status said; only the inbox knew."""
    first = workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "npm install"}, call_id="1")
    second = workspace.write(operations.inbox.ask, session.id, "WebFetch", {"url": "https://x.test"}, call_id="2")
    (card,) = workspace.read(queries.board.live_cards, session.project_id)
    assert card.waits_for == "asks to use Bash: npm install"
    waiting = workspace.read(queries.missions.waiting)
    assert [(one.kind, one.text) for one in waiting] == [
        ("permission", "asks to use Bash: npm install"),
        ("permission", "asks to use WebFetch: https://x.test"),
    ]
    workspace.write(operations.inbox.answer, first.id, "allow")
    assert workspace.read(queries.sessions.get, session.id).waits_for == "asks to use WebFetch: https://x.test"
    workspace.write(operations.inbox.answer, second.id, "deny")
    assert workspace.read(queries.sessions.get, session.id).waits_for == ""
    assert workspace.read(queries.missions.waiting) == []
