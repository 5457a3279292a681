"""A disk that takes no more: told apart from a fault of the hub, whichever part of it met the disk."""

from __future__ import annotations

import errno
import re
from typing import Final

from ..missions.errors import TryAgain

FULL: Final = "there is no space left"
_SQLITE: Final = {
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR": "the system reports an error of the disk, or a limit on the size of files",
    "SQLITE_READONLY": "it is read-only",
}
_SYSTEM: Final = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: "the quota of the hub's user is used up",
    errno.EFBIG: "a limit on the size of files is reached",
    errno.EROFS: "it is read-only",
    errno.EIO: "the system reports an error of the disk",
}
_OBSTORE: Final = re.compile(r"\(os error (\d+)\)")
_POSTGRES_FULL: Final = "53100"


class DiskFull(TryAgain):
    """Nothing was saved, because the disk takes nothing; what was there before is kept, and can be read."""

    code = "disk_full"

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            "Nothing was saved: a disk of the hub cannot be written",
            why=why,
            todo="try again later; the hub's operator has to free some space",
        )
        self.place = place
        """For the operator alone."""


def disk_full(error: BaseException, place: str) -> DiskFull | None:
    """What an error of SQLite, PostgreSQL, the system or obstore says of the disk at `place`; None: nothing."""
    error = getattr(error, "orig", None) or error
    name = str(getattr(error, "sqlite_errorname", None) or "")
    why = next((words for start, words in _SQLITE.items() if name.startswith(start)), None)
    if why is None and getattr(error, "sqlstate", None) == _POSTGRES_FULL:
        why = FULL
    if why is None:
        why = _SYSTEM.get(_number(error))
    return DiskFull(place, why) if why else None


def _number(error: BaseException) -> int:
    """The system's number of an error; obstore tells it in its words, in errors of its own and in OSError."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    if not isinstance(error, OSError) and not type(error).__module__.startswith("obstore"):
        return 0
    said = _OBSTORE.search(str(error))
    return int(said[1]) if said else 0
