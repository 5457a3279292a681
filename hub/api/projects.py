"""`/projects`: boards, their members and settings."""

from __future__ import annotations

from functools import partial

from ..services import projects
from . import schemas
from .endpoint import Answer, Call, Parameter, endpoint, told
from .preconditions import check
from .schemas import AFTER, LIMIT

ONE = "/projects/{id}"


@endpoint(
    "GET",
    "/projects",
    "project.list",
    "List your projects",
    needs="account",
    answers={200: schemas.PROJECT_PAGE},
    query=(
        AFTER,
        LIMIT,
        Parameter("organizationId", {"type": "string", "maxLength": 64}),
        Parameter("status", {"type": "string", "enum": ["active", "archived", "suspended"]}),
    ),
)
def list_projects(call: Call) -> Answer:
    """Projects in which the caller has a role."""
    return told(projects.listed(call, call.query))


@endpoint(
    "POST",
    "/projects",
    "project.create",
    "Create a project, or publish one with its own id",
    needs="account",
    answers={201: schemas.PROJECT},
    body=schemas.PROJECT_CREATE,
    scope="admin",
    refuses=(404,),
)
def create_project(call: Call) -> Answer:
    """The caller becomes its owner."""
    return told(projects.create(call, call.body), 201)


@endpoint("GET", ONE, "project.get", "Read a project", needs="see project", answers={200: schemas.PROJECT})
def get_project(call: Call) -> Answer:
    return told(projects.get(call, call.path["id"]))


@endpoint(
    "PATCH",
    ONE,
    "project.update",
    "Change a project's settings",
    needs="manage project",
    answers={200: schemas.PROJECT},
    body=schemas.PROJECT_PATCH,
    if_match="optional",
    scope="admin",
)
def update_project(call: Call) -> Answer:
    """A JSON merge patch."""
    return told(projects.update_settings(call, call.path["id"], call.body, partial(check, call)))


@endpoint(
    "DELETE",
    ONE,
    "project.delete",
    "Archive a project",
    needs="manage project",
    answers={200: schemas.PROJECT},
    if_match="optional",
    scope="admin",
)
def archive_project(call: Call) -> Answer:
    """Nothing is deleted; PATCH `status` restores the project."""
    return told(projects.archive(call, call.path["id"], partial(check, call)))


@endpoint(
    "GET",
    ONE + "/members",
    "project.members.list",
    "List a project's members",
    needs="see members",
    answers={200: schemas.MEMBER_PAGE},
)
def list_members(call: Call) -> Answer:
    """For members only."""
    return told(projects.members(call, call.path["id"]))


@endpoint(
    "POST",
    ONE + "/members",
    "project.members.add",
    "Give a person a role in a project",
    needs="manage project",
    answers={200: schemas.MEMBER},
    body=schemas.MEMBER_ADD,
    scope="admin",
)
def add_member(call: Call) -> Answer:
    """The person is named by id or e-mail address."""
    return told(projects.add_member(call, call.path["id"], call.body))


@endpoint(
    "DELETE",
    ONE + "/members/{user}",
    "project.members.remove",
    "Remove a person's role",
    needs="manage project",
    answers={204: None},
    scope="admin",
)
def remove_member(call: Call) -> Answer:
    """The last owner cannot be removed."""
    projects.remove_member(call, call.path["id"], call.path["user"])
    return Answer(status=204)
