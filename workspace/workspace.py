"""The one class through which every process of this machine reads and changes the workspace."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from ..config import acting, paths
from ..missions.entities import SYSTEM, USER, Author
from ..missions.errors import NotAllowed, SoloUnicornError
from ..missions.ids import new_ulid
from .bell import ring
from .failures import TextDamaged
from .store import Store

if TYPE_CHECKING:
    from .change import Change
    from .integrity.acknowledged import Loss
    from .integrity.proof import Touched

P = ParamSpec("P")
T = TypeVar("T")


OF_AN_AGENT = "this process was started by a mission's agent, which may not act as a person"


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


class Workspace:
    """One open workspace file. Use it from one thread; other processes may have it open at the same time.

    What can be read are the functions of `queries`, what can be changed are those of `operations`:
    `workspace.read(queries.missions.get, "M-1")`, `workspace.write(operations.missions.set_ready, "M-1", True)`.
    """

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime] = utc_now, new_id: Callable[[], str] = new_ulid
    ) -> None:
        self._store = store
        self.now = clock
        self.new_id = new_id
        store.on_commit = _ring

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

    @classmethod
    def glimpse(cls, path: Path | None = None) -> Self | None:
        """The workspace for reading at once, as it is; None when it is absent, of another version, or in trouble.

        Nothing is made or changed, and no lock is waited for: reads raise TryAgain instead.
        """
        store = Store.glimpse(path or paths.workspace_db())
        return None if store is None else cls(store)

    @property
    def path(self) -> Path:
        return self._store.path

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written, or None when everything can."""
        if self._store.read_only is None and acting.acting_session() is not None:
            return OF_AN_AGENT
        return self._store.read_only

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def data_version(self) -> int:
        """A number that changes when another process has committed."""
        return self._store.data_version()

    def lost(self) -> SoloUnicornError | None:
        """Why nothing can be saved any more: the file was replaced, moved or removed. One look at the path."""
        return self._store.lost()

    def outgrown(self) -> SoloUnicornError | None:
        """Why nothing can be saved any more: a newer version of the program has taken the file over."""
        return self._store.outgrown()

    @property
    def original(self) -> Path | None:
        """The workspace that this one is a copy of, if that stands somewhere else on this machine."""
        return self._store.original

    def identify(self) -> None:
        """Learn anew which workspace this is, after it was given another identity."""
        self._store.identify()

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file; called by the service only."""
        self._store.checkpoint()

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when it is sound (`solo-unicorn doctor`)."""
        with self._store.reading() as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check")]
        return [] if found == ["ok"] else found

    def touched(self) -> list[Touched]:
        """Everything that is not as it was written; reads the whole file (`solo-unicorn doctor --deep`)."""
        from .integrity import proof

        with self._store.replacing(), self._store.reading() as connection:
            return list(proof.check(connection))

    def loss(self) -> Loss | None:
        """What was acknowledged here and the file does not know; None when it knows everything."""
        return self._store.loss()

    def accept(self, folder: Path) -> None:
        """Take everything as it is from now on; what was noted of losses is kept in the folder."""
        self._store.accept(folder)

    def meta(self, key: str) -> str | None:
        """A setting of the workspace itself, such as the port of the MCP server."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the workspace itself; nothing is written when it is kept already."""
        if self.meta(key) == value:
            return
        _refuse_agents(SYSTEM)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def read(self, query: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What a query finds; all of it sees one state of the workspace. A damaged text is read with replacements."""
        try:
            with self._store.reading() as connection:
                return query(connection, *args, **kwargs)
        except TextDamaged:
            with self._store.replacing(), self._store.reading() as connection:
                return query(connection, *args, **kwargs)

    def write(self, operation: Callable[Concatenate[Change, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an operation in the person's name, in one transaction that is durable when this returns.

        It validates, then saves the change and its event; the other processes are woken.
        """
        return self.write_as(USER, operation, *args, **kwargs)

    def write_as(
        self, by: Author, operation: Callable[Concatenate[Change, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `write`, in the name of `by`."""
        with self._change(by) as change:
            return operation(change, *args, **kwargs)

    @contextmanager
    def _change(self, by: Author) -> Iterator[Change]:
        """One write transaction with its author and time."""
        from .change import Change  # the first paint only reads

        _refuse_agents(by)
        with self._store.writing() as connection:
            yield Change(connection, self.now(), by, self.new_id)


def _refuse_agents(by: Author) -> None:
    """What an agent started writes in the name of the agent or not at all, whatever library it calls."""
    if by.kind != "agent" and acting.acting_session() is not None:
        raise NotAllowed(
            "Nothing was changed", why=OF_AN_AGENT, todo="use the tools of the MCP server, or leave this to a person"
        )


def _ring() -> None:
    ring(paths.bell_dir())
