"""Who works in a worktree now, and what those who were killed left there."""

from __future__ import annotations

import time
from pathlib import Path

from ..repository.registry import git_dir

STALE_SECONDS = 600.0
"""Age from which git's lock of an index, with no process in the worktree, is one that a killed git left."""


def process_in(path: Path) -> str | None:
    """A live process whose working directory is inside, as "name (pid)"."""
    import psutil

    top = path.resolve()
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(top):
                return f"{process.name()} ({process.pid})"
        except (psutil.Error, OSError, ValueError):
            continue
    return None


def put_stale_lock_aside(path: Path) -> Path | None:
    """Rename an `index.lock` that nobody holds any more, so that git works here again; what it is called now.

    Only when it is old and no process works in the worktree; the file itself is kept.
    """
    lock = git_dir(path) / "index.lock"
    try:
        age = time.time() - lock.stat().st_mtime
    except FileNotFoundError:
        return None
    if abs(age) < STALE_SECONDS or process_in(path):
        return None
    return lock.rename(lock.with_name("index.lock.stale"))
