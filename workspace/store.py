"""The SQLite file: opening, pragmas, migrations and one transaction at a time.

What is promised: a write that returned is on disk (`synchronous=FULL`); a transaction takes the write lock first
(`BEGIN IMMEDIATE`), so it never fails half-way on a lock; a migration runs once whoever starts together, after a copy
of the file; a file of a newer version opens read-only; a damaged file is never replaced; nothing is written into a file
that its path does not lead to any more (identity.py), nor by a program that the file has outgrown.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time_ns

from ..missions.errors import SoloUnicornError, TryAgain
from ..system.locks import Lock
from . import failures
from .failures import HOW_TO_REPLACE, StoreDamaged, translated
from .integrity import foreign_log, identity, proof
from .integrity.acknowledged import Acknowledged, Loss
from .integrity.identity import StoreReplaced
from .journal import Journal, path_of, set_aside

APPLICATION_ID = 0x50_4C_4F_31  # marks the file as ours
MIGRATIONS = Path(__file__).parent / "migrations"
SQLITE_VERSION = sqlite3.sqlite_version
Connection = sqlite3.Connection  # what queries are functions of, for modules that may not import sqlite3
DatabaseError = sqlite3.Error  # for who must go on whatever the database says, without speaking SQL
WAL_LIMIT_BYTES = 16 * 1024 * 1024


def migrations() -> list[tuple[int, str]]:
    """Numbered migrations that ship with the package, oldest first: (version, SQL)."""
    return [(int(file.name[:4]), file.read_text(encoding="utf-8")) for file in sorted(MIGRATIONS.glob("*.sql"))]


def latest_format() -> int:
    """The format that this program writes: the number of its newest migration."""
    return max(int(name[:4]) for name in os.listdir(MIGRATIONS) if name.endswith(".sql"))  # noqa: PTH208 (quicker)


class Store:
    """One connection to one workspace file; use it from one thread at a time."""

    _journal: Journal | None = None
    _proofs: proof.Proofs | None = None
    _file: identity.File | None = None
    _instance: str | None = None
    _whole: bool | None = None
    """Whether the file has all that was acknowledged; None before the first write."""
    original: Path | None = None
    """The workspace that this one is a copy of, if that stands somewhere else on this machine."""
    on_commit: Callable[[], None] | None = None
    """Called once a transaction that changed a row is durable; never for one that changed nothing."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it when absent.

        Raises StoreDamaged, TryAgain (locked) or StoreFull. A file of a newer version opens with `read_only` set to
        the reason; its writes raise TryAgain.
        """
        self.path = path
        self.acknowledged = Acknowledged(path)
        self.read_only: str | None = None
        with translated(self.path):
            if not path.exists():
                _create(path)
            elif path.stat().st_size == 0:
                raise StoreDamaged(
                    f"The workspace file {path} is empty",
                    why="another program truncated it, or it was restored incompletely",
                    todo=HOW_TO_REPLACE.format(name=path.name, backups=path.parent / "backups"),
                )
            foreign_log.put_aside(path)
            self._file = identity.file_at(path)  # before it is open: what is moved meanwhile is known as lost
            self.connection = self._open()
            self._proofs = proof.Proofs(self.connection)
            if self.read_only is None:
                self._journal = Journal(self.connection, path)
                self.identify()

    @classmethod
    def glimpse(cls, path: Path) -> Store | None:
        """The file for reading, when it can be read as it is: nothing is made, migrated or waited for, else None."""
        if not path.exists() or path.stat().st_size == 0:
            return None
        foreign_log.put_aside(path)
        store = cls.__new__(cls)
        store.path, store.read_only = path, None
        try:
            store.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
            store.connection.execute("PRAGMA query_only = ON")
            store.connection.execute("PRAGMA cache_size = -256")  # kilobytes: it reads a screenful and stays open
            if _version(store.connection) == latest_format():
                return store
            store.connection.close()
        except sqlite3.Error:  # whoever opens it for good says what is wrong
            pass
        return None

    def _open(self) -> sqlite3.Connection:
        connection = _connect(self.path)
        try:
            version = _version(connection)
            latest = migrations()[-1][0]
            if version > latest:
                connection.execute("PRAGMA query_only = ON")
                self.read_only = _written_by_newer(version)
            elif version < latest:
                _migrate(connection, self.path)
            if not self.read_only:
                _use_log(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the connection; the last one to close a file folds its log into it."""
        self.connection.close()

    def identify(self) -> None:
        """Learn which workspace it is, and note where it stands when it was moved."""
        former, self._instance, self.original = self._instance, identity.instance_of(self.connection), None
        if self._whole and former != self._instance and self._instance is not None:  # it was given a new identity
            self.acknowledged.forget()
            self.acknowledged.note(self._instance, latest_format(), proof.position(self.connection), set())
        place = self.connection.execute("SELECT value FROM meta WHERE key = ?", (identity.PLACE,)).fetchone()
        if place is None or place[0] != os.path.realpath(self.path):
            self.original = identity.original_of(self.connection, self.path)
            if self.original is None:
                if self._proofs is not None:
                    self._proofs.watch()
                with suppress(sqlite3.OperationalError):  # somebody writes: whoever opens it next notes it
                    identity.take_place(self.connection, self.path)

    def lost(self) -> SoloUnicornError | None:
        """Why nothing can be saved any more, by one look at the path: it leads to another file now, or to none."""
        if self._file is None or identity.file_at(self.path) == self._file:
            return None
        return StoreReplaced.at(self.path)

    def outgrown(self) -> TryAgain | None:
        """Why nothing can be saved any more: a newer version of the program has taken the file over."""
        with translated(self.path):
            version = _version(self.connection)
        if self.read_only is None and version > latest_format():
            self.read_only = _written_by_newer(version)
        return self._refused() if self.read_only is not None else None

    def _refused(self) -> TryAgain:
        return TryAgain(
            f"The workspace {self.path} is open read-only",
            why=self.read_only or "",
            todo="update solo-unicorn, then try again",
        )

    def _check_identity(self) -> None:
        if (lost := self.lost()) is not None:
            raise lost
        if self._instance is not None:
            if (outgrown := self.outgrown()) is not None:
                raise outgrown
            if identity.instance_of(self.connection) != self._instance:
                raise StoreReplaced.at(self.path)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed and durable when the block ends, undone when it raises.

        It is told of by `on_commit`, if it changed anything.
        """
        if self.read_only:
            raise self._refused()
        reached: proof.Position | None = None
        with translated(self.path):
            if self._proofs is not None:
                self._proofs.watch()
            before = self.connection.total_changes
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self._check_identity()
                if self._proofs is not None and self._whole is None:
                    self._whole = self.loss() is None
                yield self.connection
                if (lost := self.lost()) is not None:
                    raise lost
                if self._journal is not None:
                    self._journal.append()
                changed = self.connection.total_changes != before
                if changed and self._proofs is not None:
                    reached = self._proofs.count()
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        if self._whole and self._proofs is not None and reached is not None:
            # after a loss, what was noted stays until a person has accepted it
            self.acknowledged.note(self._instance or "", latest_format(), reached, self._proofs.missions)
        if changed and self.on_commit is not None:
            self.on_commit()

    def loss(self) -> Loss | None:
        """What was acknowledged here and the file does not know; None when it knows everything."""
        with self.reading() as connection:
            return self.acknowledged.lost(connection, latest_format())

    def accept(self, folder: Path) -> None:
        """Take every row as it is from now on; what was noted of the losses is kept in the folder."""
        with self.writing() as connection:
            proof.seal(connection)
            self.acknowledged.forget(folder)
            self._whole = True

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Several reads of one state."""
        with translated(self.path):
            if self.connection.in_transaction:
                yield self.connection
                return
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                if self.connection.in_transaction:  # SQLite has ended it by itself after an error of the disk
                    self.connection.execute("ROLLBACK")

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """Read what is not UTF-8 with replacements, where a file is damaged."""
        self.connection.text_factory = lambda text: text.decode("utf-8", "replace")
        try:
            yield
        finally:
            self.connection.text_factory = str

    def data_version(self) -> int:
        """A number that changes when another connection has committed (PRAGMA data_version)."""
        with translated(self.path):
            return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file; only the service does, so that one process does at a time."""
        with translated(self.path), suppress(sqlite3.OperationalError):  # busy readers: the next call finishes it
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _written_by_newer(version: int) -> str:
    return f"it was written by a newer version of the program (format {version}; this one knows {latest_format()})"


def _connect(path: Path) -> sqlite3.Connection:
    patience = failures.BUSY_MILLISECONDS
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=patience / 1000)
    connection.execute(f"PRAGMA busy_timeout = {patience}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Let readers and the writer not wait for each other, also in a file that came without a log, as backups do."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        with suppress(sqlite3.OperationalError):  # somebody has it open: whoever opens it next does it
            connection.execute("PRAGMA journal_mode = WAL")


def _create(path: Path) -> None:
    """Build a new workspace beside the final name and link it there, so that nobody ever sees a half-made one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SoloUnicornError(
            f"The folder {path.parent} cannot be created",
            why=str(error),
            todo="check whether a file has its name, and who owns it",
        ) from error
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        draft.touch(mode=0o600)
        connection = _connect(draft)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            _apply(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        with _alone_in(path.parent):
            if not path.exists():  # else somebody was faster: theirs is the workspace
                _put_logs_aside(path)
                set_aside(path_of(path))
                Acknowledged(path).forget(path.parent)
                os.link(draft, path)
    finally:
        for leftover in path.parent.glob(f"{draft.name}*"):
            leftover.unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time makes a workspace in a folder; the lock leaves no file behind."""
    with Lock(folder, descriptor=os.open(folder, os.O_RDONLY)):
        yield


def _put_logs_aside(path: Path) -> None:
    """The -wal and -shm of a file that was moved away: beside a new one they would damage it, or bring the old back."""
    for ending in ("-wal", "-shm"):
        log = path.with_name(path.name + ending)
        with suppress(FileNotFoundError):
            log.rename(log.with_name(f"{log.name}.kept-{time_ns()}"))


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version:
        backups = path.parent / "backups"
        backups.mkdir(mode=0o700, exist_ok=True)
        copy = backups / f"{path.stem}-format-{version}.db"
        if not copy.exists():
            part = copy.with_name(f".{copy.name}.{os.getpid()}")
            connection.execute("VACUUM INTO ?", (str(part),))
            part.replace(copy)
    _apply(connection)


def _apply(connection: sqlite3.Connection) -> None:
    """Apply what is missing in one transaction; the version is read again inside it, others may have been faster."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        for number, script in migrations():
            if number > version:
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        if version and not connection.execute("SELECT 1 FROM passage LIMIT 1").fetchone():
            from .reindex import reindex

            reindex(connection)
        if version < latest_format():
            proof.seal(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _version(connection: sqlite3.Connection) -> int:
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if application not in (0, APPLICATION_ID) or (application == 0 and version != 0):
        raise sqlite3.DatabaseError("file is not a database of this program")
    if application == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise sqlite3.DatabaseError("file is not a database of this program")
    return version
