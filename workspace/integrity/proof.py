"""Proof that the rows of a workspace are those that were written.

Every row of every table has its digest in the table `proof`; that of an event covers the one before, so that events
are a chain. Triggers keep them in the transaction of the change itself, whatever statement makes it. They belong to the
connection and not to the file: what another program writes has no proof, and `solo-unicorn doctor --deep` says so. The
full-text index checks itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from ...missions.records import record

WRITES: Final = "store.writes"
EVENT: Final = "event"
_INDEX: Final = "passage_word"
_SCHEMA: Final = "sqlite_master"
_KEYS: Final = {"mission": ("id",), "memory": ("project_id", "name"), _SCHEMA: ("type", "name")}
"""What names a row where that is not its primary key."""
_MISSIONS: Final = {"mission": "t.id", "passage": "t.ref", "base": "t.id", "outbox": "t.entity_id"}
"""The mission that a row belongs to, where it has no column `mission_id`."""
_TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'proof' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' "
    f"AND name NOT LIKE '{_INDEX}%' ORDER BY name"
)
_NOT_DAMAGE: Final = frozenset(
    (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
)
_KEPT: Final = "iif(typeof(p.digest) IN ('blob', 'null'), p.digest, x'')"
"""A digest; empty where a flipped bit made it something else than bytes."""
_CHAIN: Final = """SELECT e.seq, {content}, e.mission_id, {kept}, coalesce(p.gone, 0) FROM event AS e
    LEFT JOIN proof AS p ON p.place = 'event' AND p.key = e.seq UNION ALL
    SELECT p.key, NULL, NULL, {kept}, p.gone FROM proof AS p WHERE p.place = 'event'
    AND p.key NOT IN (SELECT seq FROM event)
    ORDER BY 1"""
CHANGED: Final = "it differs from what was written"
MISSING: Final = "it is missing"
FOREIGN: Final = "it was written by another program"
DOUBTFUL: Final = "it already differed from what was written when it was last changed"


@record
class Touched:
    """Something that is not as it was written."""

    place: str
    """The table, or `file` for what SQLite itself finds wrong."""
    key: str
    mission: str
    """The id of the mission that it belongs to; empty when it belongs to none, or to one that cannot be told."""
    why: str


@record
class Position:
    """How far a workspace has come."""

    writes: int
    event: int
    """The number of the last event; 0 before the first."""
    digest: str
    """Of that event, in hex."""


class Proofs:
    """Keeps the proofs of what one connection writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._watching = False
        self.missions: set[int] = set()
        """Numbers of the missions that the events of this transaction tell of."""

    def watch(self) -> None:
        """Keep the proof of every row that is written from now on; to be called before each transaction."""
        self.missions.clear()
        if self._watching:
            return
        _teach(self._connection)
        self._connection.create_function("proof_tell", 1, self._tell)
        for table in _tables(self._connection):
            for statement in _triggers(table):
                self._connection.execute(statement)
        self._watching = True

    def count(self) -> Position:
        """Count the open transaction as a write; where the workspace stands with it."""
        self._connection.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = ?", (WRITES,))
        return position(self._connection)

    def _tell(self, number: object) -> None:
        if isinstance(number, int):  # none in a project's own event, anything in a damaged row
            self.missions.add(number)


def position(connection: sqlite3.Connection) -> Position:
    """Where the workspace stands."""
    (writes,) = connection.execute("SELECT value FROM meta WHERE key = ?", (WRITES,)).fetchone() or ("",)
    last = "SELECT key, hex(digest) FROM proof WHERE place = 'event' ORDER BY key DESC LIMIT 1"
    event, digest = connection.execute(last).fetchone() or (0, "")
    counted = int(writes) if str(writes).isdigit() else -1  # damaged: it knows of none
    return Position(counted, event if isinstance(event, int) else -1, str(digest))


def digest_of(connection: sqlite3.Connection, event: int) -> str | None:
    """The digest of an event in hex, also of one that was removed with its project; None when it never was."""
    row = connection.execute("SELECT hex(digest) FROM proof WHERE place = ? AND key = ?", (EVENT, event)).fetchone()
    return None if row is None else str(row[0])


def seal(connection: sqlite3.Connection) -> None:
    """Take every row as it is now: after a migration, and when a person accepts what is there."""
    _teach(connection)
    connection.execute("DELETE FROM proof WHERE NOT gone")
    for table in (_Table(connection, _SCHEMA), *_tables(connection)):
        if table.name != EVENT:
            connection.execute(
                f"INSERT INTO proof (place, key, digest) "
                f"SELECT '{table.name}', {table.key('t')}, {table.digest('t')} FROM {table.name} AS t"
            )

    def chain() -> Iterator[tuple[int, bytes]]:
        before = b""
        for seq, content, _, kept, _ in _chain(connection):
            before = kept if content is None else _digest(before, content)
            if content is not None:
                yield seq, before

    connection.executemany("INSERT INTO proof (place, key, digest) VALUES ('event', ?, ?)", chain())


def is_as_written(connection: sqlite3.Connection, place: str, key: str) -> bool:
    """Whether the row of a table with that key has its proof; False when there is no such row."""
    _teach(connection)
    table = _Table(connection, place)
    row = connection.execute(
        f"SELECT {table.digest('t')} = p.digest FROM {place} AS t "
        f"JOIN proof AS p ON p.place = ? AND p.key = {table.key('t')} WHERE p.key = ?",
        (place, key),
    ).fetchone()
    return row is not None and bool(row[0])


def accept(connection: sqlite3.Connection, place: str, key: str) -> None:
    """What a row was before it was repaired is known to be wrong, and counts no longer."""
    connection.execute("UPDATE proof SET doubtful = 0 WHERE place = ? AND key = ?", (place, key))


def check(connection: sqlite3.Connection) -> Iterator[Touched]:
    """Everything that is not as it was written; reads the whole file."""
    _teach(connection)
    yield from _file(connection)
    try:
        tables = [_Table(connection, _SCHEMA), *_tables(connection)]
    except sqlite3.Error as error:
        yield Touched("file", "", "", str(error))
        return
    for table in tables:
        try:
            yield from _events(connection) if table.name == EVENT else _rows(connection, table)
        except sqlite3.Error as error:
            yield Touched(table.name, "", "", str(error))


def _file(connection: sqlite3.Connection) -> Iterator[Touched]:
    looks = ("PRAGMA integrity_check(20)", f"INSERT INTO {_INDEX} ({_INDEX}, rank) VALUES ('integrity-check', 1)")
    for look in looks:
        try:
            found = [str(row[0]) for row in connection.execute(look)]
        except (sqlite3.Error, UnicodeError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_DAMAGE:  # the search is checked by a write
                raise
            found = [f"the search index: {error}" if look.startswith("INSERT") else str(error)]
        yield from (Touched("file", "", "", one) for one in found if one != "ok")


def _rows(connection: sqlite3.Connection, table: _Table) -> Iterator[Touched]:
    written = connection.execute(
        f"SELECT {table.key('t')}, {table.mission}, {table.digest('t')}, {_KEPT}, p.doubtful FROM {table.name} AS t "
        f"LEFT JOIN proof AS p ON p.place = '{table.name}' AND p.key = {table.key('t')}"
    )
    for key, mission, digest, kept, doubtful in written:
        why = FOREIGN if kept is None else CHANGED if kept != digest else DOUBTFUL if doubtful else ""
        if why:
            yield Touched(table.name, str(key), str(mission or ""), why)
    there = f"SELECT {table.key('t')} FROM {table.name} AS t"
    missing = connection.execute(f"SELECT key FROM proof WHERE place = ? AND key NOT IN ({there})", (table.name,))
    for (key,) in missing:
        yield Touched(table.name, str(key), str(key) if table.name == "mission" else "", MISSING)


def _events(connection: sqlite3.Connection) -> Iterator[Touched]:
    before = b""
    for seq, content, mission, kept, gone in _chain(connection):
        expected = None if content is None else _digest(before, content)
        if expected is None and not gone:
            yield Touched(EVENT, str(seq), "", MISSING)
        elif expected is not None and (kept != expected or gone):
            yield Touched(EVENT, str(seq), mission or "", FOREIGN if kept is None else CHANGED)
        before = kept or expected or b""


def _chain(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """Every event that is or was: its number, content, mission, digest and whether it was removed; oldest first."""
    return connection.execute(_CHAIN.format(content=_Table(connection, EVENT).content("e"), kept=_KEPT))


def _teach(connection: sqlite3.Connection) -> None:
    connection.create_function("proof_of", -1, _digest, deterministic=True)


def _digest(before: bytes | None, content: bytes, *numbers: float | None) -> bytes:
    from hashlib import blake2b  # for who writes

    said = repr(numbers).encode() if numbers else b""
    return blake2b(content + said, key=before or b"", digest_size=16).digest()


class _Table:
    """How the rows of a table are named and put together, as SQL."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        columns = connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", (name,)).fetchall()
        self.name = name
        self._names = [column for column, _, _ in columns if column != "rootpage"]
        self._reals = {column for column, kind, _ in columns if kind == "REAL"}
        key = [column for column, _, place in sorted(columns, key=lambda one: one[2]) if place]
        self._key = _KEYS.get(name, tuple(key))
        self.mission = _MISSIONS.get(name, "t.mission_id" if "mission_id" in self._names else "NULL")

    def key(self, row: str) -> str:
        """What names a row."""
        return " || '/' || ".join(f"{row}.{column}" for column in self._key)

    def content(self, row: str) -> str:
        """All that a row holds, as bytes; what is a number of floating point stands beside it."""
        parts = (
            f"iif(typeof({row}.{one}) = 'real', 'r', quote({row}.{one}))"
            if one in self._reals
            else f"quote({row}.{one})"
            for one in self._names
        )
        return f"CAST({' || '.join(parts)} AS BLOB)"

    def digest(self, row: str, before: str = "NULL") -> str:
        """The digest of a row."""
        reals = (f", iif(typeof({row}.{one}) = 'real', {row}.{one}, NULL)" for one in sorted(self._reals))
        return f"proof_of({before}, {self.content(row)}{''.join(reals)})"


def _tables(connection: sqlite3.Connection) -> list[_Table]:
    return [_Table(connection, str(name)) for (name,) in connection.execute(_TABLES).fetchall()]


def _triggers(table: _Table) -> Iterator[str]:
    """What keeps the proofs of a table.

    A row may not be inserted over a proof by a conflict clause: that of the statement that fires a trigger holds in it.
    """
    name, before, tell = table.name, "NULL", ""
    if name == EVENT:
        before = "(SELECT CAST(digest AS BLOB) FROM proof WHERE place = 'event' ORDER BY key DESC LIMIT 1)"
        tell = "SELECT proof_tell((SELECT number FROM mission WHERE id = new.mission_id)); "
    of_old = f"WHERE place = '{name}' AND key = {table.key('old')}"
    yield (
        f"CREATE TEMP TRIGGER proof_added_{name} AFTER INSERT ON main.{name} BEGIN "
        f"DELETE FROM proof WHERE place = '{name}' AND key = {table.key('new')}; "
        f"INSERT INTO proof (place, key, digest) VALUES ('{name}', {table.key('new')}, {table.digest('new', before)}); "
        f"{tell}END"
    )
    if name != EVENT:  # what happened does not change
        yield (
            f"CREATE TEMP TRIGGER proof_changed_{name} AFTER UPDATE ON main.{name} BEGIN "
            f"UPDATE proof SET doubtful = doubtful OR digest <> {table.digest('old')}, key = {table.key('new')}, "
            f"digest = {table.digest('new')} {of_old}; END"
        )
    removed = f"UPDATE proof SET gone = 1 {of_old}" if name == EVENT else f"DELETE FROM proof {of_old}"
    yield f"CREATE TEMP TRIGGER proof_removed_{name} AFTER DELETE ON main.{name} BEGIN {removed}; END"
