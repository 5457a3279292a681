"""`/workstations`: register, list, read, change, remove, heartbeat."""

from __future__ import annotations

from functools import partial

from ..services import assignments, workstations
from . import schemas
from .endpoint import Answer, Call, endpoint, told
from .preconditions import check

ONE = "/workstations/{id}"


@endpoint(
    "GET",
    "/organizations/{id}/workstations",
    "workstation.list",
    "List an organization's workstations",
    needs="see organization",
    answers={200: schemas.WORKSTATION_PAGE},
)
def list_workstations(call: Call) -> Answer:
    """For members of the organization."""
    return told(workstations.listed(call, call.path["id"]))


@endpoint(
    "GET",
    "/projects/{id}/workstations",
    "project.workstations",
    "List the workstations of a project",
    needs="see workstations",
    answers={200: schemas.PUBLIC_PAGE},
)
def project_workstations(call: Call) -> Answer:
    """As much of each as the caller may see."""
    return told(workstations.of_project(call, call.path["id"]))


@endpoint(
    "POST",
    "/workstations",
    "workstation.register",
    "Register a workstation",
    needs="account",
    answers={200: schemas.WORKSTATION, 201: schemas.WORKSTATION},
    body=schemas.WORKSTATION_WRITE,
    scope="run",
    refuses=(404,),
)
def register(call: Call) -> Answer:
    """The workstation may choose its id."""
    shown, new = workstations.register(call, call.body)
    return told(shown, 201 if new else 200)


@endpoint(
    "PUT",
    ONE,
    "workstation.put",
    "Register a workstation under its id",
    needs="account",
    answers={200: schemas.WORKSTATION, 201: schemas.WORKSTATION},
    body=schemas.WORKSTATION_WRITE,
    scope="run",
)
def put(call: Call) -> Answer:
    """The start with the higher generation takes over."""
    shown, new = workstations.register(call, call.body, call.path["id"])
    return told(shown, 201 if new else 200)


@endpoint("GET", ONE, "workstation.get", "Read a workstation", needs="account", answers={200: schemas.WORKSTATION})
def get(call: Call) -> Answer:
    """For members of its organization."""
    return told(workstations.get(call, call.path["id"]))


@endpoint(
    "PATCH",
    ONE,
    "workstation.update",
    "Change a workstation's settings",
    needs="account",
    answers={200: schemas.WORKSTATION},
    body=schemas.WORKSTATION_WRITE,
    if_match="optional",
    scope="run",
)
def update(call: Call) -> Answer:
    """For its owner, or an administrator of the organization."""
    return told(workstations.edit(call, call.path["id"], call.body, partial(check, call)))


@endpoint(
    "DELETE", ONE, "workstation.delete", "Remove a workstation", needs="account", answers={204: None}, scope="run"
)
def delete(call: Call) -> Answer:
    """For its owner, or an administrator of the organization."""
    workstations.remove(call, call.path["id"])
    return Answer(status=204)


@endpoint(
    "POST",
    ONE + "/heartbeat",
    "workstation.heartbeat",
    "Report that a workstation is online",
    needs="account",
    answers={200: schemas.OBJECT},
    body=schemas.HEARTBEAT,
    scope="run",
)
def heartbeat(call: Call) -> Answer:
    """To be called every 15 s."""
    return told(workstations.heartbeat(call, call.path["id"], call.body))


@endpoint(
    "GET",
    ONE + "/assignments",
    "workstation.assignments",
    "List a workstation's offers",
    needs="account",
    answers={200: schemas.PUBLIC_PAGE},
    scope="run",
)
def offers(call: Call) -> Answer:
    """For its owner."""
    return told(assignments.offers(call, call.path["id"]))


@endpoint(
    "POST",
    "/assignments/{id}/reject",
    "assignment.reject",
    "Refuse an offer",
    needs="account",
    answers={204: None},
    body=schemas.REASON,
    scope="run",
)
def reject(call: Call) -> Answer:
    """The reason is one of: busy, repo missing, dirty, agent missing."""
    assignments.reject(call, call.path["id"], call.body)
    return Answer(status=204)


@endpoint(
    "POST",
    "/missions/{id}/assign",
    "mission.assign",
    "Offer a mission to a workstation",
    needs="run missions",
    answers={201: schemas.OBJECT},
    body=schemas.ASSIGN,
    scope="run",
    refuses=(410,),
)
def assign(call: Call) -> Answer:
    """An offer claims nothing; the workstation still has to."""
    return told(assignments.assign_to(call, call.path["id"], call.body), 201)
