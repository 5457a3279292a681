"""Kinds of repositories in which nothing special has to happen: the work lands, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.worktrees.landing.landing import Landed, land

from ..conftest import Repo

ODD = ("-rf", "a\nb", 'tab\tquote".txt', " lead", "trail ", ":(top)magic", "*star", "--dir/x", "\udc80bad")


def sha256(repo: Repo, folder: Path) -> None:
    """Names of commits are longer."""
    repo.git("init", "-q", "-b", "main", "--object-format=sha256")


def ambiguous(repo: Repo, folder: Path) -> None:
    """Tags and a branch are called like what we name."""
    repo.git("init", "-q", "-b", "main")
    repo.commit("f", "1")
    for tag in ("main", "HEAD", "origin/main", "m1"):
        repo.git("tag", tag)
    repo.git("branch", "heads/main", "refs/heads/main")


def borrowed(repo: Repo, folder: Path) -> None:
    """The objects are another repository's."""
    lender = Repo(folder / "lender")
    lender.path.mkdir()
    lender.git("init", "-q", "-b", "main")
    lender.commit("f", "1")
    repo.git("clone", "-q", "--shared", str(lender.path), ".")
    repo.git("remote", "remove", "origin")


def grafted(repo: Repo, folder: Path) -> None:
    """A commit is replaced by another."""
    repo.git("init", "-q", "-b", "main")
    for number in range(3):
        repo.commit("f", str(number))
    repo.git("replace", "--graft", "HEAD~1")


def filtered(repo: Repo, folder: Path) -> None:
    """What is stored is not what is in the files."""
    repo.git("init", "-q", "-b", "main")
    repo.git("config", "filter.up.clean", "tr a-z A-Z")
    repo.git("config", "filter.up.smudge", "tr A-Z a-z")
    repo.git("config", "filter.up.required", "true")
    repo.commit(".gitattributes", "*.up filter=up\n")


def partial(repo: Repo, folder: Path) -> None:
    """Contents are fetched when they are needed."""
    origin = Repo(folder / "origin")
    origin.path.mkdir()
    origin.git("init", "-q", "-b", "main")
    origin.commit("f", "1")
    origin.commit("f", "2")
    origin.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "-q", "--filter=blob:none", origin.path.as_uri(), ".")
    origin.git("switch", "-q", "--detach")  # so that its branch may be pushed to


def apart(repo: Repo, folder: Path) -> None:
    """Its git directory is elsewhere, by a relative path."""
    repo.git("init", "-q", "-b", "main", "--separate-git-dir", str(folder / "git"))
    repo.write(".git", "gitdir: ../git\n")


def mirrored(repo: Repo, folder: Path) -> None:
    """Whatever is pushed is all of it."""
    Repo(folder).git("init", "-q", "--bare", "-b", "main", "origin")
    repo.git("init", "-q", "-b", "main")
    repo.git("remote", "add", "--mirror=push", "origin", str(folder / "origin"))


def beside(repo: Repo, folder: Path) -> None:
    """The remote is named by a relative path."""
    Repo(folder).git("init", "-q", "--bare", "-b", "main", "origin")
    repo.git("init", "-q", "-b", "main")
    repo.git("remote", "add", "origin", "../origin")


@pytest.mark.parametrize("made", [apart, beside, mirrored, sha256, ambiguous, borrowed, grafted, filtered, partial])
def test_what_was_committed_lands(tmp_path: Path, made: Callable[[Repo, Path], None]) -> None:
    repo = Repo(tmp_path / "shop")
    repo.path.mkdir()
    made(repo, tmp_path)
    repo.commit("readme.md", "hello\n")
    if repo.git("remote"):
        repo.git("-c", "remote.origin.mirror=false", "push", "-q", "origin", "refs/heads/main")
    repo.git("worktree", "add", "-q", "-b", "work", str(tmp_path / "worktrees" / "work"), "refs/heads/main")
    here = Repo(tmp_path / "worktrees" / "work")
    for number, name in enumerate(ODD):
        path = here.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"text {number}\n")
    (here.path / "dangling").symlink_to("nowhere")
    here.write("run", "#!/bin/sh\n").chmod(0o755)
    here.commit("a.up", "low\n")
    landed = land(
        repo.path,
        branch="work",
        target="main",
        strategy="merge",
        message="Land it",
        worktree=here.path,
        scratch_root=tmp_path / "worktrees",
    )
    assert isinstance(landed, Landed) and repo.head("refs/heads/main") == landed.commit
    assert [(repo.path / name).read_text() for name in ODD] == [f"text {number}\n" for number in range(len(ODD))]
    assert (repo.path / "dangling").is_symlink() and (repo.path / "a.up").read_text() == "low\n"
    assert repo.git("ls-tree", "refs/heads/main", "run").startswith("100755")
    assert repo.status() == ""
    if repo.git("remote"):
        assert Repo(tmp_path / "origin").head("refs/heads/main") == landed.commit
