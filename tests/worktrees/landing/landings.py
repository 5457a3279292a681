"""A branch to land, and what a landing may not leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.missions.entities import MergeStrategy
from solo_unicorn.worktrees.git import Git
from solo_unicorn.worktrees.landing.building import Conflicted
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.landing.proofs import Claimed, Proven, Unproven, note_start, prove

from ..conftest import Landing, Repo


@pytest.fixture
def work(repo: Repo) -> Repo:
    """A branch `m1` with two commits; the checkout is on main."""
    repo.git("switch", "-qc", "m1")
    repo.commit("a.txt", "one\n")
    repo.commit("dir/b.txt", "two\n", "Second")
    repo.git("switch", "-q", "main")
    return repo


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    def run(repo: Repo, branch: str = "m1", strategy: MergeStrategy = "merge", **options: Any) -> Landed | Conflicted:
        options.setdefault("scratch_root", tmp_path / "worktrees")
        options.setdefault("message", "M-1: Pay")
        return land(repo.path, branch=branch, target=options.pop("target", "main"), strategy=strategy, **options)

    return run


def with_remote(repo: Repo, tmp_path: Path) -> Repo:
    """Give the repository a bare `origin` that has main; returns the bare one."""
    repo.git("clone", "-q", "--bare", "--branch", "main", str(repo.path), str(tmp_path / "origin.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    repo.git("fetch", "-q")
    return type(repo)(tmp_path / "origin.git")


def leaves_nothing(repo: Repo, tmp_path: Path) -> bool:
    scratch = tmp_path / "worktrees" / ".landing"
    ours = repo.path / ".git" / "solo-unicorn" / "landing"
    return (
        not (scratch.exists() and any(scratch.iterdir()))
        and not (ours.exists() and any(ours.glob("*.json")))
        and "landing" not in repo.git("for-each-ref", "--format=%(refname)").replace("refs/heads/", "")
        and len(repo.git("worktree", "list").splitlines()) == 1
        and not (repo.path / ".git" / "index.lock").exists()
        and not list((repo.path / ".git").glob("solo-unicorn-*"))
    )


@pytest.fixture
def rewrites(work: Repo) -> Repo:
    """The branch changes readme.md as well, and removes other.txt."""
    work.commit("other.txt", "other\n")
    work.git("switch", "-q", "m1")
    work.git("merge", "-q", "main")
    work.git("rm", "-q", "other.txt")
    work.commit("readme.md", "of the mission\n")
    work.git("switch", "-q", "main")
    return work


OWN = "solo-unicorn/mission-1"


OWN = "solo-unicorn/mission-1"


class Work:
    """A mission's worktree whose session has just begun."""

    def __init__(self, repo: Repo, path: Path) -> None:
        self.main, self.path = repo, path
        repo.git("worktree", "add", "-q", "-b", OWN, str(path), "main")
        self.here = Repo(path)
        self.common = repo.path / ".git"
        self.base = repo.head("main")
        self.begin()

    @classmethod
    def begun(cls, repo: Repo, folder: Path) -> Work:
        """The person stands on a branch of their own."""
        repo.git("switch", "-qc", "mine")
        return cls(repo, folder / "worktrees" / "shop-1")

    @property
    def claimed(self) -> Claimed:
        return Claimed("01M", self.path, OWN, self.base, "main", None, "Left over")

    def begin(self) -> None:
        note_start(Git(self.main.path), self.common, "01M")

    def prove(self) -> Proven:
        return prove(self.main.path, self.common, self.claimed)


def asked_of(work: Work) -> Unproven:
    with pytest.raises(Unproven) as asked:
        work.prove()
    return asked.value
