"""git's own HTTP server behind a password, on loopback: clone, fetch, land and push with the person's credentials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.worktrees.bases import UnknownBase, fetch_base, resolve_base
from solo_unicorn.worktrees.git import Git, GitError
from solo_unicorn.worktrees.landing.landing import Landed, land
from solo_unicorn.worktrees.repository.cloning import clone

from .conftest import Checkout
from .double import GitHubDouble

pytestmark = pytest.mark.slow
PASSWORD = "pass-Word-1"


@pytest.fixture
def locked(make_checkout: Callable[..., Checkout], double: GitHubDouble) -> Checkout:
    """The remote has main and asks for a password; nobody here knows it yet."""
    double.git("config", "http.receivepack", "true")
    double.git("config", "uploadpack.allowFilter", "true")
    made = make_checkout(double.git_url)
    made.git("push", "-q", "origin", "main")
    double.git_password = PASSWORD
    return made


def sign_in(checkout: Checkout, home: Path) -> None:
    helper = home.parent / "helper"
    helper.write_text(f"#!/bin/sh\ntest \"$1\" = get && printf 'username=ann\\npassword={PASSWORD}\\n'\n")
    helper.chmod(0o755)
    checkout.git("config", "--global", "credential.helper", str(helper))


def landed(checkout: Checkout, tmp_path: Path) -> Landed:
    found = land(
        checkout.path, branch="m1", target="main", strategy="merge", message="M-1", scratch_root=tmp_path / "worktrees"
    )
    assert isinstance(found, Landed)
    return found


@pytest.mark.parametrize("blobless", [False, True])
def test_cloning(locked: Checkout, double: GitHubDouble, home: Path, tmp_path: Path, blobless: bool) -> None:
    with pytest.raises(GitError, match="Username|Authentication") as refused:
        clone(double.git_url, tmp_path / "new", blobless=blobless)
    assert refused.value.todo and not (tmp_path / "new").exists()
    sign_in(locked, home)
    steps: list[tuple[str, float | None]] = []
    facts = clone(double.git_url, tmp_path / "new", blobless=blobless, progress=lambda *step: steps.append(step))
    assert facts.head_commit == double.git("rev-parse", "main") and steps
    assert PASSWORD not in (tmp_path / "new/.git/config").read_text()


def test_a_base_only_the_remote_has_is_fetched(locked: Checkout, double: GitHubDouble, home: Path) -> None:
    double.git("branch", "release", "main")
    git = Git(locked.path)
    with pytest.raises(UnknownBase, match="release"):
        resolve_base(git, "release", "origin")
    with pytest.raises(UnknownBase, match="release") as refused:
        fetch_base(git, "release", "origin")
    assert "Username" in refused.value.why or "Authentication" in refused.value.why
    sign_in(locked, home)
    fetch_base(git, "release", "origin")
    assert resolve_base(git, "release", "origin").commit == double.git("rev-parse", "release")


def test_landing_pushes_or_stays_local_and_says_so(
    locked: Checkout, double: GitHubDouble, home: Path, tmp_path: Path
) -> None:
    before = double.git("rev-parse", "main")
    locked.commit("pay.py", "pay()\n", "m1")
    alone = landed(locked, tmp_path)
    assert not alone.pushed and "could not be reached" in alone.note and double.git("rev-parse", "main") == before
    sign_in(locked, home)
    locked.commit("more.py", "more()\n", "m1")
    both = landed(locked, tmp_path)
    assert both.pushed and double.git("rev-parse", "main") == both.commit == locked.git("rev-parse", "main")
    everything = "".join(
        path.read_text(errors="replace") for path in (locked.path / ".git").rglob("*") if path.is_file()
    )
    assert PASSWORD not in everything
