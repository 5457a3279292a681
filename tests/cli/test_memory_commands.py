"""Versions of the memory, its mirror, and the inbox, as commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Author, CodeAgent, Session
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Run


@pytest.fixture
def project(run: Run) -> None:
    """With a document in three versions."""
    assert run("project", "create", "Shop").code == 0
    assert run("memory", "append", "decisions", "We retry.").code == 0
    assert run("memory", "append", "decisions", "Three times.").code == 0
    assert run("memory", "replace", "decisions", "We retry.\n\nFive times.\n").code == 0


def test_history_names_every_version(run: Run, project: None) -> None:
    shown = [line.split("\t") for line in run("memory", "history", "decisions").out.splitlines()]
    assert [(row[0], row[-1]) for row in shown] == [("1", "+1 -0"), ("2", "+2 -0"), ("3", "+1 -1")]
    assert [one["version"] for one in run("memory", "history", "decisions", "--json").data] == [1, 2, 3]
    assert run("memory", "history", "nothing").code == 3


def test_diff_compares_versions(run: Run, project: None) -> None:
    newest = run("memory", "diff", "decisions").out
    assert "-Three times." in newest and "+Five times." in newest
    assert "+We retry." in run("memory", "diff", "decisions", "--from", "0", "--to", "1").out
    assert run("memory", "diff", "decisions", "--from", "9").code == 3
    assert run("memory", "diff", "decisions", "--json").data["from"] == 2


def test_mirror_is_a_setting_and_a_command(run: Run, project: None, tmp_path: Path) -> None:
    refused = run("memory", "mirror")
    assert refused.code == 3 and "--mirror-memory on" in refused.err
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    with Workspace.open() as workspace:
        workspace.write(operations.projects.add_repository, "Shop", "shop", local_path=str(checkout))
    assert run("project", "edit", "--mirror-memory", "on").code == 0
    (told,) = run("memory", "mirror", "--json").data
    assert told["written"] == ["decisions"]
    file = checkout / ".solo-unicorn" / "memory" / "decisions.md"
    file.write_text("From my editor.\n")
    assert run("memory", "mirror", "--json").data[0]["taken"] == ["decisions"]
    assert run("memory", "read", "decisions").out == "From my editor.\n"


def running_session(workspace: Workspace) -> Session:
    """A session of the project's one mission."""
    agent = CodeAgent("rehearsal", "rehearsal", slots=1, binary="/bin/true", state="ready")
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [agent])
    workspace.write(operations.projects.add_repository, "Shop", "shop", local_path="/src/shop")
    mission = workspace.write(operations.missions.create, "Shop", MissionDraft("Retry payments", ready=True))
    return workspace.write_as(
        SYSTEM, operations.dispatch.claim, mission.id, session_id="S1", agent=agent, workstation_id="here"
    )


def test_the_inbox_lists_and_answers(run: Run, project: None) -> None:
    assert "There are no requests from agents" in run("inbox", "list").err
    with Workspace.open() as workspace:
        session = running_session(workspace)
        asked = workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "make\tdeploy"})
    row = run("inbox", "list").out.rstrip("\n").split("\t")
    assert (row[0], row[1], row[4], row[5]) == (str(asked.id), "M-1", "Bash", "make deploy")
    assert run("inbox", "answer", str(asked.id), "perhaps").code == 2
    done = run("inbox", "answer", str(asked.id), "deny", "-m", "Not today")
    assert "must not use Bash" in done.out
    assert run("inbox", "answer", str(asked.id), "allow").code == 4
    assert run("inbox", "answer", "99", "allow").code == 3
    assert [one["message"] for one in run("inbox", "list", "--all", "--json").data] == ["Not today"]


def test_a_question_stands_in_the_inbox_and_is_answered_there(run: Run, project: None) -> None:
    with Workspace.open() as workspace:
        session = running_session(workspace)
        workspace.write(operations.inbox.ask, session.id, "Bash", {"command": "make deploy"})
        workspace.write_as(
            Author("agent", "rehearsal", "S1"), operations.review.ask_question, session.mission_id, "Which currency?"
        )
    rows = [row.split("\t") for row in run("inbox", "list").out.splitlines()]
    assert {(row[0], row[4], row[5]) for row in rows} == {
        ("1", "Bash", "make deploy"),
        ("M-1", "a question", "Which currency?"),
    }
    assert {one["kind"] for one in run("inbox", "list", "--json").data} == {"permission", "question"}
    assert run("inbox", "answer", "M-1", "Euro", "--always").code == 2
    assert "M-1 goes on" in run("inbox", "answer", "M-1", "Euro", "only").out
    assert [one["kind"] for one in run("inbox", "list", "--json").data] == ["permission"]
    assert run("inbox", "answer", "M-1", "Dollar").code != 0, "it was answered"
    assert run("inbox", "answer", "M-99", "Dollar").code == 3


def test_clients_are_listed_with_where_they_stand(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "would be entered in" in run("mcp", "install", "cursor", "--dry-run").out
    assert {one["state"] for one in run("mcp", "status", "--json").data} == {"absent"}
    assert "now has the solo-unicorn server" in run("mcp", "install", "cursor").out
    assert "already" in run("mcp", "install", "cursor").out
    ready = [one for one in run("mcp", "status", "--json").data if one["state"] == "ready"]
    assert [(one["client"], one["scope"]) for one in ready] == [("cursor", "user")]
    assert run("mcp", "uninstall", "cursor", "--json").data["outcome"] == "removed"
    assert run("mcp", "install", "emacs").code == 2
    assert "install" in run("mcp", "--help").out
