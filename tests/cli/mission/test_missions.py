"""`mission …` as a person and a script use it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Author, CodeAgent
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

from ..conftest import Run


def test_create_list_show_edit_move_delete_restore(run: Run, project: str) -> None:
    made = run("mission", "create", "Retry payments", "-d", "With *back-off*", "--priority", "5", "--task", "Find it")
    assert made.code == 0 and made.out == "M-1 created in todo of Acme shop: Retry payments\n"
    assert run("mission", "create", "Second", "-q").out == "M-2\n"
    listed = run("mission", "list")
    assert listed.out.splitlines() == [
        "M-1\ttodo\t5\tclarify\t-\t0/1\tRetry payments",
        "M-2\ttodo\t3\tclarify\t-\t-\tSecond",
    ]
    shown = run("mission", "show", "m-1")
    assert "With *back-off*" in shown.out and "[ ] Find it" in shown.out and "not marked ready" in shown.out
    assert run("mission", "edit", "1", "--title", "Retry all payments", "--priority", "2").code == 0
    assert run("mission", "move", "2", "todo", "--before", "1").code == 0
    assert [row.split("\t")[0] for row in run("mission", "list").out.splitlines()] == ["M-2", "M-1"]
    assert run("mission", "move", "1", "done").out == "M-1 moved to done\n"
    assert run("mission", "list", "--list", "done", "-q").out == "M-1\n"
    assert run("mission", "delete", "1", "2").code == 0
    assert run("mission", "list", "-q").out == ""
    assert run("mission", "restore", "2").code == 0
    assert run("mission", "list", "-q").out == "M-2\n"


def test_json_has_data_and_meta_with_wire_names(run: Run, project: str) -> None:
    made = run("mission", "create", "One", "--json").data
    assert made["ref"] == "M-1" and made["agentSessionStatus"] == "INACTIVE" and made["list"] == "todo"
    run("mission", "create", "Two")
    page = run("mission", "list", "--limit", "1", "--json")
    assert page.meta["count"] == 1 and page.meta["total"] == 2
    rest = run("mission", "list", "--limit", "1", "--cursor", page.meta["nextCursor"], "--json")
    assert [one["ref"] for one in page.data + rest.data] == ["M-1", "M-2"]
    assert run("mission", "show", "1", "--json").data["whyNot"] == "not marked ready"
    assert [event["kind"] for event in run("mission", "history", "1", "--json").data] == ["created"]


def test_a_shortened_list_says_so_on_standard_error(run: Run, project: str) -> None:
    for number in range(3):
        run("mission", "create", f"Mission {number}")
    short = run("mission", "list", "--limit", "2")
    assert len(short.out.splitlines()) == 2 and "2 of 3" in short.err
    assert run("mission", "list", "--limit", "0").err == ""


def test_a_flow_with_a_stage_left_out_and_a_loop(run: Run, project: str) -> None:
    run("mission", "create", "No questions", "--skip-stage", "clarify")
    run("mission", "create", "Quick", "--flow", "quick fix")
    run("mission", "create", "Often", "--loop", "--max-per-day", "2")
    stages = {one["ref"]: (one["stage"], one["list"]) for one in run("mission", "list", "--json").data}
    assert stages == {"M-1": ("plan", "todo"), "M-2": ("code", "todo"), "M-3": ("clarify", "loop")}
    assert run("mission", "show", "3", "--json").data["loopSchedule"] == {"maxPerDay": 2}


def test_a_mission_that_waits_for_another_says_for_which(run: Run, project: str) -> None:
    run("mission", "create", "Design")
    made = run("mission", "create", "Build", "--blocked-by", "M-1", "--ready", "--json")
    assert made.data["ready"] and made.data["dependencyCount"] == 1
    assert run("mission", "queue").out == "M-2\t3\ttodo\tBuild\tblocked by M-1 Design (todo)\n"
    run("mission", "move", "1", "done")
    assert "blocked" not in run("mission", "queue").out
    assert run("mission", "unlink", "1", "--blocks", "2").code == 0
    assert run("mission", "unlink", "1", "--blocks", "2").code == 3


def test_a_dependency_cycle_is_refused_and_named(run: Run, project: str) -> None:
    for title in ("A", "B", "C"):
        run("mission", "create", title)
    run("mission", "link", "1", "--blocks", "2")
    run("mission", "link", "3", "--blocked-by", "2")
    refused = run("mission", "link", "3", "--blocks", "1")
    assert refused.code == 4
    assert "M-3 → M-1 → M-2 → M-3" in refused.err
    assert run("mission", "show", "1", "--json").data["dependencyCount"] == 0


def test_ready_says_what_still_holds_it_back_and_that_no_service_runs(run: Run, project: str) -> None:
    run("mission", "create", "One")
    answered = run("mission", "ready", "1")
    assert answered.code == 0 and answered.out.startswith("M-1 is ready: ")
    assert "workstation start" in answered.err
    assert run("mission", "ready", "1", "--off", "--json").data[0]["ready"] is False


def test_review_is_approved_or_rejected_with_feedback(run: Run, project: str) -> None:
    for title in ("One", "Two"):
        run("mission", "create", title)
    with Workspace.open() as opened:
        for ref in ("M-1", "M-2"):
            opened.write(operations.missions.move, ref, "review")
    assert [row.split("\t")[:2] for row in run("mission", "waiting").out.splitlines()] == [
        ["M-1", "review"],
        ["M-2", "review"],
    ]
    assert run("mission", "approve", "1").out == "M-1: clarify approved\n"
    blank = run("mission", "reject", "2", "  ")
    assert blank.code == 2 and "feedback" in blank.err.lower()
    rejected = run("mission", "reject", "2", "-", stdin="Name the currency.\n")
    assert rejected.code == 0
    shown = run("mission", "show", "2", "--json").data
    assert shown["reviewFeedback"] == "Name the currency." and shown["ready"] and shown["list"] == "doing"
    assert run("mission", "approve", "1").code == 4


def test_a_landing_that_failed_is_tried_again_with_another_message(run: Run, project: str) -> None:
    run("mission", "create", "One", "--flow", "Quick fix")
    with Workspace.open() as opened:
        opened.write(operations.missions.move, "M-1", "review")
        opened.write(operations.review.approve, "M-1")
        opened.write_as(SYSTEM, operations.landing.failed, "M-1", "the commit-msg hook wants a ticket")
    assert run("mission", "approve", "1", "--message", "T-1: One").out == "M-1: landing is tried again\n"
    shown = run("mission", "show", "1", "--json").data
    assert (shown["landingStatus"], shown["landingMessage"], shown.get("attention")) == ("queued", "T-1: One", None)
    assert run("mission", "approve", "1", "--message", "Too late").code == 4
    assert run("mission", "show", "1", "--json").data["landingMessage"] == "T-1: One", "a refusal changes nothing"


def test_undo_and_redo(run: Run, project: str) -> None:
    run("mission", "create", "One")
    run("mission", "edit", "1", "--title", "Changed")
    assert "M-1" in run("mission", "undo").out
    assert run("mission", "list", "--json").data[0]["title"] == "One"
    run("mission", "redo")
    assert run("mission", "list", "--json").data[0]["title"] == "Changed"


def test_an_edit_on_an_older_state_is_refused(run: Run, project: str) -> None:
    version = run("mission", "create", "One", "--json").data["version"]
    assert run("mission", "edit", "1", "--title", "Mine", "--if-version", str(version)).code == 0
    late = run("mission", "edit", "1", "--title", "Late", "--if-version", str(version), "--json")
    assert late.code == 4 and late.error["code"] == "version_conflict"


def test_search_finds_words(run: Run, project: str) -> None:
    run("mission", "create", "Retry payments", "-d", "idempotency keys")
    run("mission", "create", "Dark mode")
    assert run("mission", "search", "idempotency", "-q").out == "M-1\n"


def test_the_project_of_the_directory_is_meant(run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("project", "create", "A first one")
    assert run("project", "create", "Shop", "--repo", str(repository)).code == 0
    monkeypatch.chdir(repository.parent)
    refused = run("mission", "create", "Elsewhere")
    assert refused.code == 2 and "a-first-one, shop" in refused.err
    run("mission", "create", "Elsewhere", "-p", "a-first-one")
    inside = repository / "src"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert "of Shop" in run("mission", "create", "Here").out
    assert run("mission", "list", "-q").out == "M-2\n"
    assert run("mission", "list", "--all-projects", "-q").out == "M-1\nM-2\n"


def test_diff_shows_the_worktree_and_says_when_there_is_none(run: Run, project: str, repository: Path) -> None:
    run("repo", "add", str(repository))
    run("mission", "create", "One")
    none = run("mission", "diff", "1")
    assert none.code == 4 and "no worktree" in none.err
    subprocess.run(["git", "-C", str(repository), "switch", "-qc", "solo-unicorn/mission-1-one"], check=True)
    (repository / "readme.md").write_text("shop\nand more\n")
    with Workspace.open() as opened:
        opened.write_as(
            SYSTEM, operations.workstation.set_mission_worktree, "M-1", str(repository), "solo-unicorn/mission-1-one"
        )
    assert "+and more" in run("mission", "diff", "1").out
    data = run("mission", "diff", "1", "--json").data
    assert data["added"] == 1 and data["files"][0]["path"] == "readme.md"
    assert run("mission", "diff", "1", "--stat").out == "readme.md\tmodified\t+1 -0\n"


def test_the_tour_that_the_agent_proposes_is_listed_in_its_order(run: Run, project: str) -> None:
    run("mission", "create", "One")
    assert "not proposed a tour of M-1" in run("mission", "tour", "1").err
    stops = [
        operations.comments.TourStop("b.py", 3, "Begin here"),
        operations.comments.TourStop("a.py", 7, "Then its caller"),
    ]
    with Workspace.open() as opened:
        opened.write_as(Author("agent", "claude"), operations.comments.propose_tour, "M-1", stops)
    assert run("mission", "tour", "1").out == "1\tb.py:3\tBegin here\n2\ta.py:7\tThen its caller\n"
    assert [one["stop"] for one in run("mission", "tour", "1", "--json").data] == [1, 2]


def test_a_wished_agent_has_to_be_known(run: Run, project: str) -> None:
    refused = run("mission", "create", "One", "--agent", "clod")
    assert refused.code == 3 and "nearest one is 'claude'" not in refused.err and "rehearsal" in refused.err
    with Workspace.open() as opened:
        opened.write_as(
            SYSTEM,
            operations.workstation.set_agents,
            [CodeAgent("claude", "claude-work", state="ready"), CodeAgent("claude", "claude")],
        )
    assert run("mission", "create", "One", "--agent", "claude-work", "--json").data["codeAgentName"] == "claude-work"
    assert run("mission", "list", "-q").out == "M-1\n"


def test_talking_to_a_mission_that_does_not_run_is_refused(run: Run, project: str) -> None:
    run("mission", "create", "One")
    for words in (("stop", "1"), ("answer", "1", "yes")):
        refused = run("mission", *words)
        assert refused.code == 4, refused
    kept = run("mission", "say", "1", "hello")
    assert kept.code == 0 and "kept for its next session, because no agent works on it now" in kept.out
    run("mission", "move", "1", "done")
    assert run("mission", "say", "1", "hello").code == 4


def test_one_correlation_id_goes_from_the_command_into_the_history(
    run: Run, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("mission", "create", "One")
    run("mission", "edit", "1", "--title", "Two")
    chains = [event["correlationId"] for event in run("mission", "history", "1", "--json").data]
    assert all(chains) and chains[0] != chains[1]


def test_the_history_names_missions_by_their_short_ids(run: Run, project: str) -> None:
    run("mission", "create", "A")
    run("mission", "create", "B", "--blocked-by", "1")
    assert "\tYou noted that it blocks M-2\n" in run("mission", "history", "1").out


def test_what_a_mission_begins_from_is_kept_shown_and_taken_back(run: Run, project: str) -> None:
    assert run("mission", "create", "On top", "--from", "origin/next", "--json").data["startFrom"] == "origin/next"
    assert "origin/next" in run("mission", "show", "1").out
    assert run("mission", "edit", "1", "--from", "--force").code == 2
    assert run("mission", "edit", "1", "--from=").code == 0
    assert "starts from" not in run("mission", "show", "1").out
    wrong = run("mission", "edit", "1", "--from", "a..b")
    assert wrong.code != 0 and "'a..b' is not a valid branch name" in wrong.err


def test_a_mission_has_a_branch_of_the_persons_naming(run: Run, project: str) -> None:
    made = run("mission", "create", "Named", "--branch", "fix/login", "--target", "next", "--json").data
    assert (made["workBranch"], made["targetBranch"]) == ("fix/login", "next")
    assert "fix/login" in run("mission", "show", "1").out
    wrong = run("mission", "edit", "1", "--branch", "next")
    assert wrong.code == 2 and "lands on" in wrong.err
    assert run("mission", "edit", "1", "--branch=", "--json").data["workBranch"] == ""


def test_a_mission_asks_for_a_model_an_effort_and_a_budget_of_its_own(run: Run, project: str) -> None:
    made = run("mission", "create", "Hard", "--model", "opus", "--effort", "high", "--budget", "2.5", "--json").data
    assert (made["agentModel"], made["agentEffort"], made["agentBudget"]) == ("opus", "high", 2.5)
    shown = run("mission", "show", "1").out
    assert "opus" in shown and "high" in shown and "$2.50" in shown
    wrong = run("mission", "edit", "1", "--model=--yolo")
    assert wrong.code == 2 and "read as an option" in wrong.err
    wrong = run("mission", "edit", "1", "--budget", "-1")
    assert wrong.code == 2 and "amount in US dollars" in wrong.err
    assert run("mission", "edit", "1", "--model=", "--budget", "0", "--json").data.get("agentBudget") is None
