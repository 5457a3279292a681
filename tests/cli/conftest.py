from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.cli.main import main
from solo_unicorn.config.correlation import correlation


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed with --json."""
        return json.loads(self.out)["data"]

    @property
    def meta(self) -> Any:
        return json.loads(self.out)["meta"]

    @property
    def error(self) -> Any:
        """What it complained of with --json."""
        return json.loads(self.err)["error"]


Run = Callable[..., Ran]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in this process, in an empty directory, without a terminal."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    monkeypatch.chdir(directory)

    def ran(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        correlation.set("")
        code = main(arguments)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return ran


@pytest.fixture
def project(run: Run) -> str:
    """A project to put missions in; returns its slug."""
    assert run("project", "create", "Acme shop").code == 0
    return "acme-shop"


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:
    """A git repository with one commit."""
    path = tmp_path / "shop"
    git = ["git", "-C", str(path)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    (path / "readme.md").write_text("shop\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "Start"], check=True)
    return path


@pytest.fixture
def program(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program as a process of its own."""

    def ran(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        given = {"stdin": subprocess.DEVNULL, **more} if "input" not in more else more
        return subprocess.run(
            [sys.executable, "-m", "solo_unicorn", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=dict(os.environ),
            timeout=120,
            **given,
        )

    return ran
