"""What every group of workspace operations stands on: the store, the clock, and one way to change things."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from ..config import paths
from ..missions.entities import USER, Author
from ..missions.ids import new_ulid
from .bell import ring
from .change import Change
from .reads import Reads, utc_now
from .store import Store

P = ParamSpec("P")
T = TypeVar("T")


class WorkspaceBase(Reads):
    """One open workspace file. Use it from one thread; other processes may have it open at the same time."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime] = utc_now, new_id: Callable[[], str] = new_ulid
    ) -> None:
        super().__init__(store, clock)
        store.on_commit = self._ring
        self._new_id = new_id

    @classmethod
    def open(
        cls, path: Path | None = None, *, clock: Callable[[], datetime] = utc_now, new_id: Callable[[], str] = new_ulid
    ) -> Self:
        """Open the workspace (default: the one of this user's home), making it when absent.

        Raises StoreDamaged, StoreFull or TryAgain; a workspace of a newer version opens with `read_only` set.
        """
        if path is None:
            paths.made_home()  # its error says what to do
        return cls(Store(path or paths.workspace_db()), clock=clock, new_id=new_id)

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file; called by the service only."""
        self._store.checkpoint()

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when it is sound (`solo-unicorn doctor`)."""
        with self._store.reading() as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check")]
        return [] if found == ["ok"] else found

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the workspace itself."""
        if self.meta(key) == value:
            return
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def read(self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a query finds; all of it sees one state of the workspace."""
        with self._reading() as connection:
            return query(connection, *args, **kwargs)

    def write(self, operation: Callable[Concatenate[Change, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an operation in the person's name, in one transaction that is durable when this returns.

        `missions.operations` has those on missions: `workspace.write(missions.set_ready, "M-1", True)`.
        """
        return self.write_as(USER, operation, *args, **kwargs)

    def write_as(
        self, by: Author, operation: Callable[Concatenate[Change, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `write`, in the name of `by`."""
        with self._change(by) as change:
            return operation(change, *args, **kwargs)

    @contextmanager
    def _change(self, by: Author) -> Iterator[Change]:
        """One write transaction with its author and time."""
        with self._store.writing() as connection:
            yield Change(connection, self._clock(), by, self._new_id)

    def _ring(self) -> None:
        ring(paths.bell_dir())
