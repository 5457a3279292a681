"""Which mission blocks which, and which belong together (domain.md, Dependencies)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, delete, insert, or_, select

from ...missions import dependencies as rules
from ...missions.entities import JsonObject
from ...missions.errors import Conflict, InvalidValue, NotFound
from ...missions.limits import LINKS_MAX
from ..api.endpoint import Answer, Call
from ..permissions import missing
from ..tables import dependencies, missions
from .change import Change


@dataclass(frozen=True, slots=True)
class Replaced:
    """The missions at the other ends of links that came or went."""

    others: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.others)


def replace_all(change: Change, mission_id: str, body: JsonObject) -> Replaced:
    """Make `blockedBy` and `relatesTo` of a request the mission's links, where it names them."""
    if "blockedBy" not in body and "relatesTo" not in body:
        return Replaced()
    others: set[str] = set()
    blocked_by, relates_to = change.links(mission_id)
    if "blockedBy" in body:
        wanted = _ids("blockedBy", body["blockedBy"], mission_id)
        for other in wanted - set(blocked_by):
            _add(change, other, mission_id, "blocks")
        for other in set(blocked_by) - wanted:
            _remove(change, other, mission_id, "blocks")
        others |= wanted ^ set(blocked_by)
    if "relatesTo" in body:
        wanted = _ids("relatesTo", body["relatesTo"], mission_id)
        for other in wanted - set(relates_to):
            _add(change, mission_id, other, "relates_to")
        for other in set(relates_to) - wanted:
            _remove(change, mission_id, other, "relates_to")
        others |= wanted ^ set(relates_to)
    return Replaced(frozenset(others))


def after_replacing(change: Change, replaced: Replaced) -> None:
    """Write the other ends anew, so that their links show there too."""
    for other in sorted(replaced.others):
        change.resave(other, "linked")


def link(call: Call, project_id: str, mission_id: str) -> Answer:
    """`mission_id` blocks (or relates to) another mission of its project; a cycle is refused, naming it."""
    change = Change(call, project_id, "write missions")
    other, relation = _wanted(call)
    for each in (mission_id, other):
        change.row(each)
    _add(change, mission_id, other, relation)
    for each in (mission_id, other):
        change.resave(each, "linked")
    return listing(call, project_id, mission_id, status=201)


def unlink(call: Call, project_id: str, mission_id: str, other: str, relation: str) -> Answer:
    """Take a link away; NotFound when there is none."""
    change = Change(call, project_id, "write missions")
    if not _remove(change, mission_id, other, relation):
        raise NotFound("There is no such link", todo="GET the mission's dependencies to see them")
    for each in (mission_id, other):
        change.resave(each, "unlinked")
    return Answer(status=204)


def listing(call: Call, project_id: str, mission_id: str, *, status: int = 200) -> Answer:
    """Both directions of a mission's links, with what is known of the other ends."""
    import orjson

    rows = call.at.execute(
        select(dependencies.c.mission_id, dependencies.c.other_id, dependencies.c.relation).where(
            or_(dependencies.c.mission_id == mission_id, dependencies.c.other_id == mission_id)
        )
    ).all()
    ids = {row.mission_id if row.other_id == mission_id else row.other_id for row in rows}
    known = {
        row.id: row
        for row in call.at.execute(
            select(missions.c.id, missions.c.title, missions.c.list, missions.c.deleted).where(
                and_(missions.c.id.in_(ids), missions.c.project_id == project_id)
            )
        )
    }
    items = []
    for row in rows:
        other = row.other_id if row.mission_id == mission_id else row.mission_id
        direction = "relates_to"
        if row.relation == "blocks":
            direction = "blocks" if row.mission_id == mission_id else "blocked_by"
        seen = known.get(other)
        item = {"relation": row.relation, "direction": direction, "missionId": other, "resolved": False}
        if seen is not None and not seen.deleted:
            item |= {"title": seen.title, "list": seen.list, "resolved": seen.list == "done"}
        items.append(item)
    items.sort(key=lambda item: (item["direction"], item["missionId"]))
    return Answer(orjson.dumps({"items": items, "nextAfter": None}), status)


def _wanted(call: Call) -> tuple[str, str]:
    other, relation = call.body.get("missionId"), call.body.get("relation", "blocks")
    if not isinstance(other, str):
        raise InvalidValue("missionId", "missionId is missing", todo="name the other mission by its id")
    if relation not in ("blocks", "relates_to"):
        raise InvalidValue("relation", f"{relation!r} is no relation", todo="Use blocks or relates_to")
    return other, str(relation)


def _ids(field: str, value: object, mission_id: str) -> set[str]:
    if value is None:
        return set()
    if not isinstance(value, list) or not all(isinstance(one, str) and "\0" not in one for one in value):
        raise InvalidValue(field, f"{field} is not a list of ids")
    if mission_id in value:
        raise InvalidValue(field, "a mission cannot be linked with itself")
    if len(value) > LINKS_MAX:
        raise InvalidValue(field, f"{field} names {len(value)} missions", why=f"at most {LINKS_MAX} fit")
    return set(value)


def _add(change: Change, mission_id: str, other_id: str, relation: str) -> None:
    if mission_id == other_id:
        raise Conflict("A mission cannot be linked with itself", todo="name another mission")
    here = change.at.execute(
        select(missions.c.id).where(
            and_(missions.c.id.in_((mission_id, other_id)), missions.c.project_id != change.project_id)
        )
    ).scalar()
    if here is not None:
        raise missing("mission", here)
    if relation == "relates_to":
        mission_id, other_id = sorted((mission_id, other_id))
    else:
        edges = change.at.execute(
            select(dependencies.c.mission_id, dependencies.c.other_id).where(
                and_(dependencies.c.project_id == change.project_id, dependencies.c.relation == "blocks")
            )
        ).all()
        cycle = rules.find_cycle(((row.mission_id, row.other_id) for row in edges), (mission_id, other_id))
        if cycle:
            raise Conflict(
                "These missions would wait for each other",
                why=" → ".join(cycle),
                todo="take one of these links away first",
            )
    there = and_(
        dependencies.c.mission_id == mission_id,
        dependencies.c.other_id == other_id,
        dependencies.c.relation == relation,
    )
    if change.at.execute(select(dependencies.c.mission_id).where(there)).scalar() is None:
        change.at.execute(
            insert(dependencies).values(
                mission_id=mission_id, other_id=other_id, relation=relation, project_id=change.project_id
            )
        )


def _remove(change: Change, mission_id: str, other_id: str, relation: str) -> int:
    either = and_(dependencies.c.mission_id == mission_id, dependencies.c.other_id == other_id)
    if relation == "relates_to":
        back = and_(dependencies.c.mission_id == other_id, dependencies.c.other_id == mission_id)
        either = or_(either, back)
    return change.at.execute(
        delete(dependencies).where(
            and_(dependencies.c.project_id == change.project_id, dependencies.c.relation == relation, either)
        )
    ).rowcount
