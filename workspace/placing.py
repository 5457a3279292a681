"""Places in a list of a project: a move takes the midpoint of its neighbours (domain.md, Board)."""

from __future__ import annotations

from dataclasses import replace

from ..missions.entities import SYSTEM, ListName
from ..missions.errors import NotFound
from ..missions.rules.order import between, renumbered
from . import lookup, saving
from .sync_state import outgoing
from .transaction import Transaction


def place(
    transaction: Transaction,
    project_id: str,
    in_list: ListName,
    before: str | None,
    after: str | None,
    top: bool,
    moving: str,
) -> float:
    """A `listOrder` before or after a mission of the list, at its top or at its end; makes room if there is none."""
    for _ in range(2):
        low, high = _neighbours(transaction, project_id, in_list, before, after, top, moving)
        middle = between(low, high)
        if middle is not None:
            return middle
        _renumber(transaction, project_id, in_list)
    raise AssertionError("a renumbered list has room")


def _neighbours(
    transaction: Transaction,
    project_id: str,
    in_list: str,
    before: str | None,
    after: str | None,
    top: bool,
    moving: str,
) -> tuple[float | None, float | None]:
    anchor = before or after
    if anchor is None:
        edge = _value(
            transaction,
            f"SELECT {'min' if top else 'max'}(list_order) FROM mission "
            "WHERE project_id = ? AND list = ? AND deleted = 0 AND id <> ?",
            project_id,
            in_list,
            moving,
        )
        return (None, edge) if top else (edge, None)
    standing = lookup.mission(transaction.connection, anchor)
    if standing.project_id != project_id or standing.list != in_list:
        raise NotFound(f"{anchor} is not in {in_list}", todo="name a mission of the list that you move to, or none")
    smaller = before is not None
    neighbour = _value(
        transaction,
        f"SELECT list_order FROM mission WHERE project_id = ? AND list = ? AND deleted = 0 AND id <> ? "
        f"AND (list_order, id) {'<' if smaller else '>'} (?, ?) "
        f"ORDER BY list_order {'DESC' if smaller else 'ASC'}, id {'DESC' if smaller else 'ASC'} LIMIT 1",
        project_id,
        in_list,
        moving,
        standing.list_order,
        standing.id,
    )
    return (neighbour, standing.list_order) if smaller else (standing.list_order, neighbour)


def _value(transaction: Transaction, query: str, *parameters: object) -> float | None:
    row = transaction.connection.execute(query, parameters).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def _renumber(transaction: Transaction, project_id: str, in_list: str) -> None:
    """Spread a list out evenly; one event without a mission says that the whole list is to be read again."""
    ids = transaction.connection.execute(
        "SELECT id FROM mission WHERE project_id = ? AND list = ? AND deleted = 0 ORDER BY list_order, id",
        (project_id, in_list),
    ).fetchall()
    if outgoing.is_connected(transaction, project_id):  # each new place is an edit that the hub hears of
        for order, (mission_id,) in zip(renumbered(len(ids)), ids, strict=True):
            mission = lookup.mission(transaction.connection, str(mission_id))
            saved = saving.keep(transaction, mission, replace(mission, list_order=order), "reordered")
            outgoing.queue_mission(transaction, mission, saved)
        return
    transaction.connection.executemany(
        "UPDATE mission SET list_order = ?1, version = version + 1, "
        "doc = json_set(doc, '$.listOrder', ?1, '$.version', version + 1) WHERE id = ?2",
        [(order, mission_id) for order, (mission_id,) in zip(renumbered(len(ids)), ids, strict=True)],
    )
    transaction.event(project_id, "renumbered", note=in_list, by=SYSTEM)
