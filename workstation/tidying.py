"""Run directories of long ago are removed: those of sessions that ended, of missions that are done.

What may still be asked for stays: a session that is live, or whose mission is not done; a directory that a host holds;
one that changed lately. A directory that is no session of this workspace is let go by the same rules.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from ..agents import launch

DAY = 24 * 60 * 60


def remove_old_runs(runs: Path, needed: set[str], days: float) -> list[str]:
    """Remove the run directories that nobody needs and that nothing was written to for `days`; their names."""
    removed = []
    before = time.time() - days * DAY
    for run_dir in sorted(runs.iterdir()):
        if run_dir.name in needed or run_dir.is_symlink() or not run_dir.is_dir() or _written(run_dir) > before:
            continue
        if launch.seal(run_dir):  # no host holds it, and none can be started in it any more
            shutil.rmtree(run_dir)
            removed.append(run_dir.name)
    return removed


def _written(run_dir: Path) -> float:
    """When it or one of its files was written last."""
    return max(path.lstat().st_mtime for path in (run_dir, *run_dir.iterdir()))
