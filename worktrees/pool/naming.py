"""Names of worktree directories: `{repo}-{branch}`, made safe for a file system and unique (domain.md, Worktrees)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

NAME_BYTES = 120
"""Longest name: leaves room for file names below it on every file system."""


def worktree_name(repository: str, branch: str) -> str:
    """`{repo}-{branch}` with everything but letters, digits, `.`, `_` and `-` replaced; long names end in a hash."""
    wanted = f"{repository}-{branch}"
    safe = re.sub(r"[^\w.-]+", "-", wanted.encode("utf-8", "replace").decode()).strip("-.") or "worktree"
    if len(safe.encode()) <= NAME_BYTES:
        return safe
    digest = hashlib.sha256(wanted.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    head = safe.encode()[: NAME_BYTES - 9].decode(errors="ignore").rstrip("-.")
    return f"{head}-{digest}"


def free_path(root: Path, name: str) -> Path:
    """The first of `name`, `name-2`, … that nothing has below `root`, also where case is not told apart."""
    taken = {entry.name.casefold() for entry in root.iterdir()} if root.is_dir() else set()
    return root / numbered(name, lambda candidate: candidate.casefold() not in taken)


def numbered(name: str, free: Callable[[str], bool]) -> str:
    """The first of `name`, `name-2`, `name-3`, … that is free."""
    number = 1
    while True:
        candidate = name if number == 1 else f"{name}-{number}"
        if free(candidate):
            return candidate
        number += 1
