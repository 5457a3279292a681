"""What changed outside of a run's worktree, by a look before the run and one after it.

What runs as the person later, as far as the run can write it; and the person's checkout, where nothing holds the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from ...missions.errors import SoloUnicornError
from ...system import files, strict_json
from ...worktrees.git import Git

SEEN = "watched.json"
"""In the run directory."""


def note(run_dir: Path, places: Iterable[Path], checkout: Path | None) -> None:
    seen = {"places": {str(path): _state(path) for path in places}, "checkout": str(checkout or "")}
    if checkout is not None:
        seen["changes"] = _changes(checkout)
    files.replace(run_dir / SEEN, json.dumps(seen).encode())


def changed(run_dir: Path) -> list[str]:
    """After it: those that came, went or are different; of the checkout, what had no such change before."""
    try:
        before = strict_json.loads((run_dir / SEEN).read_bytes())
    except (OSError, ValueError):
        return []
    found = sorted(path for path, state in before["places"].items() if _state(Path(path)) != state)
    checkout = Path(before["checkout"])
    new = [line for line in _changes(checkout) if line not in before["changes"]] if before["checkout"] else []
    return [*found, *(str(checkout / line[3:]) for line in new)]


def _changes(checkout: Path) -> list[str]:
    """What git says of a checkout, a line for each path that differs from its head."""
    try:
        lines = Git(checkout).list("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal")
    except SoloUnicornError:
        return []
    return [line for line in lines if len(line) > 3]


def _state(path: Path) -> str:
    """Tells one content, target of a link or list of names from another; empty: nothing is there."""
    try:
        if path.is_symlink():
            return f"link {path.readlink()} {_state(path.resolve())}"
        if path.is_dir():
            return f"directory {sorted(one.name for one in path.iterdir())} {path.stat().st_mtime_ns}"
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
