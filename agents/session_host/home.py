"""Whether the home that a session belongs to is still where it was."""

from __future__ import annotations

from pathlib import Path

GUARD_SECONDS = 1.0


class HomeGuard:
    """Looks once a second whether the workspace is still the file that was there at the start."""

    def __init__(self, workspace: Path, now: float) -> None:
        self._workspace, self._opened = workspace, _identity(workspace)
        self.due, self._missed = now + GUARD_SECONDS, False

    def lost(self, now: float) -> bool:
        """The workspace is another file, or gone, at two looks in a row; False between looks (`due`)."""
        if now < self.due:
            return False
        gone = self._opened is not None and _identity(self._workspace) != self._opened
        lost = gone and self._missed
        self.due, self._missed = now + GUARD_SECONDS, gone
        return lost


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
