"""Who may do what has changed: a mark in the database that every process of a hub compares while sockets are open.

A request is checked when it comes, and what is remembered of a check lasts four seconds. A socket stays open, so
its process looks at the mark every `LOOK_SECONDS` and checks each socket again when somebody has put another there.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, insert, select, update

from .storage.tables import hub_meta

LOOK_SECONDS: Final = 3.0
_MARK: Final = "standing"


def changed(at: Connection) -> None:
    """Tell every process, with the commit, that tokens, accounts or rights were taken away."""
    mark = secrets.token_hex(8)
    if not at.execute(update(hub_meta).where(hub_meta.c.key == _MARK).values(value=mark)).rowcount:
        at.execute(insert(hub_meta).values(key=_MARK, value=mark))


def mark(at: Connection) -> str:
    """The mark as it stands; empty on a hub that has taken nothing away yet."""
    return at.execute(select(hub_meta.c.value).where(hub_meta.c.key == _MARK)).scalar() or ""
