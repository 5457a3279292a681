"""A statement that SQLite's driver runs by itself finds, changes and refuses what it does through SQLAlchemy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from solo_unicorn.hub.storage.database import Database, open_database
from solo_unicorn.hub.storage.statements import Statement

lamps = Table(
    "lamps",
    MetaData(),
    Column("id", String(10), primary_key=True),
    Column("lit", Boolean),
    Column("hours", Float, nullable=False),
    Column("seq", Integer, nullable=False),
)
ADD = Statement(insert(lamps))
ALL = select(lamps).order_by(lamps.c.id)
NEXT = Statement(
    update(lamps)
    .where(lamps.c.id == bindparam("wanted"))
    .values(seq=lamps.c.seq + 1)
    .returning(lamps.c.seq, lamps.c.lit)
)
SAVE = Statement(update(lamps).where(lamps.c.id == bindparam("wanted")))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'hub.sqlite3'}")
    await made.write(lamps.metadata.create_all)

    def fill(at: Connection) -> None:
        for number, lit in enumerate((True, False, None)):
            ADD.run(at, id=f"lamp {number}", lit=lit, hours=2, seq=number)

    await made.write(fill)
    yield made
    await made.close()


async def test_rows_are_what_sqlalchemy_finds(database: Database) -> None:
    found = await database.read(Statement(ALL).all)
    assert [tuple(row) for row in found] == [
        tuple(row) for row in await database.read(lambda at: at.execute(ALL).all())
    ]
    assert [row.lit for row in found] == [True, False, None]
    assert all(row.lit is None or isinstance(row.lit, bool) for row in found)
    assert isinstance(found[0].hours, float)


async def test_a_change_takes_the_columns_that_are_given_and_no_others(database: Database) -> None:
    def work(at: Connection) -> None:
        SAVE.run(at, wanted="lamp 0", lit=False)
        SAVE.run(at, wanted="lamp 1", hours=7.5, lit=True)
        SAVE.run(at, wanted="lamp 2", seq=9)
        told = NEXT.one(at, wanted="lamp 1")
        assert (told.seq, told.lit) == (2, True)
        assert NEXT.first(at, wanted="lamp 7") is None

    await database.write(work)
    found = await database.read(Statement(ALL).all)
    assert [tuple(row) for row in found] == [
        ("lamp 0", False, 2.0, 0),
        ("lamp 1", True, 7.5, 2),
        ("lamp 2", None, 2.0, 9),
    ]


async def test_what_the_database_refuses_is_told_as_sqlalchemy_tells_it(database: Database) -> None:
    with pytest.raises(IntegrityError, match=r"lamps\.id") as told:
        await database.write(lambda at: ADD.run(at, id="lamp 0", lit=True, hours=1, seq=1))
    assert "lamps.id" in str(told.value.orig)
    assert len(await database.read(Statement(ALL).all)) == 3
