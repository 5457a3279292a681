"""Where tokens come from, and that they go nowhere else."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from solo_unicorn.config import credentials
from solo_unicorn.config.redaction import HIDDEN, redact
from solo_unicorn.missions.errors import SignedOut
from solo_unicorn.worktrees.github import tokens
from solo_unicorn.worktrees.github.client import GitHub
from solo_unicorn.worktrees.github.comments import unresolved_comments
from solo_unicorn.worktrees.github.hosts import Host, RepositoryName

from .double import TOKEN, FakePull, GitHubDouble


def stand_in_gh(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `gh` at the front of PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / "gh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture
def no_gh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "gh", lambda: None)


def test_the_environment_first_and_never_for_another_host(no_gh: None) -> None:
    environment = {"GITHUB_TOKEN": "ghp_second000000", "GH_TOKEN": "ghp_first0000000", "GH_ENTERPRISE_TOKEN": "e" * 12}
    assert tokens.token("github.com", environment) == "ghp_first0000000"
    assert tokens.token("acme.ghe.com", environment) == "ghp_first0000000"
    assert tokens.token("github.acme.example", environment) == "e" * 12
    with pytest.raises(SignedOut, match="no token for github.acme.example") as raised:
        tokens.token("github.acme.example", {"GH_TOKEN": "ghp_first0000000"})
    assert "gh auth login --hostname github.acme.example" in raised.value.todo
    assert redact("it was ghp_first0000000!") == f"it was {HIDDEN}!", "found once, hidden from then on"


def test_what_could_break_out_of_a_header_is_no_token(no_gh: None) -> None:
    with pytest.raises(SignedOut):
        tokens.token("github.com", {"GH_TOKEN": "ghp_abcdefgh\r\nX-Evil: 1"})


def test_gh_is_asked_for_the_host_then_the_keychain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'test "$*" = "auth token --hostname github.com" && echo gho_fromGh000000 || exit 1'
    stand_in_gh(tmp_path / "bin", script, monkeypatch)
    monkeypatch.setattr(credentials, "get", lambda name: {"github:github.acme.example": "k" * 12}.get(name))
    assert tokens.token("github.com", {}) == "gho_fromGh000000"
    assert tokens.token("github.acme.example", {}) == "k" * 12
    with pytest.raises(SignedOut):
        tokens.token("other.example", {})


def threads() -> list[dict[str, object]]:
    comments = {"nodes": [{"author": {"login": "ann"}, "body": "Why?", "url": "u"}]}
    return [{"isResolved": False, "path": "pay.py", "line": 2, "comments": comments}]


def test_comments_come_through_gh_where_it_is_installed(
    double: GitHubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = (
        '{"data":{"repository":{"pullRequest":{"reviewThreads":{"nodes":[]},"reviews":{"nodes":'
        '[{"author":{"login":"bo"},"body":"Through gh","url":"u"}]}}}}}'
    )
    stand_in_gh(tmp_path / "bin", f"echo \"$@\" > '{tmp_path}/said'; echo '{answer}'", monkeypatch)
    github = GitHub(Host.of("github.com"), find_token=lambda host: TOKEN)
    (comment,) = unresolved_comments(github, RepositoryName("github.com", "acme", "shop"), 7)
    assert (comment.author, comment.text) == ("bo", "Through gh")
    said = (tmp_path / "said").read_text()
    assert said.startswith("api graphql --hostname github.com") and TOKEN not in said


def test_comments_come_through_the_api_when_gh_is_not_signed_in(
    double: GitHubDouble, github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_gh(tmp_path / "bin", "exit 4", monkeypatch)
    double.pulls[7] = FakePull(7, "b", "main", "t", "b", threads=threads())
    (comment,) = unresolved_comments(github, RepositoryName(github.host.name, "acme", "shop"), 7)
    assert (comment.author, comment.path, comment.line) == ("ann", "pay.py", 2)


REAL_GH = os.environ.get("SOLO_UNICORN_TEST_GH") or shutil.which("gh")


@pytest.mark.skipif(REAL_GH is None, reason="gh is not installed (SOLO_UNICORN_TEST_GH=PATH names one)")
def test_the_real_gh_gives_its_token_and_reads_the_comments(
    double: GitHubDouble, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`gh` speaks plain HTTP to github.localhost alone; a proxy brings that to the double."""
    monkeypatch.setattr(tokens, "gh", lambda: REAL_GH)
    monkeypatch.setattr("solo_unicorn.worktrees.github.comments.gh", lambda: REAL_GH)
    config = tmp_path / "gh-config"
    config.mkdir()
    (config / "hosts.yml").write_text(
        f"github.localhost:\n    user: ann\n    oauth_token: {TOKEN}\n    git_protocol: https\n"
    )
    monkeypatch.setenv("GH_CONFIG_DIR", str(config))
    assert tokens.token("github.localhost", {}) == TOKEN
    monkeypatch.setenv("http_proxy", double.url)
    monkeypatch.delenv("NO_PROXY")
    double.pulls[7] = FakePull(7, "b", "main", "t", "b", threads=threads())
    github = GitHub(Host.of("github.localhost"), find_token=lambda host: pytest.fail("gh was to be asked"))
    (comment,) = unresolved_comments(github, RepositoryName("github.localhost", "acme", "shop"), 7)
    assert (comment.author, comment.text) == ("ann", "Why?")
    assert ("POST", "/graphql", 200) in double.requests
