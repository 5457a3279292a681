"""Stars, requests for access, and the numbers of a project."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from sqlalchemy import and_, case, delete, func, insert, select, update

from ...missions.entities import LISTS, Json, JsonObject
from ...missions.errors import Conflict, InvalidValue
from ...missions.ids import new_ulid
from ..change import Change
from ..errors import HubError
from ..permissions import ROLES, missing
from ..storage.tables import access_requests, events, missions, projects, stars, users
from ..unit_of_work import Shown, UnitOfWork
from . import projects as projects_service

# ---- stars -------------------------------------------------------------------------------------------------------


def star(work: UnitOfWork, project_id: str, *, wanted: bool) -> Shown:
    """The caller's star on a project it sees, given or taken back; twice is a success."""
    change = Change(work, project_id, "see project")
    user_id = _person(work)
    mine = and_(stars.c.project_id == project_id, stars.c.user_id == user_id)
    has = work.at.execute(select(stars.c.at).where(mine)).scalar() is not None
    if wanted and not has:
        work.at.execute(insert(stars).values(project_id=project_id, user_id=user_id, at=work.now))
    elif has and not wanted:
        work.at.execute(delete(stars).where(mine))
    count = work.at.execute(
        select(func.count()).select_from(stars).where(stars.c.project_id == project_id)
    ).scalar_one()
    project = orjson.loads(work.at.execute(select(projects.c.doc).where(projects.c.id == project_id)).scalar_one())
    project["starCount"] = count
    work.at.execute(
        update(projects).where(projects.c.id == project_id).values(star_count=count, doc=orjson.dumps(project).decode())
    )
    assert change.project_id == project_id
    return Shown(orjson.dumps({"starred": wanted, "starCount": count}))


# ---- access requests ---------------------------------------------------------------------------------------------


def request_access(work: UnitOfWork, project_id: str, body: JsonObject) -> Shown:
    """Ask the owners of a visible project for a role; one open request for each person."""
    access = work.require(project_id, "see project")
    user_id = _person(work)
    role, message = body.get("role", "contributor"), body.get("message", "")
    if role not in ROLES[1:4]:
        raise InvalidValue(
            "role", f"{str(role)[:40]!r} cannot be requested", todo=f"use one of {', '.join(ROLES[1:4])}"
        )
    if not isinstance(message, str) or len(message) > 2000 or "\0" in message:
        raise InvalidValue("message", "message has at most 2000 characters")
    if access.role is not None and ROLES.index(access.role) >= ROLES.index(role):
        raise Conflict("You already have that role", why=f"you are {access.role}")
    mine = and_(
        access_requests.c.project_id == project_id,
        access_requests.c.user_id == user_id,
        access_requests.c.status == "pending",
    )
    row = work.at.execute(select(access_requests).where(mine)).one_or_none()
    identifier = row.id if row is not None else new_ulid()
    if row is None:
        work.at.execute(
            insert(access_requests).values(
                id=identifier,
                project_id=project_id,
                user_id=user_id,
                role=role,
                message=message,
                status="pending",
                at=work.now,
            )
        )
    else:
        work.at.execute(update(access_requests).where(mine).values(role=role, message=message))
    return Shown(orjson.dumps(_request(work, identifier)))


def list_requests(work: UnitOfWork, project_id: str) -> Shown:
    """Open requests, for owners."""
    work.require(project_id, "manage project")
    ids = work.at.execute(
        select(access_requests.c.id)
        .where(and_(access_requests.c.project_id == project_id, access_requests.c.status == "pending"))
        .order_by(access_requests.c.at)
        .limit(500)
    ).scalars()
    items: list[Json] = [_request(work, identifier) for identifier in list(ids)]
    return Shown(orjson.dumps({"items": items, "nextAfter": None}))


def decide(work: UnitOfWork, request_id: str, *, approved: bool) -> Shown:
    """An owner's answer; approval gives the role in the same transaction."""
    row = work.at.execute(select(access_requests).where(access_requests.c.id == request_id)).one_or_none()
    if row is None:
        raise missing("access request", request_id)
    access = work.access(row.project_id)
    if not access.may("manage project") and row.user_id != work.caller.user_id:
        raise missing("access request", request_id)
    change = Change(work, row.project_id, "manage project")
    if row.status != "pending":
        raise Conflict("The request was already answered", why=f"it is {row.status}")
    work.at.execute(
        update(access_requests)
        .where(access_requests.c.id == request_id)
        .values(status="approved" if approved else "rejected", decided_at=work.now, decided_by=work.caller.user_id)
    )
    if approved:
        projects_service.put_member(change, row.user_id, row.role)
    return Shown(orjson.dumps(_request(work, request_id)))


def _request(work: UnitOfWork, identifier: str) -> JsonObject:
    row = work.at.execute(
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


def _person(work: UnitOfWork) -> str:
    if work.caller.user_id is None:
        raise HubError(
            "forbidden",
            "Only a person can do that",
            why="an organization key does not belong to a person",
            todo="sign in",
        )
    return work.caller.user_id


# ---- numbers -----------------------------------------------------------------------------------------------------


def metrics(work: UnitOfWork, project_id: str) -> Shown:
    """How many missions stand where, what waits, and what was finished in the last weeks."""
    work.require(project_id, "read missions")
    here = and_(missions.c.project_id == project_id, missions.c.deleted.is_(False))
    counts: dict[str, int] = dict(
        (row[0], row[1])
        for row in work.at.execute(select(missions.c.list, func.count()).where(here).group_by(missions.c.list))
    )
    running = case((missions.c.session_status != "INACTIVE", 1), else_=0)
    ready = case((and_(missions.c.ready.is_(True), missions.c.list != "done"), 1), else_=0)
    sums = work.at.execute(select(func.sum(running), func.sum(ready)).where(here)).one()
    since = work.now - 28 * 86_400
    weeks: dict[str, dict[str, int]] = {}
    rows = work.at.execute(
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
    return Shown(orjson.dumps(told))
