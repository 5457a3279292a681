"""Undo on the command line, a landing included, with real git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Author
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.worktrees.landing.landing import Landed, land

from ..conftest import Run

AGENT = Author("agent", "claude")


def git(repository: Path, *words: str) -> str:
    ran = subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True, text=True)
    return ran.stdout.strip()


def landed(repository: Path, number: int) -> str:
    """A mission whose branch is landed on main, its last approval a person's; the commit before."""
    ref, branch = f"M-{number}", f"m{number}"
    git(repository, "switch", "-qc", branch)
    (repository / f"{branch}.txt").write_text("work\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Work")
    git(repository, "switch", "-q", "main")
    before = git(repository, "rev-parse", "main")
    with Workspace.open() as opened:
        for stage in ("clarify", "plan", "code"):
            opened.write_as(AGENT, operations.review.complete_stage, ref, stage)
            opened.write(operations.review.approve, ref)
        opened.write_as(SYSTEM, operations.landing.started, ref)
        done = land(
            repository,
            branch=branch,
            target="main",
            strategy="merge",
            message=ref,
            scratch_root=repository.parent / "w",
        )
        assert isinstance(done, Landed)
        opened.write_as(SYSTEM, operations.landing.landed, ref, done.commit)
    return before


@pytest.fixture
def shop(run: Run, project: str, repository: Path) -> Path:
    run("repo", "add", str(repository))
    return repository


def test_undo_takes_the_landing_back_and_says_what_it_did(run: Run, shop: Path) -> None:
    run("mission", "create", "Pay")
    before = landed(shop, 1)
    done = run("mission", "undo")
    assert done.code == 0, done.err
    assert done.out == f"main is at {before[:10]} again, without M-1; its work is on m1, and it waits in Review\n"
    assert git(shop, "rev-parse", "main") == before and not (shop / "m1.txt").exists()
    shown = run("mission", "show", "1", "--json").data
    assert (shown["list"], shown["reviewStatus"], shown.get("landedCommit")) == ("review", "pending", None)
    refused = run("mission", "undo-landing", "1")
    assert refused.code == 4 and "no landing to undo" in refused.err


def test_only_the_last_landing_comes_off_and_only_while_nobody_has_it(run: Run, shop: Path, tmp_path: Path) -> None:
    run("mission", "create", "Pay")
    run("mission", "create", "Refund")
    landed(shop, 1)
    middle = landed(shop, 2)
    first = run("mission", "undo-landing", "1", "--json")
    assert first.code == 4 and first.error["what"] == "m2 landed on main after it"
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "origin.git")], check=True)
    git(shop, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(shop, "push", "-q", "origin", "main")
    pushed = run("mission", "undo-landing", "2", "--json")
    assert pushed.code == 4 and pushed.error["why"] == "others may already have it"
    assert "git revert" in pushed.error["todo"]
    git(shop, "push", "-q", "-f", "origin", f"{middle}:refs/heads/main")
    git(shop, "fetch", "-q")
    assert run("mission", "undo-landing", "2").code == 0
    assert run("mission", "undo-landing", "1").code == 4, "the remote still has this one"
