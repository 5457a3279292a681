"""A workspace in memory that can lose its process before any SQL statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from solo_unicorn.workspace.store import Store, _apply
from solo_unicorn.workspace.workspace import Workspace


class Crash(BaseException):
    """The process is gone."""


class Fragile(sqlite3.Connection):
    """Counts statements down, and crashes before the one at which zero is reached."""

    left = -1
    statements = 0

    def _count(self) -> None:
        self.statements += 1
        if self.left >= 0:
            self.left -= 1
            if self.left < 0:
                raise Crash

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As sqlite3 does."""
        if not sql.startswith("ROLLBACK"):  # what a dead process did not commit is rolled back for it
            self._count()
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As sqlite3 does."""
        self._count()
        return super().executemany(sql, parameters)


@cache
def _template() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _apply(connection)
    return connection


class MemoryStore(Store):
    """The real store over a database in memory."""

    def __init__(self) -> None:
        self.path = Path(":memory:")
        self.read_only = None
        self.connection: Fragile = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, factory=Fragile
        )
        _template().backup(self.connection)


class SilentWorkspace(Workspace):
    """The real workspace; nobody listens for its bell."""

    def _ring(self) -> None:
        return None
