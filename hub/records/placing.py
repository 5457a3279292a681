"""Places in a list of a project (domain.md, Board)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, func, select, tuple_

from ...missions.errors import NotFound
from ..storage.tables import missions


def neighbours(
    at: Connection, project_id: str, in_list: str, before: str | None, after: str | None, top: bool, moving: str
) -> tuple[float | None, float | None]:
    """The places below and above the one that is wished, as `Change.order` names it; None at an end of the list."""
    standing = _standing(project_id, in_list)
    here = and_(standing, missions.c.id != moving)
    anchor = before or after
    if anchor is None:
        edge = func.min(missions.c.list_order) if top else func.max(missions.c.list_order)
        found = at.execute(select(edge).where(here)).scalar()
        return (None, found) if top else (found, None)
    row = at.execute(
        select(missions.c.list_order, missions.c.id).where(standing, missions.c.id == anchor)
    ).one_or_none()
    if row is None:
        raise NotFound(f"{anchor} is not in {in_list}", todo="name a mission of the list that you move to, or none")
    spot = tuple_(missions.c.list_order, missions.c.id)
    beyond = spot < tuple_(*row) if before else spot > tuple_(*row)
    edge = func.max(missions.c.list_order) if before else func.min(missions.c.list_order)
    neighbour = at.execute(select(edge).where(here, beyond)).scalar()
    return (neighbour, row.list_order) if before else (row.list_order, neighbour)


def in_order(at: Connection, project_id: str, in_list: str) -> list[str]:
    """The ids of a list's missions, from the top."""
    wanted = select(missions.c.id).where(_standing(project_id, in_list))
    return list(at.execute(wanted.order_by(missions.c.list_order, missions.c.id)).scalars())


def _standing(project_id: str, in_list: str) -> ColumnElement[bool]:
    return and_(missions.c.project_id == project_id, missions.c.list == in_list, missions.c.deleted.is_(False))
