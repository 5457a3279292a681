"""Places in a list of a project: a move takes the midpoint of its neighbours (domain.md, Board)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, func, select, tuple_

from ...missions.errors import InvalidValue, NotFound
from ...missions.order import between, renumbered
from ..tables import missions
from . import documents

if TYPE_CHECKING:
    from .change import Change


def place(change: Change, in_list: str, *, before: str | None, after: str | None, top: bool, moving: str) -> float:
    """A `listOrder` before or after a mission of the list, at its top or at its end; makes room if there is none."""
    for _ in range(2):
        low, high = _neighbours(change, in_list, before, after, top, moving)
        found = between(low, high)
        if found is not None:
            return found
        _renumber(change, in_list)
    raise InvalidValue("listOrder", "the list has no place left")


def _neighbours(
    change: Change, in_list: str, before: str | None, after: str | None, top: bool, moving: str
) -> tuple[float | None, float | None]:
    here = and_(_standing(change, in_list), missions.c.id != moving)
    anchor = before or after
    if anchor is None:
        edge = func.min(missions.c.list_order) if top else func.max(missions.c.list_order)
        found = change.at.execute(select(edge).where(here)).scalar()
        return (None, found) if top else (found, None)
    standing = change.at.execute(
        select(missions.c.list_order, missions.c.id).where(_standing(change, in_list), missions.c.id == anchor)
    ).one_or_none()
    if standing is None:
        raise NotFound(f"{anchor} is not in {in_list}", todo="name a mission of the list that you move to, or none")
    spot = tuple_(missions.c.list_order, missions.c.id)
    beyond = spot < tuple_(*standing) if before else spot > tuple_(*standing)
    edge = func.max(missions.c.list_order) if before else func.min(missions.c.list_order)
    neighbour = change.at.execute(select(edge).where(here, beyond)).scalar()
    return (neighbour, standing.list_order) if before else (standing.list_order, neighbour)


def _standing(change: Change, in_list: str) -> ColumnElement[bool]:
    return and_(missions.c.project_id == change.project_id, missions.c.list == in_list, missions.c.deleted.is_(False))


def _renumber(change: Change, in_list: str) -> None:
    rows = change.at.execute(
        select(missions.c.id, missions.c.doc, missions.c.number)
        .where(_standing(change, in_list))
        .order_by(missions.c.list_order, missions.c.id)
    ).all()
    for order, row in zip(renumbered(len(rows)), rows, strict=True):
        mission = documents.mission_of(row.doc, row.number)[0]
        change.save(mission, replace(mission, list_order=order), "renumbered", placed=True)
