"""What the history of a mission says."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, select

from ..storage.tables import events


def conflicts_in_a_row(at: Connection, mission_id: str) -> int:
    """Landings that met conflicts since a person last did something with the mission."""
    told = select(events.c.kind, events.c.doc).where(events.c.mission_id == mission_id)
    times = 0
    for kind, doc in at.execute(told.order_by(events.c.seq.desc())):
        if orjson.loads(doc)["author"]["kind"] == "user":
            break
        times += kind == "landing_conflicted"
    return times
