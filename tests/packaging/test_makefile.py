"""The Makefile and .ci/run do what the README says, as far as it can be seen without a network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *arguments],
        env={**os.environ, "MAKEFLAGS": "", **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_help_lists_what_can_be_made() -> None:
    shown = make("help").stdout
    for target in ("run", "test", "lint", "lock"):
        assert f"{target}\t" in shown


def test_every_folder_is_byte_compiled() -> None:
    text = (ROOT / "Makefile").read_text()
    listed = next(line for line in text.splitlines() if line.startswith("PACKAGES := ")).split()[2:]
    assert sorted(listed) == sorted(
        folder.name
        for folder in ROOT.iterdir()
        if (folder / "__init__.py").exists() and not folder.name.startswith(".")
    )


def test_without_a_usable_python_it_says_what_to_install(tmp_path: Path) -> None:
    answered = make("environment", "PYTHON=", "UV=", f"VENV={tmp_path / 'venv'}")
    assert answered.returncode != 0
    assert "Python 3.11 or newer" in answered.stderr and "apt install" in answered.stderr


def test_an_environment_that_is_ready_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / ".ready").touch()
    (tmp_path / ".ready-to-test").touch()
    answered = make("--question", "environment", f"VENV={tmp_path}")
    assert answered.returncode == 0, answered.stdout + answered.stderr


@pytest.mark.parametrize("changed", ["requirements/main.txt", "requirements/build.txt", "pyproject.toml"])
def test_a_changed_lock_makes_it_anew(tmp_path: Path, changed: str) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("bin/python", ".ready", ".ready-to-test"):
        (tmp_path / name).touch()
    answered = make("--question", "environment", f"--what-if={ROOT / changed}", f"VENV={tmp_path}")
    assert answered.returncode == 1


def test_ci_run_is_a_program_that_bash_can_read() -> None:
    path = ROOT / ".ci" / "run"
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
