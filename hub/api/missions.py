"""`/projects/{id}/missions`, `/missions/{id}` and what is done with one mission."""

from __future__ import annotations

from typing import cast

import orjson

from ...missions.entities import Relation
from ...missions.errors import InvalidValue
from ...missions.operations import missions as operations
from ...missions.operations import review
from ..change import Change
from ..services import links, mission_reads, notes, running
from ..services.missions import create, edit, opened, project_of
from ..services.running import LEASE_SECONDS, RENEW_SECONDS, Leased
from . import preconditions, schemas
from .endpoint import Answer, Call, Parameter, endpoint, told
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
    return told(mission_reads.listed(call, call.path["id"], call.query))


@endpoint(
    "GET",
    "/projects/{id}/changes",
    "mission.changes",
    "List changes after a cursor",
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
    """Each changed mission once, in its latest state."""
    return told(mission_reads.changes(call, call.path["id"], call.query))


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
    """The caller may choose the id."""
    change = Change(call, call.path["id"], "write missions")
    return _shown(change, create(change, call.body).id, status=201)


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
    return told(mission_reads.get(call, call.path["id"], call.query))


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
    """A JSON merge patch; null clears a field."""
    change, mission_id = _opened(call)
    edit(change, mission_id, call.body, as_it_is=call.media_type == "application/merge-patch+json")
    return _shown(change, mission_id)


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
    """Cannot be undone. The ETag is the number of the deletion in the feed, since the answer has no body."""
    change, mission_id = _opened(call)
    operations.delete(change, mission_id)
    return Answer(status=204, version=change.journal.newest)


@endpoint(
    "POST",
    ONE + "/approve",
    "mission.approve",
    "Approve the stage under review",
    needs="write missions",
    answers={200: MISSION},
    if_match="optional",
    refuses=(410,),
)
def approve(call: Call) -> Answer:
    """The mission goes on to its next stage, or to landing."""
    change, mission_id = _opened(call)
    review.approve(change, mission_id, reviewer=call.caller.user_id or "")
    return _shown(change, mission_id)


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
    """The mission returns to doing, ready to run."""
    change, mission_id = _opened(call)
    feedback = call.body.get("feedback")
    if not isinstance(feedback, str):
        raise InvalidValue("feedback", "feedback is missing", todo="say what to change")
    review.reject(change, mission_id, feedback, reviewer=call.caller.user_id or "")
    return _shown(change, mission_id)


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
    """A claim lasts 120 s unless it is renewed."""
    return _leased(running.claim(call, call.path["id"], call.body))


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
    """To be called every 30 s."""
    return _leased(running.renew(call, call.path["id"], call.body))


@endpoint(
    "POST",
    ONE + "/release",
    "mission.release",
    "Release a claim",
    needs="run missions",
    answers={200: schemas.LEASED_MISSION},
    body=schemas.CLAIM,
    scope="run",
    refuses=(410,),
)
def release(call: Call) -> Answer:
    """The session does not count as an attempt."""
    return _leased(running.release(call, call.path["id"], call.body))


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
    project_id = project_of(call, call.path["id"])
    return told(mission_reads.history(call, project_id, call.path["id"], call.query))


@endpoint(
    "POST",
    ONE + "/notes",
    "mission.note",
    "Add an entry to a mission's history",
    needs="write missions",
    answers={200: schemas.EVENT, 201: schemas.EVENT},
    body=schemas.NOTE,
    refuses=(410,),
)
def add_note(call: Call) -> Answer:
    """A note, or a comment on a line. Idempotent by its id."""
    text, new = notes.add(opened(call, call.path["id"]), call.path["id"], call.body)
    return Answer(text.encode(), 201 if new else 200)


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
    call.require(call.path["id"], "read missions")
    return told(mission_reads.history(call, call.path["id"], None, call.query))


@endpoint(
    "GET",
    ONE + "/dependencies",
    "mission.dependencies",
    "List a mission's links",
    needs="read missions",
    answers={200: schemas.LINK_PAGE},
    refuses=(410,),
)
def dependencies(call: Call) -> Answer:
    """Links in both directions."""
    return _links(call, project_of(call, call.path["id"]))


@endpoint(
    "POST",
    ONE + "/dependencies",
    "mission.link",
    "Make a mission block another, or relate to it",
    needs="write missions",
    answers={201: schemas.LINK_PAGE},
    body=schemas.LINK_CREATE,
    refuses=(410,),
)
def link(call: Call) -> Answer:
    """A cycle is refused; the answer names it."""
    change = opened(call, call.path["id"])
    other = call.body.get("missionId")
    if not isinstance(other, str):
        raise InvalidValue("missionId", "missionId is missing", todo="name the other mission by its id")
    relation = cast("Relation", call.body.get("relation", "blocks"))
    operations.link(change, call.path["id"], other, relation)
    return _links(call, change.project_id, status=201)


@endpoint(
    "DELETE",
    ONE + "/dependencies/{relation}/{other}",
    "mission.unlink",
    "Remove a link",
    needs="write missions",
    answers={204: None},
    refuses=(410,),
)
def unlink(call: Call) -> Answer:
    """Named by its relation and the other mission."""
    change, relation = opened(call, call.path["id"]), cast("Relation", call.path["relation"])
    operations.unlink(change, call.path["id"], call.path["other"], relation)
    return Answer(status=204)


def _opened(call: Call) -> tuple[Change, str]:
    """A change of the mission's project, and its id, once the request's precondition holds."""
    mission_id = call.path["id"]
    change = opened(call, mission_id)
    preconditions.check(call, change.mission(mission_id).version, change.text_of(mission_id))
    return change, mission_id


def _shown(change: Change, mission_id: str, *, status: int = 200) -> Answer:
    return Answer(change.text_of(mission_id).encode(), status, version=change.mission(mission_id).version)


def _leased(held: Leased) -> Answer:
    lease = {"leaseSeconds": LEASE_SECONDS, "renewSeconds": RENEW_SECONDS, "fence": held.fence}
    return Answer(orjson.dumps({**orjson.loads(held.text), **lease}), version=held.version)


def _links(call: Call, project_id: str, *, status: int = 200) -> Answer:
    items = links.listing(call.at, project_id, call.path["id"])
    return Answer(orjson.dumps({"items": items, "nextAfter": None}), status)
