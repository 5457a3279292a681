"""Whether there is room left for the workspace: on a full disk nothing is saved and nothing of a hub can be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

LEAST_BYTES: Final = 4 << 20
"""With less than this the next edit may be refused."""


def is_full(path: Path) -> bool:
    """Of the disk that a file is on; a disk that cannot be asked is not called full."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < LEAST_BYTES
