"""Which sections of the memory may no longer hold: the files they speak of changed a lot since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ...missions.errors import SoloUnicornError
from ...workspace.queries.memory import Speaking
from ...worktrees.git import Git

SHARE: Final = 0.5
"""Of a file's lines: so many added and removed ones make what was said of it doubtful."""
LEAST: Final = 20
"""Lines; a small file changes without meaning much."""


def doubts(worktree: Path, sections: Sequence[Speaking]) -> dict[tuple[str, int], str]:
    """By document and passage: why it may no longer hold, empty where it may; nothing of files that are not there."""
    git, found = Git(worktree), dict[tuple[str, int], str]()
    for section in sections:
        there = [file for file in section.files if _inside(worktree, file)]
        if there:
            changed = [why for file in there if (why := _changed(git, worktree, file, section.since))]
            found[section.document, section.place] = "; ".join(changed)
    return found


def _inside(worktree: Path, file: str) -> bool:
    path = worktree / file
    return path.is_file() and path.resolve().is_relative_to(worktree.resolve())


def _changed(git: Git, worktree: Path, file: str, since: str) -> str:
    try:
        told = git.line("log", f"--since={since}", "--numstat", "--format=", "--", file).splitlines()
    except SoloUnicornError:  # git cannot say: then nothing speaks against the section
        return ""
    counts = [line.split("\t")[:2] for line in told if line.strip()]
    lines = sum(int(one) for pair in counts for one in pair if one.isdecimal())
    with (worktree / file).open("rb") as opened:
        total = sum(1 for _ in opened)
    return f"{lines} lines of {file} changed since" if lines >= max(LEAST, SHARE * total) else ""
