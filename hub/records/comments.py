"""Line comments on the diffs of missions: what the history of a mission said of each last."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import Connection, select

from ...missions.comments import LineComment
from ...missions.errors import NotFound
from ...missions.event_kinds import COMMENTED
from ...missions.wire import from_wire
from ..storage.tables import events

SHORTEST: Final = 5
"""Characters of an id that may stand for the whole."""


def of_mission(at: Connection, mission_id: str) -> list[LineComment]:
    """The line comments of a mission, in the order in which they were written."""
    told = at.execute(
        select(events.c.kind, events.c.doc)
        .where(events.c.mission_id == mission_id, events.c.kind.in_(COMMENTED))
        .order_by(events.c.seq)
    )
    found: dict[str, LineComment] = {}
    for kind, doc in told:
        comment = from_wire(LineComment, orjson.loads(doc)["data"])
        if kind == "comment_deleted":
            found.pop(comment.id, None)
        elif kind in ("commented", "toured") or comment.id in found:
            found[comment.id] = comment
    return list(found.values())


def one(at: Connection, project_id: str, ref: str) -> LineComment:
    """A comment of a project by its id, or a unique beginning or end of it; NotFound."""
    wanted = ref.strip().upper()
    named = (events.c.project_id == project_id, events.c.kind.in_(COMMENTED), events.c.doc.contains(wanted))
    in_missions = at.execute(select(events.c.mission_id).where(*named).distinct()).scalars() if wanted.isalnum() else ()
    found = [
        comment
        for mission_id in list(in_missions)
        for comment in of_mission(at, str(mission_id))
        if comment.id == wanted
        or (len(wanted) >= SHORTEST and (comment.id.startswith(wanted) or comment.id.endswith(wanted)))
    ]
    if len(found) != 1:
        raise NotFound(f"No line comment {ref[:64]!r}" if not found else f"{ref!r} matches several line comments")
    return found[0]
