"""What the rehearsal agent does to files: it edits them and commits with real git, in its worktree."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ...missions.errors import InvalidValue, SoloUnicornError
from . import LABEL

IDENTITY = (
    "-c",
    f"user.name=Solo Unicorn {LABEL}",
    "-c",
    "user.email=rehearsal@solo-unicorn.invalid",
    "-c",
    "commit.gpgsign=false",
)


class RehearsalWorktree:
    """The directory the agent was started in."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def file(self, name: str) -> Path:
        """A file of this worktree; InvalidValue for a path that leads out of it."""
        target = (self.path / name).resolve()
        if not target.is_relative_to(self.path) or ".git" in target.relative_to(self.path).parts:
            raise InvalidValue(
                "path", f"{name!r} is not a file of the worktree", todo="name a path within the repository"
            )
        return target

    def git(self, *arguments: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        """Run git here. SoloUnicornError carries git's own words."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
        if done.returncode and not may_fail:
            raise SoloUnicornError(f"`git {' '.join(arguments)}` failed in {self.path}", why=done.stderr.strip())
        return done

    def branch(self) -> str:
        """The branch that is checked out."""
        return self.git("branch", "--show-current").stdout.strip()

    def commit(self, message: str, *paths: str) -> str | None:
        """Commit these paths; the short commit, or None when they hold nothing new."""
        self.git("add", "--", *paths)
        if self.git("diff", "--cached", "--quiet", may_fail=True).returncode == 0:
            return None
        self.git(*IDENTITY, "commit", "-q", "-m", f"{message}\n\n{LABEL}: written by Solo Unicorn's rehearsal agent.")
        return self.git("rev-parse", "--short", "HEAD").stdout.strip()

    def merge(self, branch: str) -> list[str]:
        """Merge a branch, keeping both sides where they conflict; the files that did."""
        merged = self.git(*IDENTITY, "merge", "--no-edit", "-m", f"Merge {branch} ({LABEL})", branch, may_fail=True)
        if merged.returncode == 0:
            return []
        files = self.git("diff", "--name-only", "--diff-filter=U", "-z").stdout.split("\0")[:-1]
        if not files:
            raise SoloUnicornError(
                f"`git merge {branch}` failed in {self.path}", why=(merged.stderr or merged.stdout).strip()
            )
        for name in files:
            self._keep_both(name)
        self.git("add", "--all", "--", *files)
        self.git(*IDENTITY, "commit", "-q", "--no-edit")
        return files

    def _keep_both(self, name: str) -> None:
        """Drop the conflict marks and keep every line; a file that one side removed stays as it is here."""
        file = self.path / name
        if not file.exists():
            return
        kept: list[bytes] = []
        conflicting = False
        for line in file.read_bytes().splitlines(keepends=True):
            if line.startswith(b"<<<<<<< "):
                conflicting = True
            elif conflicting and line.startswith(b">>>>>>> "):
                conflicting = False
            elif not (conflicting and (line.rstrip() == b"=======" or line.startswith(b"||||||| "))):
                kept.append(line)
        file.write_bytes(b"".join(kept))
