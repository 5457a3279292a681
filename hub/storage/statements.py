"""Statements of the paths that many requests take: compiled once, and on SQLite run by the driver itself.

SQLAlchemy's `execute` costs more than the work of a small statement in a file. A `Statement` is written with SQLAlchemy
all the same, so both databases have one text of it; on PostgreSQL, where the way to the server costs more, it is
executed as usual. Rows have the names of their columns as attributes, on both.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Connection, Float, Integer, String
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select

AS_THEY_ARE: Final = (String, Integer, BigInteger, Float)
"""Types whose values SQLite's driver takes and gives as they are; a Boolean comes as a number."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A statement as SQLite's driver runs it."""

    text: str
    names: tuple[str, ...]
    fixed: Mapping[str, object]
    """Values that stand in the statement itself."""
    row: Callable[[Sequence[Any]], Any]


class Statement:
    """One statement with named parameters; `UPDATE` and `INSERT` without values take the columns that are given."""

    def __init__(self, statement: Select[Any] | UpdateBase) -> None:
        self._statement = statement
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def all(self, at: Connection, /, **given: object) -> Sequence[Any]:
        """Every row."""
        if at.dialect.name != "sqlite":
            return at.execute(self._statement, given).all()
        plan, cursor = self._run(at, given)
        return [plan.row(values) for values in cursor]

    def first(self, at: Connection, /, **given: object) -> Any | None:
        """The only row, or None."""
        if at.dialect.name != "sqlite":
            return at.execute(self._statement, given).one_or_none()
        plan, cursor = self._run(at, given)
        values = cursor.fetchone()
        return None if values is None else plan.row(values)

    def one(self, at: Connection, /, **given: object) -> Any:
        """The row that is there."""
        found = self.first(at, **given)
        assert found is not None, f"no row for {given}"
        return found

    def run(self, at: Connection, /, **given: object) -> None:
        """Execute a statement that returns nothing."""
        if at.dialect.name != "sqlite":
            at.execute(self._statement, given)
        else:
            self._run(at, given)

    def _run(self, at: Connection, given: Mapping[str, object]) -> tuple[_Plan, sqlite3.Cursor]:
        plan = self._plans.get(tuple(given))
        if plan is None:
            plan = self._plans[tuple(given)] = _plan(self._statement, at, tuple(given))
        driver: Any = at.connection.driver_connection
        values = [given[name] if name in given else plan.fixed[name] for name in plan.names]
        try:
            return plan, driver.execute(plan.text, values)
        except sqlite3.Error as error:
            raise DBAPIError.instance(plan.text, values, error, sqlite3.Error, dialect=at.dialect) from error


def _plan(statement: Select[Any] | UpdateBase, at: Connection, given: tuple[str, ...]) -> _Plan:
    changes = isinstance(statement, UpdateBase)
    compiled = statement.compile(dialect=at.dialect, column_keys=list(given) if changes else None)
    assert isinstance(compiled, SQLCompiler) and compiled.positiontup is not None
    columns = list(statement.exported_columns)
    kinds = [column.type for column in columns]
    unknown = [kind for kind in kinds if not isinstance(kind, (*AS_THEY_ARE, Boolean))]
    assert not unknown, f"values of {unknown} are not as SQLite keeps them"
    shape: Any = namedtuple("Row", [str(column.key) for column in columns])  # type: ignore[misc]
    make = shape._make
    truths = [place for place, kind in enumerate(kinds) if isinstance(kind, Boolean)]

    def row(values: Sequence[Any]) -> Any:
        found = list(values)
        for place in truths:
            found[place] = None if found[place] is None else bool(found[place])
        return make(found)

    return _Plan(str(compiled), tuple(compiled.positiontup), compiled.params, row if truths else make)
