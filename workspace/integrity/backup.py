"""Copies of the workspace: made while it is in use, checked against a manifest of hashes, put back as a whole.

A backup is a directory: `workspace.db`, the attached files in `attachments/`, the transcripts of sessions in `runs/`,
and `manifest.json` with the size and the SHA-256 of each. Daily ones stand in `backups/` of the home; what does not
change any more is in them as another link to the same file, where the file system can.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ...missions import waits
from ...missions.entities import JsonObject
from ...missions.errors import Conflict, NotFound, SoloUnicornError, TryAgain
from ...missions.records import record
from ...system import files, strict_json
from ...system.disk import is_full
from ...system.locks import is_held
from ..failures import StoreFull, translated
from . import foreign_log
from .acknowledged import Acknowledged

DATABASE: Final = "workspace.db"
ATTACHMENTS: Final = "attachments"
RUNS: Final = "runs"
OF_A_RUN: Final = ("transcript*.jsonl", "outcome.json")
"""What is kept of a session: neither its prompt nor its token."""
DAILY: Final = "daily-"
DAY: Final = 24 * 60 * 60.0
MANIFEST: Final = "manifest.json"


@record
class Checked:
    """A backup that was made or looked at."""

    place: Path
    size: int
    """In bytes, with all files."""
    files: int
    """How many attached files and files of sessions it has."""


def back_up(home: Path, to: Path, *, linked: bool = False) -> Checked:
    """Copy the workspace as it is now, its attached files and transcripts into a new directory, and check them there.

    `linked`: what does not change any more is linked instead of copied.
    """
    if not (home / DATABASE).is_file():
        raise NotFound(f"There is no workspace at {home / DATABASE}", todo="open the board once, or set the home")
    if to.exists():
        raise Conflict(f"{to} already exists", todo="give another name")
    making = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        making.mkdir(mode=0o700, parents=True)
        with translated(home / DATABASE):
            foreign_log.put_aside(home / DATABASE)
            copy_database(home / DATABASE, making / DATABASE)
        for file in _beside(home):
            _put(home / file, making / file, linked=linked and _is_final(home, file))
        names = sorted(
            str(one.relative_to(making)) for one in making.rglob("*") if one.is_file() and not one.is_symlink()
        )
        manifest = {name: _entry(making / name) for name in names}
        files.replace(making / MANIFEST, strict_json.dumps({"files": manifest}, indent=1).encode())
        checked = verify(making)
        making.rename(to)
    except BaseException as error:
        shutil.rmtree(making, ignore_errors=True)
        if is_full(error):
            raise StoreFull(
                f"No backup was made: no space left for {to}",
                why=str(error),
                todo="free some space, or name a directory on another disk; the workspace is as it was",
            ) from error
        raise
    return replace(checked, place=to)


def verify(backup: Path) -> Checked:
    """Check everything in a backup against its manifest, and its database; raises SoloUnicornError."""
    try:
        expected: dict[str, JsonObject] = strict_json.loads((backup / MANIFEST).read_bytes())["files"]
        wrong = next((name for name, entry in expected.items() if _entry(backup / name) != entry), None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SoloUnicornError(f"{backup} is not a complete backup", why=str(error), todo="use another one") from error
    if wrong is not None or DATABASE not in expected:
        what = wrong or DATABASE
        raise SoloUnicornError(f"{backup / what} is damaged", why="its SHA-256 differs", todo="use another backup")
    check_database(backup / DATABASE)
    return Checked(backup, sum((backup / name).stat().st_size for name in expected), len(expected) - 1)


def restore(home: Path, backup: Path, *, lock: Path) -> Path | None:
    """Put a backup in the place of the workspace; where the former one is now, None when there was none.

    Nothing of the former one is removed: database, -wal and -shm are kept together beside it. TryAgain while the
    service runs, which holds `lock`.
    """
    verify(backup)
    if is_held(lock):
        raise TryAgain(
            "The workstation service runs",
            why="it writes to the workspace that would be replaced",
            todo="`solo-unicorn workstation stop --force`, close every board, then try again",
        )
    fresh = home / f".{DATABASE}.restoring"
    fresh.unlink(missing_ok=True)
    with translated(home / DATABASE):
        copy_database(backup / DATABASE, fresh)
    for file in _beside(backup):
        there = home / file
        if there.exists() and there.stat().st_size >= (backup / file).stat().st_size:
            continue  # a transcript that is here has what is in the backup, and more
        there.unlink(missing_ok=True)  # it may be linked from another backup
        _put(backup / file, there, linked=False)
    was_there = (home / DATABASE).exists()
    aside = put_aside(home / DATABASE)
    Acknowledged(home / DATABASE).forget(home)  # it is older on purpose
    fresh.rename(home / DATABASE)
    return aside if was_there else None


def put_aside(database: Path) -> Path:
    """Move a database with its -wal and -shm to another name beside it; returns that."""
    aside = database.with_name(f"{database.name}.before-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    for ending in ("-wal", "-shm", ""):
        part = database.with_name(database.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def daily_due_in(home: Path, now: float, begun: float) -> float:
    """Seconds until the next daily backup, of a workspace that was begun at `begun`; at most a day.

    None is due while nothing was written since the last one.
    """
    dated = [(one / MANIFEST).stat().st_mtime for one in dailies(home)]
    latest = now + waits.SLACK.total_seconds()  # what is dated later was so by a clock that was ahead
    made = [one for one in dated if one <= latest]
    last = max([one for one in (begun, *made) if one <= latest], default=now - DAY)
    if made and last > _written_at(home / DATABASE):
        return DAY
    since, at = (datetime.fromtimestamp(one, UTC) for one in (last, now))
    return waits.left(since, timedelta(seconds=DAY), at).total_seconds()


def back_up_daily(home: Path, *, keep: int) -> Checked:
    """Make today's backup, and remove all but the newest `keep`, once this one was checked."""
    folder = home / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    for broken in folder.glob(f".{DAILY}*"):  # begun by a service that was killed
        shutil.rmtree(broken)
    made = back_up(home, folder / time.strftime(f"{DAILY}%Y%m%d-%H%M%S"), linked=True)
    others = [one for one in dailies(home) if one != made.place]  # whatever the clock says, this one stays
    for old in others[: max(0, len(others) + 1 - keep)]:
        shutil.rmtree(old)
    return made


def dailies(home: Path) -> list[Path]:
    """The daily backups, oldest first."""
    found = (home / "backups").glob(f"{DAILY}*")
    return sorted(
        (one for one in found if (one / MANIFEST).is_file()), key=lambda one: (one / MANIFEST).stat().st_mtime
    )


def check_database(file: Path) -> None:
    """Check that a file is a whole database; raises SoloUnicornError. It is only read."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            found = [str(row[0]) for row in opened.execute("PRAGMA integrity_check(5)")]
            opened.execute("SELECT count(*) FROM mission, project").fetchone()
    except sqlite3.Error as error:
        raise SoloUnicornError(f"{file} is not a workspace", why=str(error), todo="use a backup") from error
    if found != ["ok"]:
        raise SoloUnicornError(f"{file} is damaged", why="; ".join(found), todo="use a backup")


def copy_database(database: Path, to: Path) -> None:
    """Copy all that was acknowledged, the write-ahead log included, into one new file for its owner alone."""
    if database.stat().st_size == 0:  # SQLite would delete its log, which may hold all that is left
        raise SoloUnicornError(f"{database} is empty", why="it was truncated", todo="`solo-unicorn doctor --repair`")
    os.close(os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(database)) as here, closing(sqlite3.connect(to)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode = DELETE")


def _beside(root: Path) -> list[Path]:
    """What belongs to a workspace beside its database, as relative paths: attached files, what is kept of sessions."""
    attached = (root / ATTACHMENTS).glob("??/*")
    ran = (one for pattern in OF_A_RUN for one in (root / RUNS).glob(f"*/{pattern}"))
    return [one.relative_to(root) for one in (*attached, *ran) if one.is_file() and not one.is_symlink()]


def _is_final(root: Path, file: Path) -> bool:
    """Whether nobody writes to it any more: attached files never change, transcripts not once their session is over."""
    return file.parts[0] == ATTACHMENTS or (root / file).with_name("outcome.json").exists()


def _put(file: Path, to: Path, *, linked: bool) -> None:
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if linked:
        with suppress(OSError):  # another file system, or one without links
            to.hardlink_to(file)
            return
    shutil.copy2(file, to)


def _written_at(database: Path) -> float:
    """When something was written last, into the file or its log."""
    log = database.with_name(f"{database.name}-wal")
    return max(one.stat().st_mtime for one in (database, log) if one.exists())


def _entry(file: Path) -> JsonObject:
    with file.open("rb") as opened:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(opened, "sha256").hexdigest()}
