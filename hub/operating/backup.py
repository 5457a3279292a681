"""Backups of a hub on SQLite: made while it serves, checked, and put back by beginning a new epoch.

A backup is a directory: `hub.sqlite3`, the files of missions in `files/ID`, and `manifest.json` with the size and the
SHA-256 of each. Files are copied from wherever the hub keeps them, a bucket too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from ...missions.errors import Conflict, NotFound, SoloUnicornError, TryAgain, UsageError
from ...system.locks import Lock
from ..settings import HubSettings
from .starting import the_files

DATABASE: Final = "hub.sqlite3"
FILES: Final = "files"
MANIFEST: Final = "manifest.json"
_STORED: Final = "SELECT id, size, sha256 FROM attachments WHERE state IN ('stored', 'complete') ORDER BY id"


class BackupEntry(TypedDict):
    """What a manifest says of one file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CheckedBackup:
    """What was copied or looked at."""

    place: Path
    size: int
    """In bytes, with its files."""
    files: int
    missing: tuple[str, ...]
    """Ids of files that the database names and that were not where the hub keeps them."""


def database_of(settings: HubSettings) -> Path:
    """The file of a hub on SQLite; UsageError for one on PostgreSQL, which has commands of its own."""
    if not settings.database.startswith("sqlite"):
        raise UsageError(
            "This hub is on PostgreSQL",
            why="its server makes and restores backups",
            todo="use pg_dump and pg_restore, then `solo-unicorn hub restored`; docs/hub.md has the commands",
        )
    return Path(settings.database.partition("///")[2])


@contextmanager
def owning(settings: HubSettings, doing: str) -> Iterator[None]:
    """Hold a database on SQLite for this process, which `doing` describes; TryAgain while another one holds it.

    A hub remembers what it read of SQLite, so a second one would answer with what is not so any more. Several hubs
    share a PostgreSQL.
    """
    if not settings.database.startswith("sqlite"):
        yield
        return
    database = database_of(settings).resolve()
    database.parent.mkdir(parents=True, exist_ok=True)
    lock = _taken(database)
    with lock:
        lock.sign(f"{doing} (process {os.getpid()})".encode())
        yield


def unowned(settings: HubSettings) -> None:
    """TryAgain while another process holds a database on SQLite."""
    if settings.database.startswith("sqlite") and (database := database_of(settings).resolve()).exists():
        another = "use the hub that runs, or stop it first; for a second one give another --data-dir and --port"
        _taken(database, another).release()


def _taken(database: Path, todo: str = "stop the hub, then try again") -> Lock:
    lock = Lock(database.with_name(database.name + ".lock"))
    if not lock.take():
        holder = lock.signature().decode("utf-8", "replace")
        lock.release()
        raise TryAgain(
            f"The database {database} is in use",
            why=f"it is held by {holder or 'another process'}, and a database on SQLite is for one hub alone",
            todo=todo,
        )
    return lock


def back_up(settings: HubSettings, to: Path) -> CheckedBackup:
    """Copy the database as it is now and its files into a new directory, for its owner alone, and check them."""
    database = database_of(settings)
    if not database.is_file():
        raise NotFound(f"There is no database at {database}", todo="start the hub once, or give its --data-dir")
    if to.exists():
        raise Conflict(f"{to} already exists", todo="give another name, or remove it")
    making = to.with_name(f".{to.name}.{os.getpid()}")
    (making / FILES).mkdir(mode=0o700, parents=True)
    making.chmod(0o700)
    try:
        _copy(database, making / DATABASE)
        check_database(making / DATABASE)
        entries, missing = _copy_files(settings, making)
        manifest = {"madeAt": time.time(), "database": _entry(making / DATABASE), "files": entries, "missing": missing}
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        making.rename(to)
    except BaseException:
        shutil.rmtree(making)
        raise
    return verify(to)


def _copy_files(settings: HubSettings, making: Path) -> tuple[dict[str, BackupEntry], list[str]]:
    """Each file that the copied database names, checked on its way."""
    entries: dict[str, BackupEntry] = {}
    missing: list[str] = []
    with closing(the_files(settings)) as files:
        for identifier, size, sha256 in _stored(making / DATABASE):
            try:
                found = files.copy_out(identifier, making / FILES / identifier)
            except FileNotFoundError:
                (making / FILES / identifier).unlink()
                missing.append(identifier)
                continue
            if found != sha256:
                raise SoloUnicornError(
                    f"The file {identifier} in {files.place} is damaged",
                    why="its SHA-256 has changed since it arrived",
                    todo="restore it from an earlier backup, or remove it there; then back up again",
                )
            entries[identifier] = {"size": size, "sha256": sha256}
    return entries, missing


def verify(backup: Path) -> CheckedBackup:
    """Check everything in a backup against its manifest; raises SoloUnicornError."""
    if not (backup / MANIFEST).is_file():
        raise SoloUnicornError(
            f"{backup} is not a backup of a hub",
            why=f"it has no {MANIFEST}",
            todo="give a directory that `hub backup` created",
        )
    try:
        manifest = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
        expected: dict[str, BackupEntry] = {DATABASE: manifest["database"]}
        expected |= {f"{FILES}/{identifier}": entry for identifier, entry in manifest["files"].items()}
        missing = tuple(str(one) for one in manifest["missing"])
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise SoloUnicornError(
            f"The manifest of {backup} is damaged", why=repr(error), todo="use another backup"
        ) from error
    for name, entry in expected.items():
        wrong = "it is missing" if not (backup / name).is_file() else ""
        if wrong or _entry(backup / name) != entry:
            why = wrong or "its size or SHA-256 differs from the manifest"
            raise SoloUnicornError(f"{backup / name} is damaged", why=why, todo="use another backup")
    check_database(backup / DATABASE)
    return CheckedBackup(backup, sum(entry["size"] for entry in expected.values()), len(expected) - 1, missing)


def verify_own(settings: HubSettings) -> CheckedBackup:
    """Check the database of the hub itself, and that each file it names is there and as it arrived."""
    database, whole = database_of(settings), 0
    check_database(database)
    missing = []
    with closing(the_files(settings)) as files:
        for identifier, _, sha256 in _stored(database):
            try:
                found = files.copy_out(identifier, None)
            except FileNotFoundError:
                found = ""
            if found != sha256:
                missing.append(identifier)
            else:
                whole += 1
    return CheckedBackup(database, database.stat().st_size, whole, tuple(missing))


def check_database(file: Path) -> None:
    """Check that a file is a whole database of a hub; raises SoloUnicornError."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}", todo="give the path of a backup")
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


def restore(settings: HubSettings, backup: Path) -> Path | None:
    """Put a backup in the place of database and files; where the former database is now, None when there was none.

    The former database is kept beside it with its -wal and -shm. Files that the backup does not have stay where they
    are. The caller begins a new epoch.
    """
    database = database_of(settings)
    verify(backup)
    with owning(settings, "a backup that is being put back"):
        manifest = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
        with closing(the_files(settings)) as files:
            for identifier in manifest["files"]:
                files.copy_in(identifier, backup / FILES / identifier)
        fresh = database.with_name(f".{database.name}.restoring")
        fresh.unlink(missing_ok=True)
        _copy(backup / DATABASE, fresh)
        aside = database.with_name(f"{database.name}.before-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        was_there = database.exists()
        for ending in ("-wal", "-shm", ""):
            part = database.with_name(database.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        fresh.rename(database)
    return aside if was_there else None


def _copy(database: Path, to: Path) -> None:
    os.close(os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(database)) as here, closing(sqlite3.connect(to)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode = DELETE")


def _stored(database: Path) -> list[tuple[str, int, str]]:
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as opened:
        return list(opened.execute(_STORED))


def _entry(file: Path) -> BackupEntry:
    with file.open("rb") as opened:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(opened, "sha256").hexdigest()}
