"""Which history of a database a client has read, told apart without any file beside the database.

A cursor names a change by its number. A database that was restored, copied or made anew gives out other numbers from
then on, since a number is the clock plus a random step; so a cursor whose change is not there belongs to another
history, whichever way the database came to be as it is. The epoch is what an operator raises after a restore, to have
every client compare at once.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, insert, select, update

from .tables import hub_meta

EPOCH: Final = "epoch"
STEP: Final = 2**14
"""The most that a number goes beyond the one before it, where the clock stands still."""


def clock(now: float) -> int:
    """The least number for a change at `now` (seconds): microseconds, so that clients written in JavaScript hold it."""
    return int(now * 1_000_000)


def step() -> int:
    """The random distance of a new epoch from the one before it, or from the clock when that is ahead."""
    return 1 + secrets.randbelow(STEP)


def current(at: Connection) -> int:
    """The epoch of the database."""
    return int(at.execute(_KEPT).scalar() or 1)


def begin(at: Connection) -> int:
    """Begin the next epoch: every cursor given out before is refused. Returns its number."""
    kept = at.execute(_KEPT).scalar()
    following = int(kept or 1) + 1
    if kept is None:
        at.execute(insert(hub_meta).values(key=EPOCH, value=str(following)))
    else:
        at.execute(update(hub_meta).where(hub_meta.c.key == EPOCH).values(value=str(following)))
    return following


_KEPT = select(hub_meta.c.value).where(hub_meta.c.key == EPOCH)
