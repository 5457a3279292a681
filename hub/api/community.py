"""Stars, access requests, templates and the numbers of a project."""

from __future__ import annotations

from ..services import community, templates
from . import schemas
from .endpoint import Answer, Call, endpoint, told

PROJECT = "/projects/{id}"


@endpoint(
    "PUT", PROJECT + "/star", "project.star", "Star a project", needs="see project", answers={200: schemas.STARRED}
)
def star(call: Call) -> Answer:
    """Idempotent."""
    return told(community.star(call, call.path["id"], wanted=True))


@endpoint(
    "DELETE",
    PROJECT + "/star",
    "project.unstar",
    "Remove your star",
    needs="see project",
    answers={200: schemas.STARRED},
)
def unstar(call: Call) -> Answer:
    """Idempotent."""
    return told(community.star(call, call.path["id"], wanted=False))


@endpoint(
    "POST",
    PROJECT + "/access-requests",
    "access.request",
    "Ask for a role in a project",
    needs="see project",
    answers={201: schemas.ACCESS_REQUEST},
    body=schemas.ACCESS_REQUEST_CREATE,
)
def request_access(call: Call) -> Answer:
    """The project's owners decide."""
    return told(community.request_access(call, call.path["id"], call.body), 201)


@endpoint(
    "GET",
    PROJECT + "/access-requests",
    "access.list",
    "List open requests",
    needs="manage project",
    answers={200: schemas.ACCESS_REQUEST_PAGE},
    scope="admin",
)
def list_requests(call: Call) -> Answer:
    """For owners of the project."""
    return told(community.list_requests(call, call.path["id"]))


@endpoint(
    "POST",
    "/access-requests/{id}/approve",
    "access.approve",
    "Grant the requested role",
    needs="manage project",
    answers={200: schemas.ACCESS_REQUEST},
    scope="admin",
)
def approve(call: Call) -> Answer:
    """For owners of the project."""
    return told(community.decide(call, call.path["id"], approved=True))


@endpoint(
    "POST",
    "/access-requests/{id}/reject",
    "access.reject",
    "Refuse the requested role",
    needs="manage project",
    answers={200: schemas.ACCESS_REQUEST},
    scope="admin",
)
def reject(call: Call) -> Answer:
    """For owners of the project."""
    return told(community.decide(call, call.path["id"], approved=False))


@endpoint("GET", "/templates", "template.list", "List templates", needs="account", answers={200: schemas.PUBLIC_PAGE})
def list_templates(call: Call) -> Answer:
    """Public templates, and those of the caller's organizations."""
    return told(templates.list_templates(call))


@endpoint(
    "POST",
    PROJECT + "/template",
    "template.export",
    "Create a template from a project",
    needs="manage project",
    answers={201: schemas.OBJECT},
    body=schemas.TEMPLATE_CREATE,
    scope="admin",
)
def export_template(call: Call) -> Answer:
    """With its settings, flows, actors and open missions."""
    return told(templates.export_template(call, call.path["id"], call.body), 201)


@endpoint(
    "POST",
    "/templates/{id}/projects",
    "template.create_project",
    "Create a project from a template",
    needs="account",
    answers={201: schemas.PROJECT},
    body=schemas.FROM_TEMPLATE,
    scope="admin",
)
def create_from_template(call: Call) -> Answer:
    """In one transaction."""
    return told(templates.create_from_template(call, call.path["id"], call.body), 201)


@endpoint(
    "GET",
    PROJECT + "/metrics",
    "project.metrics",
    "Read the metrics of a project",
    needs="read missions",
    answers={200: schemas.OBJECT},
)
def metrics(call: Call) -> Answer:
    """Missions by list, running sessions, and the last weeks."""
    return told(community.metrics(call, call.path["id"]))
