"""Real code agents from npm, pinned, in a cache folder of the repository."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".cache" / "agents"
WANTED = "SOLO_UNICORN_TEST_AGENTS"
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Package:
    """One agent: its npm package at a version, and the program it brings."""

    name: str
    version: str
    program: str

    @property
    def directory(self) -> Path:
        """Where it is kept; a new version gets a new directory."""
        return CACHE / f"{self.name.rpartition('/')[2]}-{self.version}"


CLAUDES = tuple(Package("@anthropic-ai/claude-code", version, "claude") for version in ("2.1.197", "2.1.330"))
"""The one that npm gives to those with Node 20, which speaks MCP of 2025, and one that speaks MCP of 2026."""
CODEX = Package("@openai/codex", "0.169.0", "codex")
GEMINI = Package("@google/gemini-cli", "0.61.0", "gemini")
COPILOT = Package("@github/copilot", "1.0.102", "copilot")
QWEN = Package("@qwen-code/qwen-code", "0.15.10", "qwen")
OPENCODE = Package("opencode-ai", "1.18.33", "opencode")


def installed(package: Package, asked_for: bool) -> Path:
    """The program, installed when it is not there. Skips the test without being asked, npm or network."""
    program = package.directory / "bin" / package.program
    complete = package.directory / ".complete"
    if not asked_for:
        pytest.skip("real code agents run with `make test-agents`")
    npm = shutil.which("npm")
    if not complete.exists():
        if npm is None:
            pytest.skip(f"{package.name} cannot be installed: there is no npm")
        _install(npm, package, complete)
    if not program.is_symlink():  # a PATH is freed of node_modules/.bin, as a package script's own is not the person's
        program.parent.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            program.symlink_to(Path("..", "node_modules", ".bin", package.program))
    return program


def _install(npm: str, package: Package, complete: Path) -> None:
    package.directory.mkdir(parents=True, exist_ok=True)
    with (package.directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes want it at once
        if complete.exists():
            return
        patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
        command = [
            npm,
            "install",
            *patience,
            "--prefix",
            str(package.directory),
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        wanted = f"{package.name}@{package.version}"
        try:
            done = subprocess.run(
                [*command, wanted], capture_output=True, text=True, timeout=INSTALL_SECONDS, env=os.environ
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"{wanted} cannot be installed: npm took longer than {INSTALL_SECONDS} s")
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            pytest.skip(f"{wanted} cannot be installed: {said[0] if said else 'npm failed'}")
        complete.touch()
