"""A GitHub double, a checkout whose origin it is, and a client for it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from solo_unicorn.worktrees.github.client import GitHub
from solo_unicorn.worktrees.github.hosts import Host, RepositoryName

from ..cli.conftest import project, run
from ..workstation.conftest import shop, workstation
from .double import TOKEN, GitHubDouble

__all__ = ["project", "run", "shop", "workstation"]

HOST = "github.acme.example"
NAME = RepositoryName(HOST, "acme", "shop")


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's token, keychain, proxy or `gh`."""
    for name in (
        "GH_TOKEN",
        "GITHUB_TOKEN",
        "GH_ENTERPRISE_TOKEN",
        "GITHUB_ENTERPRISE_TOKEN",
        "GH_HOST",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("GH_CONFIG_DIR", str(home / "no-gh"))


@pytest.fixture
def double(tmp_path: Path, home: Path) -> Iterator[GitHubDouble]:
    """Whatever a test did, nothing was asked or answered that GitHub's contract does not have."""
    made = GitHubDouble(tmp_path)
    yield made
    made.close()
    assert made.violations == []


class Pauses(list[float]):
    """The pauses a client made, without making them; the clock moves along."""

    now = 1_800_000_000.0

    def __call__(self, seconds: float) -> None:
        self.append(seconds)
        self.now += seconds


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def github(double: GitHubDouble, pauses: Pauses) -> Iterator[GitHub]:
    made = GitHub(Host.of(HOST, double.url), find_token=lambda host: TOKEN, sleep=pauses, clock=lambda: pauses.now)
    yield made
    made.close()


class Checkout:
    """A person's clone."""

    def __init__(self, path: Path, double: GitHubDouble, url: str) -> None:
        self.path, self.double = path, double
        path.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", url)
        self.commit("readme.md", "shop\n")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, name: str, text: str, branch: str = "") -> str:
        if branch:
            self.git(
                "checkout",
                "-q",
                *(
                    []
                    if branch in self.git("branch", "--list", branch)
                    and branch in self.git("branch", "--format=%(refname:short)").split()
                    else ["-b"]
                ),
                branch,
            )
        (self.path / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", f"Change {name}")
        head = self.git("rev-parse", "HEAD")
        if branch:
            self.git("checkout", "-q", "main")
        return head


@pytest.fixture
def make_checkout(tmp_path: Path, double: GitHubDouble) -> Callable[..., Checkout]:
    def make(url: str = "", name: str = "shop") -> Checkout:
        made = Checkout(tmp_path / name, double, url or f"file://{double.bare}")
        return made

    return make


@pytest.fixture
def checkout(make_checkout: Callable[..., Checkout]) -> Checkout:
    """Its main branch is on the remote."""
    made = make_checkout()
    made.git("push", "-q", "origin", "main")
    return made
