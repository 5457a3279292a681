"""Backups of a hub on SQLite: made while it serves, checked, and put back by beginning a new epoch."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from ...missions.errors import Conflict, NotFound, SoloUnicornError, TryAgain, UsageError
from ..settings import HubSettings

LOCK: Final = "hub.lock"
"""In the data directory: shared by hubs that serve, exclusive while a backup is put back."""


def database_of(settings: HubSettings) -> Path:
    """The file of a hub on SQLite; UsageError for one on PostgreSQL, which has commands of its own."""
    if not settings.database.startswith("sqlite"):
        raise UsageError(
            "This hub is on PostgreSQL",
            why="its server makes and restores backups",
            todo="use pg_dump and pg_restore, then `solo-unicorn hub restored`",
        )
    return Path(settings.database.partition("///")[2])


@contextmanager
def serving(directory: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold the lock of the data directory; TryAgain while a backup is put back or, `alone`, while a hub serves."""
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            what = "A hub serves this data directory" if alone else "A backup is being put back here"
            raise TryAgain(what, todo="stop the hub first" if alone else "start the hub when that is done") from error
        yield
    finally:
        os.close(descriptor)


def back_up(database: Path, to: Path) -> int:
    """Copy the database as it is now into a new file, readable by its owner alone, and check it; its size in bytes."""
    if not database.is_file():
        raise NotFound(f"There is no database at {database}", todo="start the hub once, or give its --data-dir")
    try:
        os.close(os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise Conflict(f"{to} is there already", todo="give another name, or remove it") from error
    try:
        with closing(sqlite3.connect(database)) as here, closing(sqlite3.connect(to)) as there:
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE")
        verify(to)
    except BaseException:
        to.unlink()
        raise
    return to.stat().st_size


def verify(file: Path) -> None:
    """Check that a file is a whole database of a hub; raises SoloUnicornError."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}", todo="give the path of a backup or a database")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            found = [str(row[0]) for row in opened.execute("PRAGMA integrity_check(5)")]
            opened.execute("SELECT count(*) FROM hub_meta, projects").fetchone()
    except sqlite3.Error as error:
        raise SoloUnicornError(
            f"{file} is not a database of a hub", why=str(error), todo="use another backup"
        ) from error
    if found != ["ok"]:
        raise SoloUnicornError(f"{file} is damaged", why="; ".join(found), todo="use another backup")


def restore(settings: HubSettings, file: Path) -> Path | None:
    """Put a backup in the place of the database; where the former one is now, None when there was none.

    The former file is kept beside it with its -wal and -shm. The caller begins a new epoch.
    """
    database = database_of(settings)
    verify(file)
    with serving(settings.data_dir, alone=True):
        fresh = database.with_name(f".{database.name}.restoring")
        fresh.unlink(missing_ok=True)
        back_up(file, fresh)
        aside = database.with_name(f"{database.name}.before-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        was_there = database.exists()
        for ending in ("-wal", "-shm", ""):
            part = database.with_name(database.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        fresh.rename(database)
    return aside if was_there else None
