"""The incarnation of the database, and the file outside it that remembers how far it had come.

A backup that is restored goes back to numbers which clients have seen already. The hub notices by itself: its database
is behind the high-water file. Then the epoch grows and every row is stamped anew above all numbers ever given out, so
that every mirror reads everything again and overwrites nothing blindly.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, and_, func, insert, select, update

from ..config.log import logger
from ..missions.ids import new_ulid
from .tables import hub_meta, memory_documents, missions, projects

FILE: Final = "high-water.json"
EPOCH: Final = "epoch"
SPAN: Final = 2**40
"""Numbers of one epoch."""


def read_high_water(directory: Path) -> tuple[int, int]:
    """(epoch, sum of all projects' numbers) as last written down; zeros when there is nothing readable."""
    try:
        found = orjson.loads((directory / FILE).read_bytes())
        return int(found["epoch"]), int(found["total"])
    except FileNotFoundError:
        return 0, 0
    except (ValueError, KeyError, TypeError) as error:
        logger("hub").warning("the high-water file cannot be read, it is written anew", exc_info=error)
        return 0, 0


def write_high_water(directory: Path, epoch: int, total: int) -> None:
    """Write down how far the database has come; it never goes back."""
    known = read_high_water(directory)
    if known >= (epoch, total):
        return
    temporary = directory / f".{FILE}.{new_ulid()}"
    with temporary.open("wb") as file:
        file.write(orjson.dumps({"epoch": epoch, "total": total}))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / FILE)


def current(at: Connection) -> tuple[int, int]:
    """(epoch, sum of all projects' numbers) of the database."""
    epoch = at.execute(select(hub_meta.c.value).where(hub_meta.c.key == EPOCH)).scalar()
    total = at.execute(select(func.coalesce(func.sum(projects.c.seq), 0))).scalar_one()
    return int(epoch or 1), int(total)


def settle(at: Connection, high_water: tuple[int, int]) -> tuple[int, int]:
    """The epoch to serve with; a database behind the high water is stamped anew with a higher one."""
    if at.execute(select(hub_meta.c.value).where(hub_meta.c.key == EPOCH)).scalar() is None:
        at.execute(insert(hub_meta).values(key=EPOCH, value="1"))
    # the lock makes a second process wait until the first has stamped
    at.execute(select(hub_meta.c.value).where(hub_meta.c.key == EPOCH).with_for_update()).one()
    epoch, total = current(at)
    if (epoch, total) >= high_water:
        return epoch, total
    epoch = max(epoch, high_water[0]) + 1
    logger("hub").warning("the database was restored from a backup", extra={"epoch": epoch})
    at.execute(update(hub_meta).where(hub_meta.c.key == EPOCH).values(value=str(epoch)))
    for project_id in list(at.execute(select(projects.c.id)).scalars()):
        _stamp(at, project_id, epoch * SPAN)
    return current(at)


def _stamp(at: Connection, project_id: str, base: int) -> None:
    rows = at.execute(
        select(missions.c.id, missions.c.doc).where(missions.c.project_id == project_id).order_by(missions.c.seq)
    ).all()
    for place, row in enumerate(rows, 1):
        doc: dict[str, Any] = {**orjson.loads(row.doc), "version": base + place}
        at.execute(
            update(missions).where(missions.c.id == row.id).values(seq=base + place, doc=orjson.dumps(doc).decode())
        )
    documents = at.execute(
        select(memory_documents.c.name, memory_documents.c.doc).where(memory_documents.c.project_id == project_id)
    ).all()
    for place, row in enumerate(documents, 1):  # a version that was given out twice would hide a lost text
        version = base + place
        here = and_(memory_documents.c.project_id == project_id, memory_documents.c.name == row.name)
        text = orjson.dumps({**orjson.loads(row.doc), "version": version}).decode()
        at.execute(update(memory_documents).where(here).values(version=version, doc=text))
    top = base + len(rows) + 1
    text = at.execute(select(projects.c.doc).where(projects.c.id == project_id)).scalar_one()
    doc = {**orjson.loads(text), "version": top}
    at.execute(
        update(projects).where(projects.c.id == project_id).values(seq=top, version=top, doc=orjson.dumps(doc).decode())
    )
