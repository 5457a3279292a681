"""`/projects/{id}/missions`, `/missions/{id}` and what is done with one mission."""

from __future__ import annotations

from ..services import links, mission_reads, mission_writes, notes, reviewing, running
from . import schemas
from .endpoint import Answer, Call, Parameter, endpoint
from .schemas import AFTER, FIELDS, LIMIT, MISSION, MISSION_FILTERS

PROJECT_MISSIONS = "/projects/{id}/missions"
ONE = "/missions/{id}"


@endpoint(
    "GET",
    PROJECT_MISSIONS,
    "mission.list",
    "List a project's missions, or take a snapshot of them",
    needs="read missions",
    answers={200: schemas.MISSION_PAGE},
    query=(AFTER, LIMIT, FIELDS, Parameter("sort", {"type": "string", "enum": ["id", "board"]}), *MISSION_FILTERS),
)
def list_missions(call: Call) -> Answer:
    """A page of missions with the cursor from which `changes` goes on."""
    return mission_reads.listed(call, call.path["id"])


@endpoint(
    "GET",
    "/projects/{id}/changes",
    "mission.changes",
    "What changed after a cursor",
    needs="read missions",
    answers={200: schemas.CHANGES},
    refuses=(410,),
    query=(
        Parameter("cursor", {"type": "string", "maxLength": 100}),
        Parameter("known", {"type": "integer", "minimum": 0, "maximum": 2**53}),
        LIMIT,
    ),
)
def changes(call: Call) -> Answer:
    """Each changed mission once, in its last state."""
    return mission_reads.changes(call, call.path["id"])


@endpoint(
    "POST",
    PROJECT_MISSIONS,
    "mission.create",
    "Create a mission",
    needs="write missions",
    answers={201: MISSION},
    body=schemas.MISSION_CREATE,
    refuses=(410,),
)
def create_mission(call: Call) -> Answer:
    """With an id of the caller's own, or a fresh one."""
    return mission_writes.create(call, call.path["id"])


@endpoint(
    "GET",
    ONE,
    "mission.get",
    "Read a mission",
    needs="read missions",
    answers={200: MISSION},
    query=(FIELDS,),
    refuses=(410,),
)
def get_mission(call: Call) -> Answer:
    """One mission."""
    return mission_reads.get(call, call.path["id"])


@endpoint(
    "PATCH",
    ONE,
    "mission.update",
    "Change a mission",
    needs="write missions",
    answers={200: MISSION},
    body=schemas.MISSION_PATCH,
    if_match="required",
    refuses=(410,),
)
def update_mission(call: Call) -> Answer:
    """JSON merge; null clears a field."""
    return mission_writes.edit(call, call.path["id"])


@endpoint(
    "DELETE",
    ONE,
    "mission.delete",
    "Delete a mission",
    needs="write missions",
    answers={204: None},
    if_match="required",
    refuses=(410,),
)
def delete_mission(call: Call) -> Answer:
    """For ever."""
    return mission_writes.delete(call, call.path["id"])


@endpoint(
    "POST",
    ONE + "/approve",
    "mission.approve",
    "Approve the stage that waits for a review",
    needs="write missions",
    answers={200: MISSION},
    if_match="optional",
    refuses=(410,),
)
def approve(call: Call) -> Answer:
    """To the next stage, or landing."""
    return reviewing.approve(call, call.path["id"])


@endpoint(
    "POST",
    ONE + "/reject",
    "mission.reject",
    "Send a stage back, with feedback",
    needs="write missions",
    answers={200: MISSION},
    body=schemas.REJECTION,
    if_match="optional",
    refuses=(410,),
)
def reject(call: Call) -> Answer:
    """Back to doing, ready."""
    return reviewing.reject(call, call.path["id"])


@endpoint(
    "POST",
    ONE + "/claim",
    "mission.claim",
    "Claim a mission for a session",
    needs="run missions",
    answers={200: schemas.LEASED_MISSION},
    body=schemas.CLAIM,
    scope="run",
    refuses=(410,),
)
def claim(call: Call) -> Answer:
    """A lease of 120 s."""
    return running.claim(call, call.path["id"])


@endpoint(
    "POST",
    ONE + "/renew",
    "mission.renew",
    "Extend a claim",
    needs="run missions",
    answers={200: schemas.LEASED_MISSION},
    body=schemas.CLAIM,
    scope="run",
    refuses=(410,),
)
def renew(call: Call) -> Answer:
    """Every 30 s."""
    return running.renew(call, call.path["id"])


@endpoint(
    "POST",
    ONE + "/release",
    "mission.release",
    "Give a claim back",
    needs="run missions",
    answers={200: schemas.LEASED_MISSION},
    body=schemas.CLAIM,
    scope="run",
    refuses=(410,),
)
def release(call: Call) -> Answer:
    """No attempt counts."""
    return running.release(call, call.path["id"])


@endpoint(
    "GET",
    ONE + "/events",
    "mission.events",
    "Read a mission's history",
    needs="read missions",
    answers={200: schemas.EVENT_PAGE},
    query=(Parameter("after", {"type": "integer", "minimum": 0}), LIMIT),
    refuses=(410,),
)
def mission_events(call: Call) -> Answer:
    """Oldest first."""
    project_id = mission_writes.project_of(call, call.path["id"])
    return mission_reads.history(call, project_id, call.path["id"])


@endpoint(
    "POST",
    ONE + "/notes",
    "mission.note",
    "Write into a mission's history",
    needs="write missions",
    answers={200: schemas.EVENT, 201: schemas.EVENT},
    body=schemas.NOTE,
    refuses=(410,),
)
def add_note(call: Call) -> Answer:
    """A note, or a comment on a line; the same id again is a success."""
    return notes.add(call, call.path["id"])


@endpoint(
    "GET",
    "/projects/{id}/events",
    "project.events",
    "Read a project's history",
    needs="read missions",
    answers={200: schemas.EVENT_PAGE},
    query=(
        Parameter("after", {"type": "integer", "minimum": 0}),
        LIMIT,
        Parameter("kinds", {"type": "string", "maxLength": 1000}),
    ),
)
def project_events(call: Call) -> Answer:
    """Oldest first."""
    call.hub.permissions.require(call.at, call.caller, call.path["id"], "read missions")
    return mission_reads.history(call, call.path["id"], None)


@endpoint(
    "GET",
    ONE + "/dependencies",
    "mission.dependencies",
    "List what a mission is linked with",
    needs="read missions",
    answers={200: schemas.LINK_PAGE},
    refuses=(410,),
)
def dependencies(call: Call) -> Answer:
    """Both directions."""
    return links.listing(call, mission_writes.project_of(call, call.path["id"]), call.path["id"])


@endpoint(
    "POST",
    ONE + "/dependencies",
    "mission.link",
    "Let a mission block another, or relate to it",
    needs="write missions",
    answers={201: schemas.LINK_PAGE},
    body=schemas.LINK_CREATE,
    refuses=(410,),
)
def link(call: Call) -> Answer:
    """A cycle is refused, naming it."""
    return links.link(call, mission_writes.project_of(call, call.path["id"]), call.path["id"])


@endpoint(
    "DELETE",
    ONE + "/dependencies/{relation}/{other}",
    "mission.unlink",
    "Take a link away",
    needs="write missions",
    answers={204: None},
    refuses=(410,),
)
def unlink(call: Call) -> Answer:
    """By relation and the other mission."""
    project_id = mission_writes.project_of(call, call.path["id"])
    return links.unlink(call, project_id, call.path["id"], call.path["other"], call.path["relation"])
