"""Stars, requests for access, and the numbers of a project."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from sqlalchemy import and_, case, delete, func, insert, select, update

from ...missions.entities import LISTS, Json, JsonObject
from ...missions.errors import Conflict, InvalidValue
from ...missions.ids import new_ulid
from ..api.endpoint import Answer, Call
from ..change import Change
from ..errors import HubError
from ..permissions import ROLES, missing
from ..tables import access_requests, events, missions, projects, stars, users
from . import projects as projects_service

# ---- stars -------------------------------------------------------------------------------------------------------


def star(call: Call, project_id: str, *, wanted: bool) -> Answer:
    """The caller's star on a project it sees, given or taken back; twice is a success."""
    change = Change(call, project_id, "see project")
    user_id = _person(call)
    mine = and_(stars.c.project_id == project_id, stars.c.user_id == user_id)
    has = call.at.execute(select(stars.c.at).where(mine)).scalar() is not None
    if wanted and not has:
        call.at.execute(insert(stars).values(project_id=project_id, user_id=user_id, at=call.now))
    elif has and not wanted:
        call.at.execute(delete(stars).where(mine))
    count = call.at.execute(
        select(func.count()).select_from(stars).where(stars.c.project_id == project_id)
    ).scalar_one()
    project = orjson.loads(call.at.execute(select(projects.c.doc).where(projects.c.id == project_id)).scalar_one())
    project["starCount"] = count
    call.at.execute(
        update(projects).where(projects.c.id == project_id).values(star_count=count, doc=orjson.dumps(project).decode())
    )
    assert change.project_id == project_id
    return Answer(orjson.dumps({"starred": wanted, "starCount": count}))


# ---- access requests ---------------------------------------------------------------------------------------------


def request_access(call: Call, project_id: str) -> Answer:
    """Ask the owners of a visible project for a role; one open request for each person."""
    access = call.hub.permissions.require(call.at, call.caller, project_id, "see project")
    user_id = _person(call)
    role, message = call.body.get("role", "contributor"), call.body.get("message", "")
    if role not in ROLES[1:4]:
        raise InvalidValue(
            "role", f"{str(role)[:40]!r} cannot be asked for", todo=f"Use one of {', '.join(ROLES[1:4])}"
        )
    if not isinstance(message, str) or len(message) > 2000 or "\0" in message:
        raise InvalidValue("message", "message has at most 2000 characters")
    if access.role is not None and ROLES.index(access.role) >= ROLES.index(role):
        raise Conflict("You have that role already", why=f"you are {access.role}")
    mine = and_(
        access_requests.c.project_id == project_id,
        access_requests.c.user_id == user_id,
        access_requests.c.status == "pending",
    )
    row = call.at.execute(select(access_requests).where(mine)).one_or_none()
    identifier = row.id if row is not None else new_ulid()
    if row is None:
        call.at.execute(
            insert(access_requests).values(
                id=identifier,
                project_id=project_id,
                user_id=user_id,
                role=role,
                message=message,
                status="pending",
                at=call.now,
            )
        )
    else:
        call.at.execute(update(access_requests).where(mine).values(role=role, message=message))
    return Answer(orjson.dumps(_request(call, identifier)), 201)


def list_requests(call: Call, project_id: str) -> Answer:
    """Open requests, for owners."""
    call.hub.permissions.require(call.at, call.caller, project_id, "manage project")
    ids = call.at.execute(
        select(access_requests.c.id)
        .where(and_(access_requests.c.project_id == project_id, access_requests.c.status == "pending"))
        .order_by(access_requests.c.at)
        .limit(500)
    ).scalars()
    items: list[Json] = [_request(call, identifier) for identifier in list(ids)]
    return Answer(orjson.dumps({"items": items, "nextAfter": None}))


def decide(call: Call, request_id: str, *, approved: bool) -> Answer:
    """An owner's answer; approval gives the role in the same transaction."""
    row = call.at.execute(select(access_requests).where(access_requests.c.id == request_id)).one_or_none()
    if row is None:
        raise missing("access request", request_id)
    access = call.hub.permissions.access(call.at, call.caller, row.project_id)
    if not access.may("manage project") and row.user_id != call.caller.user_id:
        raise missing("access request", request_id)
    change = Change(call, row.project_id, "manage project")
    if row.status != "pending":
        raise Conflict("The request was answered already", why=f"it is {row.status}")
    call.at.execute(
        update(access_requests)
        .where(access_requests.c.id == request_id)
        .values(status="approved" if approved else "rejected", decided_at=call.now, decided_by=call.caller.user_id)
    )
    if approved:
        projects_service.put_member(change, row.user_id, row.role)
    return Answer(orjson.dumps(_request(call, request_id)))


def _request(call: Call, identifier: str) -> JsonObject:
    row = call.at.execute(
        select(access_requests, users.c.email)
        .join(users, users.c.id == access_requests.c.user_id)
        .where(access_requests.c.id == identifier)
    ).one()
    return {
        "id": row.id,
        "projectId": row.project_id,
        "userId": row.user_id,
        "email": row.email,
        "role": row.role,
        "message": row.message,
        "status": row.status,
        "createdAt": datetime.fromtimestamp(row.at, UTC).isoformat()[:-6] + "Z",
    }


def _person(call: Call) -> str:
    if call.caller.user_id is None:
        raise HubError("forbidden", "That is for a person", why="an organisation key is nobody's own", todo="sign in")
    return call.caller.user_id


# ---- numbers -----------------------------------------------------------------------------------------------------


def metrics(call: Call, project_id: str) -> Answer:
    """How many missions stand where, what waits, and what was finished in the last weeks."""
    call.hub.permissions.require(call.at, call.caller, project_id, "read missions")
    here = and_(missions.c.project_id == project_id, missions.c.deleted.is_(False))
    counts: dict[str, int] = dict(
        (row[0], row[1])
        for row in call.at.execute(select(missions.c.list, func.count()).where(here).group_by(missions.c.list))
    )
    running = case((missions.c.session_status != "INACTIVE", 1), else_=0)
    ready = case((and_(missions.c.ready.is_(True), missions.c.list != "done"), 1), else_=0)
    sums = call.at.execute(select(func.sum(running), func.sum(ready)).where(here)).one()
    since = call.now - 28 * 86_400
    weeks: dict[str, dict[str, int]] = {}
    rows = call.at.execute(
        select(events.c.at, events.c.kind).where(
            and_(
                events.c.project_id == project_id,
                events.c.at > since,
                events.c.kind.in_(("created", "approved", "rejected", "claimed", "landed")),
            )
        )
    ).all()
    for row in rows:
        week = datetime.fromtimestamp(row.at, UTC).strftime("%G-W%V")
        weeks.setdefault(week, {})[row.kind] = weeks.setdefault(week, {}).get(row.kind, 0) + 1
    told = {
        "lists": {name: counts.get(name, 0) for name in LISTS},
        "running": int(sums[0] or 0),
        "ready": int(sums[1] or 0),
        "weeks": [{"week": week, **numbers} for week, numbers in sorted(weeks.items())],
    }
    return Answer(orjson.dumps(told))
