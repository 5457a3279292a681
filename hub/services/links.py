"""Links of missions in the names of the wire: `blockedBy` and `relatesTo` of a request, and the list of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, and_, or_, select

from ...missions.entities import Json, JsonObject, Relation
from ...missions.errors import InvalidValue
from ...missions.operations import missions as operations
from ..change import Change, relink
from ..permissions import missing
from ..storage.tables import dependencies, missions

RELATIONS: Final[dict[str, Relation]] = {"blockedBy": "blocks", "relatesTo": "relates_to"}


def set_all(change: Change, mission_id: str, body: JsonObject) -> None:
    """Make `blockedBy` and `relatesTo` of a request the mission's links, where it names them.

    An id that the project does not have is kept as it is: a mission of another project of a mirror's machine, or one
    that was deleted. One that is another hosted project's is refused.
    """
    wished = {name: _ids(name, body[name], mission_id) for name in RELATIONS if name in body}
    if not wished:
        return
    present = dict(zip(RELATIONS, map(set, change.links(mission_id)), strict=True))
    here = _here(change, set().union(*wished.values(), *present.values()))
    unknown = [(name, other) for name in wished for other in sorted((wished[name] ^ present[name]) - here)]
    for name, other in unknown:
        blocker, blocked = (other, mission_id) if name == "blockedBy" else (mission_id, other)
        relink(change, blocker, blocked, RELATIONS[name], there=other in wished[name])
    if unknown:
        change.event(change.project_id, "linked", mission_id=mission_id)
        change.recount(mission_id)
    operations.set_links(change, mission_id, blocked_by=wished.get("blockedBy"), relates_to=wished.get("relatesTo"))


def listing(at: Connection, project_id: str, mission_id: str) -> list[JsonObject]:
    """Both directions of a mission's links, with what is known of the other ends."""
    rows = at.execute(
        select(dependencies.c.mission_id, dependencies.c.other_id, dependencies.c.relation).where(
            or_(dependencies.c.mission_id == mission_id, dependencies.c.other_id == mission_id)
        )
    ).all()
    ids = {row.mission_id if row.other_id == mission_id else row.other_id for row in rows}
    known = {
        row.id: row
        for row in at.execute(
            select(missions.c.id, missions.c.title, missions.c.list, missions.c.deleted).where(
                and_(missions.c.id.in_(ids), missions.c.project_id == project_id)
            )
        )
    }
    items: list[JsonObject] = []
    for row in rows:
        other = row.other_id if row.mission_id == mission_id else row.mission_id
        direction = "relates_to"
        if row.relation == "blocks":
            direction = "blocks" if row.mission_id == mission_id else "blocked_by"
        seen = known.get(other)
        item: JsonObject = {"relation": row.relation, "direction": direction, "missionId": other, "resolved": False}
        if seen is not None and not seen.deleted:
            item |= {"title": seen.title, "list": seen.list, "resolved": seen.list == "done"}
        items.append(item)
    return sorted(items, key=lambda item: (str(item["direction"]), str(item["missionId"])))


def _here(change: Change, ids: set[str]) -> set[str]:
    """Those of the ids that are missions of the project; NotFound for one that is another project's."""
    rows = change.at.execute(
        select(missions.c.id, missions.c.project_id, missions.c.deleted).where(missions.c.id.in_(ids))
    ).all()
    for row in rows:
        if row.project_id != change.project_id:
            raise missing("mission", row.id)
    return {row.id for row in rows if not row.deleted}


def _ids(field: str, value: Json, mission_id: str) -> set[str]:
    if value is None:
        return set()
    if not isinstance(value, list):
        raise InvalidValue(field, f"{field} is not a list of ids")
    found = {one for one in value if isinstance(one, str) and "\0" not in one}
    if len(found) != len(set(map(str, value))):
        raise InvalidValue(field, f"{field} is not a list of ids")
    if mission_id in found:
        raise InvalidValue(field, "A mission cannot be linked with itself", todo="name another mission")
    return found
