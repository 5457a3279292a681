"""Templates: a project's settings, flows, actors and open missions, to begin others with."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import and_, insert, or_, select

from ...missions.entities import Flow, JsonObject
from ...missions.errors import InvalidValue
from ...missions.ids import new_ulid
from ..change import Change
from ..permissions import missing
from ..records.missions import joined
from ..storage.tables import actors, flows, missions, organization_members, projects, templates
from ..unit_of_work import Shown, UnitOfWork
from . import missions as missions_service
from . import parts as parts_service
from . import projects as projects_service
from .checks import name_of

TEMPLATE_SETTINGS: Final = (
    "description",
    "category",
    "tags",
    "prModeDefault",
    "prRequireReview",
    "prAutoMerge",
    "prDeleteBranchAfterMerge",
    "prTemplate",
    "wipLimits",
)
FLOW_KEPT: Final = ("name", "description", "stageSequence", "isDefault")
MISSION_KEPT: Final = ("title", "description", "spec", "priority", "list", "stage", "isLoop", "loopSchedule")


def export_template(work: UnitOfWork, project_id: str, body: JsonObject) -> Shown:
    """A project's settings, flows, actors and open missions as a template of its organization."""
    access = work.require(project_id, "manage project")
    row = work.at.execute(select(projects.c.doc).where(projects.c.id == project_id)).scalar_one()
    project = orjson.loads(row)
    name = name_of(body.get("name", project["name"]))
    public = body.get("public", False)
    if not isinstance(public, bool):
        raise InvalidValue("public", "public must be true or false")
    names = {}
    own_flows = []
    for text in _docs(work, flows, project_id):
        flow = orjson.loads(text)
        names[flow["id"]] = flow["name"]
        own_flows.append(
            {key: flow[key] for key in ("name", "description", "stageSequence", "isDefault") if key in flow}
        )
    own_actors = [
        {key: actor[key] for key in ("name", "description", "methodology", "focus", "isDefault") if key in actor}
        for actor in map(orjson.loads, _docs(work, actors, project_id))
    ]
    kept = []
    rows = work.at.execute(
        select(missions.c.doc)
        .where(
            and_(
                missions.c.project_id == project_id,
                missions.c.deleted.is_(False),
                missions.c.list.in_(("todo", "loop")),
            )
        )
        .order_by(missions.c.list, missions.c.list_order, missions.c.id)
        .limit(200)
    ).scalars()
    for text in rows:
        mission = orjson.loads(text)
        one = {key: mission[key] for key in MISSION_KEPT if key in mission}
        kept.append({**one, "flow": names.get(mission.get("flowId"), "Standard")})
    content = {
        "settings": {key: project[key] for key in TEMPLATE_SETTINGS if key in project},
        "flows": own_flows,
        "actors": own_actors,
        "missions": kept,
    }
    doc = {"id": new_ulid(), "name": name, "public": public, "organizationId": access.organization_id, **content}
    work.at.execute(
        insert(templates).values(
            id=doc["id"],
            organization_id=access.organization_id,
            name=name,
            public=public,
            doc=orjson.dumps(doc).decode(),
        )
    )
    return Shown(orjson.dumps(doc))


def list_templates(work: UnitOfWork) -> Shown:
    """Public templates, and those of the caller's organizations."""
    mine = select(organization_members.c.organization_id).where(organization_members.c.user_id == work.caller.user_id)
    docs = work.at.execute(
        select(templates.c.doc)
        .where(
            or_(
                templates.c.public.is_(True),
                templates.c.organization_id.in_(mine),
                templates.c.organization_id == (work.caller.organization_id or ""),
            )
        )
        .order_by(templates.c.id)
        .limit(200)
    ).scalars()
    return Shown(b'{"items":' + joined(list(docs)) + b',"nextAfter":null}')


def create_from_template(work: UnitOfWork, template_id: str, body: JsonObject) -> Shown:
    """A new project as a template says, of the caller's organization; all of it or nothing."""
    from ..permissions import organization_role

    row = work.at.execute(select(templates).where(templates.c.id == template_id)).one_or_none()
    if row is None or not (row.public or organization_role(work.at, work.caller, row.organization_id) is not None):
        raise missing("template", template_id)
    template = orjson.loads(row.doc)
    wished = {key: value for key, value in body.items() if key in ("id", "name", "organizationId")}
    made = projects_service.create(work, {**template["settings"], "name": template["name"], **wished})
    project = orjson.loads(made.body)
    change = Change(work, project["id"], "manage project")
    ids = {flow.name: flow.id for flow in change.parts(Flow, change.project_id)}
    for flow in template["flows"]:
        if flow["name"] not in ids:
            made_flow = parts_service.create(change, parts_service.FLOW, {**flow, "isDefault": False})
            ids[made_flow.name] = made_flow.id
    for actor in template["actors"]:
        parts_service.create(change, parts_service.ACTOR, {**actor, "isDefault": False})
    for mission in template["missions"]:
        flow_id = ids.get(mission.get("flow", "Standard"))
        kept = {name: value for name, value in mission.items() if name != "flow"}
        missions_service.create(change, {**kept, **({"flowId": flow_id} if flow_id else {})})
    return made


def _docs(work: UnitOfWork, table: object, project_id: str) -> list[str]:
    from typing import Any, cast

    of = cast("Any", table)
    return list(work.at.execute(select(of.c.doc).where(of.c.project_id == project_id).order_by(of.c.id)).scalars())
