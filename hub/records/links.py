"""Which mission blocks which, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select

from ...missions.entities import Relation
from ..storage.statements import Statement
from ..storage.tables import dependencies, missions

_OF_MISSION = Statement(
    select(dependencies.c.mission_id, dependencies.c.other_id, dependencies.c.relation).where(
        or_(dependencies.c.mission_id == bindparam("wanted"), dependencies.c.other_id == bindparam("wanted"))
    )
)
_BLOCKED = Statement(
    select(dependencies.c.other_id).where(
        and_(dependencies.c.mission_id == bindparam("wanted"), dependencies.c.relation == "blocks")
    )
)


def edges(at: Connection, project_id: str) -> list[tuple[str, str]]:
    """(blocker, blocked) ids of a project."""
    found = at.execute(
        select(dependencies.c.mission_id, dependencies.c.other_id).where(
            and_(dependencies.c.project_id == project_id, dependencies.c.relation == "blocks")
        )
    )
    return [(row.mission_id, row.other_id) for row in found]


def of_mission(at: Connection, mission_id: str) -> tuple[list[str], list[str]]:
    """(ids that block a mission, ids it relates to), sorted."""
    rows = _OF_MISSION.all(at, wanted=mission_id)
    blocked_by = sorted(row.mission_id for row in rows if row.relation == "blocks" and row.other_id == mission_id)
    relates_to = {
        row.other_id if row.mission_id == mission_id else row.mission_id for row in rows if row.relation == "relates_to"
    }
    return blocked_by, sorted(relates_to)


def blocked_by(at: Connection, blocker_id: str) -> list[str]:
    """The missions that wait for one."""
    return [row.other_id for row in _BLOCKED.all(at, wanted=blocker_id)]


def unresolved(at: Connection, blockers: Sequence[str]) -> int:
    """How many of these still block: all but those that are done."""
    if not blockers:
        return 0
    done = at.execute(
        select(func.count())
        .select_from(missions)
        .where(and_(missions.c.id.in_(blockers), missions.c.list == "done", missions.c.deleted.is_(False)))
    ).scalar_one()
    return len(blockers) - int(done)


def put(at: Connection, project_id: str, mission_id: str, other_id: str, relation: Relation) -> bool:
    """Add a link; False when it is there (either way round for `relates_to`)."""
    if relation == "relates_to":
        mission_id, other_id = sorted((mission_id, other_id))
    if at.execute(select(dependencies.c.relation).where(_between(mission_id, other_id, relation))).first() is not None:
        return False
    made = {"mission_id": mission_id, "other_id": other_id, "relation": relation, "project_id": project_id}
    at.execute(insert(dependencies).values(**made))
    return True


def drop(at: Connection, project_id: str, mission_id: str, other_id: str, relation: Relation) -> bool:
    """Remove a link; False when there is none."""
    here = and_(dependencies.c.project_id == project_id, _between(mission_id, other_id, relation))
    return at.execute(delete(dependencies).where(here)).rowcount > 0


def _between(mission_id: str, other_id: str, relation: Relation):  # type: ignore[no-untyped-def]
    there = and_(dependencies.c.mission_id == mission_id, dependencies.c.other_id == other_id)
    if relation == "relates_to":
        there = or_(there, and_(dependencies.c.mission_id == other_id, dependencies.c.other_id == mission_id))
    return and_(dependencies.c.relation == relation, there)
