"""Seeing and keeping uncommitted work."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.errors import Conflict
from solo_unicorn.worktrees.pool.snapshots import commit_uncommitted, snapshot_work, unlanded
from solo_unicorn.worktrees.pool.status import changes, unfinished

from .conftest import Repo

REF = "refs/solo-unicorn/wip/s1"


def test_a_snapshot_keeps_everything_and_touches_nothing(repo: Repo) -> None:
    repo.commit("deleted.txt", "x")
    repo.write("readme.md", "staged")
    repo.git("add", "readme.md")
    repo.write("readme.md", "changed again")
    repo.write("sub dir/ñew.txt", "untracked")
    (repo.path / "deleted.txt").unlink()
    before = (repo.status(), repo.head(), (repo.path / ".git" / "index").read_bytes())
    commit = snapshot_work(repo.path, REF)
    assert (repo.status(), repo.head(), (repo.path / ".git" / "index").read_bytes()) == before
    assert repo.head(REF) == commit
    assert repo.show(f"{REF}:readme.md") == "changed again" and repo.show(f"{REF}^2:readme.md") == "staged"
    assert repo.show(f"{REF}:sub dir/ñew.txt") == "untracked"
    assert "deleted.txt" not in repo.git("ls-tree", "--name-only", REF)


def test_a_clean_checkout_needs_no_snapshot(repo: Repo) -> None:
    assert snapshot_work(repo.path, REF) is None


def test_an_older_snapshot_of_the_same_ref_stays_reachable(repo: Repo) -> None:
    repo.write("a.txt", "first")
    first = snapshot_work(repo.path, REF)
    repo.write("a.txt", "second")
    second = snapshot_work(repo.path, REF)
    assert repo.git("merge-base", "--is-ancestor", str(first), str(second)) == ""


def test_everything_uncommitted_is_committed(repo: Repo) -> None:
    repo.write("a.txt", "x")
    assert commit_uncommitted(repo.path, "Rescue") == repo.head()
    assert repo.status() == "" and commit_uncommitted(repo.path, "Again") is None


def test_a_staged_version_that_was_edited_again_is_kept_as_well(repo: Repo) -> None:
    repo.write("readme.md", "staged only")
    repo.git("add", "-A")
    repo.write("readme.md", "newer")
    commit_uncommitted(repo.path, "Rescue")
    assert repo.show("HEAD:readme.md") == "newer"
    assert repo.show(f"refs/solo-unicorn/wip/{repo.path.name}/staged^2:readme.md") == "staged only"


def test_line_endings_are_not_a_reason_to_refuse(repo: Repo) -> None:
    repo.git("config", "core.autocrlf", "input")
    repo.git("config", "core.safecrlf", "true")
    repo.write("dos.txt", "a\r\nb\r\n")
    assert commit_uncommitted(repo.path, "Rescue")


def test_conflict_markers_are_not_committed(repo: Repo) -> None:
    repo.git("switch", "-qc", "side")
    repo.commit("readme.md", "side")
    repo.git("switch", "-q", "main")
    repo.commit("readme.md", "main")
    repo.git("merge", "side", check=False)
    with pytest.raises(Conflict, match="in the middle of a merge"):
        commit_uncommitted(repo.path, "Rescue")
    assert unfinished(repo.path) == "it is in the middle of a merge"
    assert snapshot_work(repo.path, REF), "but they can be kept"


def test_a_repository_inside_is_left_out_and_said(repo: Repo) -> None:
    repo.git("init", "-q", str(repo.path / "inner"))
    repo.write("a.txt", "x")
    assert [change.path for change in changes(repo.path) if change.nested] == ["inner/"]
    commit_uncommitted(repo.path, "Rescue")
    assert "inner" not in repo.git("ls-tree", "--name-only", "HEAD")
    assert unfinished(repo.path) == "it has uncommitted work: inner/"


def test_renames_and_odd_names_in_status(repo: Repo) -> None:
    repo.commit("old name.txt", "content\n" * 20)
    repo.git("mv", "old name.txt", "new\nname.txt")
    assert [(change.state, change.path) for change in changes(repo.path)] == [("R.", "new\nname.txt")]


def test_unlanded_counts_only_commits_that_are_nowhere_else(repo: Repo, tmp_path: Path) -> None:
    from solo_unicorn.worktrees.git import Git

    repo.git("switch", "-qc", "m1")
    repo.commit("a.txt", "1")
    repo.commit("a.txt", "2")
    git = Git(repo.path)
    assert unlanded(git, "m1", "main") == 2
    repo.git("update-ref", "refs/solo-unicorn/landed/m1", "m1~1")
    assert unlanded(git, "m1", "main") == 1
    repo.git("update-ref", "refs/remotes/origin/m1", "m1")
    assert unlanded(git, "m1", "main") == 0
