"""A repository that an agent makes within its worktree has settings of its own: nothing that they name is run by us."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import ProjectRepository
from solo_unicorn.worktrees.diff.differences import mission_diff
from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.locks import our_dir
from solo_unicorn.worktrees.pool.pool import Pool
from solo_unicorn.worktrees.pool.setup_files import untracked
from solo_unicorn.worktrees.pool.snapshots import commit_uncommitted, set_aside, snapshot_work
from solo_unicorn.worktrees.pool.status import unfinished
from solo_unicorn.worktrees.repository import submodules
from solo_unicorn.worktrees.repository.sealed import sealed

from .conftest import MakeMission, Repo


def armed(inside: Repo, ran: Path) -> None:
    """Whatever git can be made to run by settings, and files that it cannot judge without reading them."""
    program = ran.with_suffix(".sh")
    program.write_text(f"#!/bin/sh\necho $0 $* >> {ran}\ncat\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "core.sshCommand", "diff.external"):
        inside.git("config", name, str(program))
    inside.git("config", "core.hooksPath", str(program.parent))
    inside.git("config", "protocol.ext.allow", "always")
    inside.git("config", "remote.origin.url", f"ext::{program} %S")
    inside.git("config", "remote.origin.promisor", "true")
    inside.write(".gitattributes", "* filter=evil\n")
    inside.write("readme.md", "changed\n")


@pytest.fixture
def nested(pool: Pool, repository: ProjectRepository, make_mission: MakeMission, tmp_path: Path) -> tuple[Repo, Path]:
    """A mission's worktree in which the agent staged a repository of its own."""
    worktree = Repo(pool.acquire(repository, make_mission(1), branch="m1").path)
    worktree.git("init", "-q", "-b", "main", "evil")
    inside = Repo(worktree.path / "evil")
    inside.commit("readme.md", "hello\n")
    worktree.git("-c", "advice.addEmbeddedRepo=false", "add", "evil")
    worktree.git("commit", "-qm", "With a repository")
    worktree.write("mine.txt", "work\n")
    ran = tmp_path / "ran"
    armed(inside, ran)
    return worktree, ran


def test_looking_at_a_worktree_runs_nothing_of_a_repository_within(nested: tuple[Repo, Path]) -> None:
    worktree, ran = nested
    assert (unfinished(worktree.path) or "").startswith("it has uncommitted work: mine.txt")
    assert {one.path for one in mission_diff(worktree.path, "main").files} == {"evil", "mine.txt"}
    assert set(untracked(worktree.path)) == {"mine.txt"}
    Git(worktree.path).run("diff-index", "HEAD")
    Git(worktree.path).run("--literal-pathspecs", "diff", "--quiet", "HEAD", "--")
    assert not ran.exists()
    worktree.git("status")
    assert ran.exists(), "plain git runs it"


def test_keeping_the_work_of_a_worktree_runs_nothing_of_a_repository_within(nested: tuple[Repo, Path]) -> None:
    worktree, ran = nested
    snapshot_work(worktree.path, "refs/solo-unicorn/wip/x")
    assert commit_uncommitted(worktree.path, "Rest") == worktree.head()
    assert worktree.show("HEAD:mine.txt") == "work"
    worktree.write("more.txt", "")
    set_aside(worktree.path, "refs/solo-unicorn/wip/y", "Aside")
    assert not ran.exists()


def test_a_sealed_repository_says_what_is_in_it_and_runs_nothing(nested: tuple[Repo, Path], repo: Repo) -> None:
    worktree, ran = nested
    inside = worktree.path / "evil"
    with sealed(inside, our_dir(repo.path / ".git")) as git:
        assert git.list("status", "--porcelain", "-z") == [" M readme.md", "?? .gitattributes"]
        assert git.line("rev-list", "--count", "--branches") == "1"
        assert git.commit("1" * 40) is None, "what is missing is not fetched"
    assert not ran.exists()
    assert list(our_dir(repo.path / ".git").glob("look-*")) == []


def test_a_link_out_of_the_worktree_is_not_a_submodule(nested: tuple[Repo, Path], tmp_path: Path) -> None:
    worktree, _ = nested
    outside = tmp_path / "outside"
    outside.mkdir()
    (worktree.path / "link").symlink_to(outside)
    worktree.write(
        ".gitmodules",
        '[submodule "../../evil"]\n\tpath = evil\n[submodule "a"]\n\tpath = link\n'
        '[submodule "b"]\n\tpath = ../shop\n[submodule "c"]\n\tpath = mine.txt\n',
    )
    assert submodules._named(Git(worktree.path)) == {"mine.txt": "c"}
