"""Whether an error says that there is no room left, and where there is none."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LITTLE_BYTES: Final = 16 << 20
"""With less room than this, what a program writes fails sooner or later."""
_SAID: Final = (
    "no space left on device",
    "disk quota exceeded",
    "database or disk is full",
    "no space left for",
    "out of diskspace",
)


def is_full(error: BaseException | None) -> bool:
    """Whether that is what an error, or one behind it, says."""
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(words in str(error).lower() for words in _SAID):
            return True
        error = error.__cause__
    return False


def full_place(places: Iterable[str | Path]) -> Path | None:
    """The first of these places, or of the directories above one that is not there yet, that has hardly room left."""
    for place in places:
        there = Path(place)
        while not there.exists() and there != there.parent:
            there = there.parent
        room = os.statvfs(there)
        if room.f_bavail * room.f_frsize < LITTLE_BYTES or (room.f_files and not room.f_favail):
            return there
    return None
