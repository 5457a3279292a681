"""What would run as the person later, and could not be made read-only: looked at before a run and after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from ...system import files

SEEN = "watched.json"
"""In the run directory."""


def note(run_dir: Path, places: Iterable[Path]) -> None:
    """Before the run."""
    files.replace(run_dir / SEEN, json.dumps({str(path): _state(path) for path in places}).encode())


def changed(run_dir: Path) -> list[str]:
    """After it: those that came, went or are different."""
    try:
        before = json.loads((run_dir / SEEN).read_bytes())
    except (OSError, ValueError):
        return []
    return sorted(path for path, state in before.items() if _state(Path(path)) != state)


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
