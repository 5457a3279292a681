"""What a mission changed, on the command line: the diff in pages and side by side, comments, where it stands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Author
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.worktrees.noted_states import note_state

from ..conftest import Run


@pytest.fixture
def changed(run: Run, project: str, repository: Path) -> Path:
    """M-1 with a worktree: one file edited and committed, one new."""
    run("repo", "add", str(repository))
    run("mission", "create", "Retry payments")
    worktree = repository.parent / "w t"
    git = ["git", "-C", str(repository)]
    (repository / "pay.py").write_text("".join(f"line {n}\n" for n in range(1, 31)))
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "Pay"], check=True)
    subprocess.run([*git, "worktree", "add", "-q", "-b", "m1", str(worktree)], check=True)
    text = (worktree / "pay.py").read_text().replace("line 7\n", "line seven\n").replace("line 25\n", "")
    (worktree / "pay.py").write_text(text)
    subprocess.run(["git", "-C", str(worktree), "commit", "-qam", "Work"], check=True)
    (worktree / "new.py").write_text("fresh\n")
    with Workspace.open() as opened:
        opened.write_as(SYSTEM, operations.workstation.set_mission_worktree, "M-1", str(worktree), "m1")
    return worktree


def test_comments_are_written_shown_with_the_diff_and_follow_their_lines(run: Run, changed: Path) -> None:
    assert run("mission", "comment", "add", "1", "pay.py:7", "Why in words?").code == 0
    run("mission", "comment", "add", "1", "pay.py:25", "-", "--side", "old", stdin="Needed\nbelow")
    assert "+line seven\n  # new line 7: Why in words?\n" in run("mission", "diff", "1").out
    (changed / "pay.py").write_text("# head\n" + (changed / "pay.py").read_text())
    listed = run("mission", "comment", "list", "1", "--json").data
    assert [(one["line"], one["side"], one["text"]) for one in listed] == [
        (8, "new", "Why in words?"),
        (25, "old", "Needed\nbelow"),
    ]
    assert run("mission", "show", "1", "--json").data["comments"] == listed
    assert [
        {name: value for name, value in one.items() if name != "now"}
        for one in run("mission", "diff", "1", "--json").data["comments"]
    ] == listed
    [first, second] = run("mission", "comment", "list", "1", "-q").out.split()
    assert run("mission", "comment", "resolve", first).code == 0
    assert run("mission", "comment", "list", "1").out.split("\t")[0] == second
    assert "resolved" in run("mission", "comment", "list", "1", "--all").out
    assert run("mission", "comment", "delete", first, second).code == 0
    assert run("mission", "comment", "list", "1", "--all", "--json").data == []


def test_bad_comments_are_refused(run: Run, changed: Path) -> None:
    assert run("mission", "comment", "add", "1", "pay.py", "x").code == 2
    assert run("mission", "comment", "add", "1", "pay.py:99", "x").code == 2
    assert run("mission", "comment", "add", "1", "../pay.py:1", "x").code == 2
    assert run("mission", "comment", "resolve", "nobody").code == 3
    assert run("mission", "comment").code == 2
    assert run("mission", "comment", "list", "1", "--json").data == []


def test_the_diff_in_pages_and_side_by_side(run: Run, changed: Path) -> None:
    whole = run("mission", "diff", "1", "--json").data
    lines = [line for file in whole["files"] for hunk in file["hunks"] for line in hunk["lines"]]
    paged = [run("mission", "diff", "1", "--json", "--page", str(n), "--page-lines", "6").data for n in (1, 2, 3)]
    assert [one["pages"] for one in paged] == [3, 3, 3]
    assert [line for one in paged for file in one["files"] for hunk in file["hunks"] for line in hunk["lines"]] == lines
    assert run("mission", "diff", "1", "--page", "4", "--page-lines", "6").code == 2
    assert run("mission", "diff", "1", "--page", "1", "--page-lines", "0").code == 2
    pairs = run("mission", "diff", "1", "--json", "--side-by-side").data["files"][1]["hunks"][0]["rows"]
    assert [(pair["left"]["text"], pair["right"]["text"]) for pair in pairs][3] == ("line 7", "line seven")
    shown = run("mission", "diff", "1", "--side-by-side").out
    assert any(line.split() == ["7", "line", "7", "|", "7", "line", "seven"] for line in shown.splitlines())


def test_show_says_where_the_work_stands(run: Run, changed: Path, repository: Path) -> None:
    subprocess.run(["git", "-C", str(repository), "commit", "-qm", "On", "--allow-empty"], check=True)
    shown = run("mission", "show", "1", "--json").data["change"]
    assert (shown["worktreePath"], shown["branch"], shown["targetBranch"]) == (str(changed), "m1", "main")
    measured = shown["measured"]
    assert (measured["ahead"], measured["behind"], measured["uncommitted"]) == (1, 1, 1)
    assert "m1: 1 ahead of main, 1 behind, 1 files uncommitted" in run("mission", "show", "1").out
    with Workspace.open() as opened:
        assert opened.read(queries.missions.change_state_of, "M-1").measured is not None


def test_open_goes_where_the_work_is(run: Run, changed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "shell"
    script.write_text(f'#!/bin/sh\npwd > {tmp_path}/where\necho "$@" >> {tmp_path}/where\n')
    script.chmod(0o755)
    monkeypatch.setenv("SHELL", str(script))
    monkeypatch.setenv("VISUAL", f"{script} --wait")
    assert run("mission", "open", "1").code == 0
    assert (tmp_path / "where").read_text().split("\n")[:2] == [str(changed), ""]
    assert run("mission", "open", "1", "--editor").code == 0
    assert (tmp_path / "where").read_text().split("\n")[1] == f"--wait {changed}"
    assert run("mission", "open", "1", "--print").out == f"{changed}\n"
    assert run("mission", "open", "1", "--pr").code == 3
    monkeypatch.setenv("SHELL", str(tmp_path / "nothing"))
    assert run("mission", "open", "1", "--shell").code == 1
    with Workspace.open() as opened:
        opened.write_as(SYSTEM, operations.workstation.set_mission_worktree, "M-1", str(tmp_path / "gone"), "m1")
    assert run("mission", "open", "1").code == 3


def test_marks_of_what_is_reviewed_are_kept_until_the_content_changes(run: Run, changed: Path) -> None:
    def reviewed() -> dict[str, list[bool]]:
        files = run("mission", "diff", "1", "--json").data["files"]
        return {file["path"]: [file["reviewed"], *(hunk["reviewed"] for hunk in file["hunks"])] for file in files}

    assert run("mission", "mark", "1", "pay.py").out == "pay.py: reviewed; 1 of 2 files are\n"
    assert reviewed() == {"new.py": [False, False], "pay.py": [True, True, True]}
    assert "new.py" in run("mission", "diff", "1", "--unreviewed").out
    assert "pay.py" not in run("mission", "diff", "1", "--unreviewed").out
    assert "modified: pay.py  (reviewed)" in run("mission", "diff", "1").out
    text = (changed / "pay.py").read_text()
    (changed / "pay.py").write_text("# moved down\n" + text.replace("line seven", "line 7 again"))
    assert reviewed() == {"new.py": [False, False], "pay.py": [False, False, True]}
    assert run("mission", "mark", "1", "--all").out.endswith("2 of 2 files are\n")
    assert run("mission", "diff", "1", "--unreviewed", "-q").out == ""
    assert run("mission", "mark", "1", "new.py", "--unreviewed").out == "new.py: not reviewed; 1 of 2 files are\n"
    assert run("mission", "mark", "1").code == 2
    assert run("mission", "mark", "1", "README.md").code == 3


def test_a_binary_file_is_marked_by_its_content(run: Run, changed: Path) -> None:
    (changed / "logo.png").write_bytes(b"\0one")
    assert run("mission", "mark", "1", "logo.png").out.endswith("1 of 3 files are\n")
    (changed / "logo.png").write_bytes(b"\0two")
    assert "logo.png" in run("mission", "diff", "1", "--unreviewed", "-q").out.split()


def test_the_diff_since_the_last_look_and_of_the_agents_turn(run: Run, changed: Path) -> None:
    def files(scope: str, *more: str) -> list[str]:
        return run("mission", "diff", "1", "--scope", scope, "-q", *more).out.split()

    assert run("mission", "diff", "1", "--scope", "look").code == 3
    assert run("mission", "diff", "1", "--scope", "turn").code == 3
    with Workspace.open() as opened:
        opened.write_as(SYSTEM, operations.review_marks.turn_began, "M-1", note_state(changed, "M-1"))
    assert files("mission", "--look") == ["new.py", "pay.py"] and files("look") == []
    (changed / "new.py").write_text("fresh\nmore\n")
    assert files("look") == files("turn") == ["new.py"]
    assert files("look", "--look") == ["new.py"]
    assert files("look", "--look") == ["new.py"], "a second look at the same shows what was new at the first"
    (changed / "pay.py").write_text("all other\n")
    assert files("look", "--look") == ["pay.py"] and files("turn") == ["new.py", "pay.py"]
    with Workspace.open() as opened:
        began = opened.read(queries.review_marks.of_mission, "M-1").turn
        opened.write_as(SYSTEM, operations.review_marks.turn_began, "M-1", note_state(changed, "M-1"))
        assert opened.read(queries.review_marks.of_mission, "M-1").turn == began, (
            "going on after a pause begins no turn"
        )


def test_ranges_and_texts_are_commented_answered_and_listed_by_round(run: Run, changed: Path) -> None:
    def listed() -> list[list[str]]:
        return [row.split("\t")[1:] for row in run("mission", "comment", "list", "1").out.splitlines()]

    assert run("mission", "comment", "add", "1", "pay.py:5-7", "Three lines").code == 0
    run("mission", "edit", "1", "-d", "First\nSecond")
    assert run("mission", "comment", "add", "1", "2", "Which?", "--about", "description").code == 0
    assert run("mission", "comment", "add", "1", "9", "x", "--about", "description").code == 2
    assert run("mission", "comment", "add", "1", "pay.py:7-5", "x").code == 2
    (changed / "pay.py").write_text("# top\n" + (changed / "pay.py").read_text())
    run("mission", "edit", "1", "-d", "Zeroth\nFirst\nSecond")
    assert listed() == [["description:3", "1", "open", "Which?"], ["pay.py:6-8", "1", "open", "Three lines"]]
    ids = [one["id"] for one in run("mission", "comment", "list", "1", "--json").data]
    assert run("mission", "comment", "edit", ids[1], "These three").code == 0
    with Workspace.open() as opened:
        opened.write_as(Author("agent", "claude"), operations.comments.answer, "M-1", ids[1], "Two suffice")
    assert ["pay.py:6-8", "1", "handled", "These three  claude: Two suffice"] in listed()
    assert run("mission", "comment", "answer", ids[1], "No").code == 0
    assert ["pay.py:6-8", "1", "open", "These three  claude: Two suffice  you: No"] in listed()
