"""The row that a call leaves in the audit log, and the log as owners read it."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import Connection, Table, select

from .. import audit
from ..services.invitations import invitations
from ..storage.tables import access_requests, actors, flows, missions, projects, repositories, workstations
from ..uploads.attachments import attachments
from .endpoint import Answer, Call, Endpoint

PAGE: Final = 100
_OF_ORGANIZATION: Final[dict[str, Table]] = {"workstations": workstations, "invitations": invitations}
_OF_PROJECT: Final[dict[str, Table]] = {
    "missions": missions,
    "flows": flows,
    "actors": actors,
    "repositories": repositories,
    "access-requests": access_requests,
    "attachments": attachments,
}
NOBODYS: Final = frozenset({"tokens", "templates"})
"""Beginnings of paths whose id belongs to a person, or to a template that is only read."""


def recorded(call: Call) -> Answer:
    """Serve a call and leave its row, in the same transaction. A refusal leaves none: the log of requests tells it."""
    organization_id, project_id = place_of(call)  # before what it names is taken away
    answer = call.endpoint.serve(call)
    target = call.path.get("id", call.path.get("slug", ""))
    made = orjson.loads(answer.body) if answer.status == 201 and answer.body else {}
    if made:
        target = f"{target} {made.get('id', '')}".strip()
        organization_id = organization_id or made.get("organizationId")
        if call.endpoint.name == "organization.create":
            organization_id = made.get("id")
    more = [value for name, value in call.path.items() if name != "id"]
    audit.write(
        call.at,
        caller=call.caller.name,
        action=call.endpoint.name,
        target=" ".join([target, *more]),
        place=call.client,
        agent=call.agent,
        trace_id=call.correlation,
        organization_id=organization_id,
        project_id=project_id,
    )
    return answer


def place_of(call: Call) -> tuple[str | None, str | None]:
    """The organization and the project that a call's path is about; None for what is not there."""
    kind, identifier = call.endpoint.path.split("/")[1], call.path.get("id")
    if identifier is None:
        return None, None
    if kind == "organizations":
        return identifier, None
    if kind in _OF_ORGANIZATION:
        return _value(call.at, _OF_ORGANIZATION[kind], "organization_id", identifier), None
    project_id: str | None = identifier
    if kind != "projects":
        table = _OF_PROJECT.get(kind)
        project_id = None if table is None else _value(call.at, table, "project_id", identifier)
    return (None if project_id is None else _value(call.at, projects, "organization_id", project_id)), project_id


def is_placed(endpoint: Endpoint) -> bool:
    """Whether `place_of` knows what the endpoint's path names; a test holds every audited endpoint to it."""
    kind = endpoint.path.split("/")[1]
    return "{id}" not in endpoint.path or kind in {
        "organizations",
        "projects",
        *_OF_ORGANIZATION,
        *_OF_PROJECT,
        *NOBODYS,
    }


def listed(call: Call, organization_id: str) -> Answer:
    """A page of the rows of an organization, newest first; for its owners."""
    call.require_organization(organization_id, "own organization")
    limit = int(call.query.get("limit", PAGE))
    rows = audit.read(
        call.at,
        limit=limit + 1,
        after=call.query.get("after", ""),
        organization_id=organization_id,
        action=call.query.get("action", ""),
        caller=call.query.get("caller", ""),
    )
    after = rows[limit - 1].id if len(rows) > limit else None
    return Answer(orjson.dumps({"items": [audit.shown(row) for row in rows[:limit]], "nextAfter": after}))


def _value(at: Connection, table: Table, column: str, identifier: str) -> str | None:
    found = at.execute(select(table.c[column]).where(table.c.id == identifier)).scalar()
    return None if found is None else str(found)
