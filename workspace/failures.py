"""What SQLite and the disk refuse, as errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import NoReturn

from ..missions.errors import InvalidValue, SoloUnicornError, TryAgain
from ..system import strict_json

_SCHEMA_DAMAGED = (
    "no such",
    "duplicate column name",
    "already exists",
    "unrecognized option",
    "error in tokenizer",
    "syntax error",
    "parse error in",
)
"""The statements of the program are fixed and fit its schema: this says that the schema in the file is another."""
BUSY_MILLISECONDS = 8000
"""How long a lock of another process is waited for."""
HOW_TO_REPLACE = (
    "first `solo-unicorn workstation stop` and close every board; then `solo-unicorn doctor --repair` puts what can "
    "be read into a new file, or `solo-unicorn workspace restore DIR` puts one of {backups} in place; to start anew, "
    "move {name}, {name}-wal and {name}-shm away together"
)
"""A copy beside the log of another file is damaged by it, and so is one put in place while somebody has it open."""


class StoreDamaged(SoloUnicornError):
    """The file is not a workspace that can be read; it was left as it is."""

    code = "damaged"


class TextDamaged(StoreDamaged):
    """A text in the file is not UTF-8: reading with replacements shows the rest."""


class StoreFull(SoloUnicornError):
    """There is no space left, or the disk takes nothing: the change was not made, everything before it is kept."""

    code = "disk_full"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the disk, in what is done with the workspace at `path`, as errors of ours."""
    try:
        yield
    except sqlite3.Error as error:
        _raise(error, path)
    except OSError as error:  # the journal
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        _raise(sqlite3.OperationalError("the disk is full"), path)
    except UnicodeDecodeError as error:
        raise _text_damaged(path, str(error)) from error
    except (UnicodeEncodeError, OverflowError, strict_json.Unfit) as error:
        raise InvalidValue(
            "", "Nothing was saved: it contains invalid data", why=str(error), todo="correct it, then repeat"
        ) from error


def _text_damaged(path: Path, why: str) -> TextDamaged:
    return TextDamaged(
        f"A record of the workspace {path} is damaged",
        why=why,
        todo="`solo-unicorn doctor --deep` names it; `workspace restore DIR` restores a backup",
    )


def _raise(error: sqlite3.Error, path: Path) -> NoReturn:
    text = str(error)
    if "Could not decode" in text:
        raise _text_damaged(path, "a text in it is not UTF-8") from error
    if "locked" in text or "busy" in text:
        raise TryAgain(
            f"The workspace {path} is locked",
            why=f"another process has been writing to it for over {BUSY_MILLISECONDS // 1000} seconds",
            todo="try again in a moment; `solo-unicorn doctor` shows which programs have it open",
        ) from error
    if "full" in text:
        raise StoreFull(
            f"Nothing was saved: no space left for {path}",
            why="the disk is full",
            todo="free some space and repeat what you did; everything before it is kept",
        ) from error
    if "disk I/O error" in text:
        raise StoreFull(
            f"Nothing was saved: {path} cannot be written",
            why="the system reports an error of the disk, or a limit on the size of files",
            todo="free some space, check the disk, and repeat what you did; everything before it is kept",
        ) from error
    if "readonly" in text:
        raise SoloUnicornError(
            f"The workspace {path} cannot be written",
            why="the file or its folder is read-only",
            todo="make it writable for you, then try again",
        ) from error
    if isinstance(error, sqlite3.OperationalError) and "unable to open" in text:
        raise SoloUnicornError(
            f"The workspace {path} cannot be opened", why=text, todo="check that its folder exists and is yours"
        ) from error
    if any(said in text for said in _SCHEMA_DAMAGED):
        error = sqlite3.DatabaseError(text)
    if isinstance(error, (sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.ProgrammingError)):
        raise error
    raise StoreDamaged(
        f"The workspace {path} is damaged",
        why=text,
        todo=HOW_TO_REPLACE.format(name=path.name, backups=path.parent / "backups")
        + "; `solo-unicorn sync --recover` recovers unsent edits",
    ) from error
