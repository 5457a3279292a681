"""The shapes that endpoints take and answer, each under its name in the document."""

from __future__ import annotations

from typing import Final

from ...missions.entities import (
    Actor,
    Flow,
    JsonObject,
    Mission,
    MissionEvent,
    Organization,
    Project,
    ProjectRepository,
    Workstation,
)
from ..records.missions import LOCAL as MISSION_LOCAL
from ..records.parts import LOCAL as PART_LOCAL
from ..records.projects import HIDDEN
from ..services.parts import settable
from ..services.people import SETTABLE as ORGANIZATION_SETTABLE
from ..services.projects import SETTABLE
from ..services.workstations import SETTABLE as WORKSTATION_SETTABLE
from .endpoint import Parameter, Schema
from .schema import COUNT, FLAG, ID, TEXT, TIME, body, component, entity, page

IDS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
NULLABLE_TEXT: Final[Schema] = {"type": ["string", "null"]}
LINKS: Final[dict[str, JsonObject]] = {"blockedBy": IDS, "relatesTo": IDS}

MISSION = entity(Mission, without=MISSION_LOCAL, more=LINKS, always=("id", "version"))
MISSION_CREATE = component(
    "MissionCreate",
    body(
        Mission,
        required=("title",),
        nullable=True,
        more={"id": ID, "title": {"type": "string", "minLength": 1}, **LINKS},
    ),
)
MISSION_PATCH = component("MissionPatch", body(Mission, nullable=True, more=LINKS))
TOMBSTONE = component(
    "DeletedMission",
    {
        "type": "object",
        "properties": {"id": TEXT, "deleted": {"const": True}, "version": COUNT},
        "required": ["id", "deleted", "version"],
    },
)
_LEASE: Final[dict[str, JsonObject]] = {"leaseSeconds": COUNT, "renewSeconds": COUNT, "fence": COUNT}
LEASED_MISSION = entity(
    Mission, name="LeasedMission", without=MISSION_LOCAL, more={**LINKS, **_LEASE}, always=("id", "version", *_LEASE)
)
CLAIM = component(
    "Claim",
    {
        "type": "object",
        "properties": {
            "workstationId": {"type": "string", "minLength": 1, "maxLength": 64},
            "sessionId": {"type": "string", "minLength": 1, "maxLength": 64},
            "generation": COUNT,
            "codeAgentType": TEXT,
            "codeAgentName": TEXT,
        },
        "required": ["workstationId", "sessionId"],
    },
)
_PLACE: Final[dict[str, JsonObject]] = {"epoch": COUNT, "seq": COUNT}
MISSION_PAGE = component("MissionPage", page(MISSION, snapshotCursor=TEXT, **_PLACE))
CHANGES = component(
    "Changes",
    {
        "type": "object",
        "properties": {
            "changes": {"type": "array", "items": {"anyOf": [TOMBSTONE, MISSION]}},
            "cursor": TEXT,
            "hasMore": FLAG,
            "projectVersion": COUNT,
            **_PLACE,
        },
        "required": ["changes", "cursor", "hasMore", "epoch", "seq", "projectVersion"],
    },
)
EVENT = entity(MissionEvent, name="Event", more={"missionId": NULLABLE_TEXT}, always=("seq", "kind", "at", "author"))
EVENT_PAGE = component("EventPage", page(EVENT))
LINK = component(
    "Link",
    {
        "type": "object",
        "properties": {
            "relation": {"enum": ["blocks", "relates_to"]},
            "direction": {"enum": ["blocks", "blocked_by", "relates_to"]},
            "missionId": TEXT,
            "title": TEXT,
            "list": TEXT,
            "resolved": FLAG,
        },
        "required": ["relation", "direction", "missionId", "resolved"],
    },
)
LINK_PAGE = component("LinkPage", page(LINK))
LINK_CREATE = component(
    "LinkCreate",
    {
        "type": "object",
        "properties": {"missionId": TEXT, "relation": {"enum": ["blocks", "relates_to"]}},
        "required": ["missionId"],
    },
)
REJECTION = component(
    "Rejection",
    {"type": "object", "properties": {"feedback": {"type": "string", "minLength": 1}}, "required": ["feedback"]},
)
PROJECT = entity(Project, without=HIDDEN, always=("id", "name", "slug", "version"))
PROJECT_PAGE = component("ProjectPage", page(PROJECT))
PROJECT_CREATE = component(
    "ProjectCreate",
    body(
        Project,
        only=SETTABLE,
        required=("name",),
        more={
            "id": ID,
            "organizationId": TEXT,
            "name": {"type": "string", "minLength": 1},
            "flows": {"enum": ["system", "none"], "description": "none: the caller sends its own flows"},
        },
    ),
)
PROJECT_PATCH = component("ProjectPatch", body(Project, only=SETTABLE, nullable=True))
_NAMED: Final[dict[str, JsonObject]] = {"id": ID, "name": {"type": "string", "minLength": 1}}
_VERSION: Final[dict[str, JsonObject]] = {"version": COUNT}
FLOW = entity(Flow, more=_VERSION, always=("id", "name", "version"))
ACTOR = entity(Actor, more=_VERSION, always=("id", "name", "version"))
REPOSITORY = entity(
    ProjectRepository, name="Repository", without=PART_LOCAL, more=_VERSION, always=("id", "name", "version")
)


def _part_body(cls: type, name: str, *, create: bool) -> JsonObject:
    schema = body(
        cls,
        only=settable(cls),
        required=("name",) if create else (),
        nullable=not create,
        more=_NAMED if create else None,
    )
    return component(name, schema)


FLOW_CREATE = _part_body(Flow, "FlowCreate", create=True)
FLOW_PATCH = _part_body(Flow, "FlowPatch", create=False)
ACTOR_CREATE = _part_body(Actor, "ActorCreate", create=True)
ACTOR_PATCH = _part_body(Actor, "ActorPatch", create=False)
REPOSITORY_CREATE = _part_body(ProjectRepository, "RepositoryCreate", create=True)
REPOSITORY_PATCH = _part_body(ProjectRepository, "RepositoryPatch", create=False)
_MEMBER: Final[dict[str, JsonObject]] = {"userId": TEXT, "role": TEXT, "email": TEXT, "name": NULLABLE_TEXT}
MEMBER = component("Member", {"type": "object", "properties": dict(_MEMBER), "required": ["userId", "role"]})
MEMBER_PAGE = component("MemberPage", page(MEMBER))
MEMBER_ADD = component("MemberAdd", {"type": "object", "properties": {"userId": TEXT, "email": TEXT, "role": TEXT}})
WORKSTATION = entity(
    Workstation,
    without=("registrationToken", "lastIpAddress", "lastUserAgent", "deletedAt"),
    more={"generation": COUNT, "state": TEXT, **_VERSION},
    always=("id", "name", "status"),
)
OBJECT: Final[Schema] = {"type": "object"}
ERROR = component(
    "Error",
    {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {"code": TEXT, "message": TEXT, "details": OBJECT, "traceId": TEXT},
                "required": ["code", "message", "details", "traceId"],
            }
        },
        "required": ["error"],
    },
)
LIMIT = Parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "Rows of a page.")
AFTER = Parameter("after", {"type": "string", "maxLength": 500}, "`nextAfter` of the page before.")
FIELDS = Parameter(
    "fields", {"type": "string", "maxLength": 500}, "Only these fields, by comma; id and version always."
)
MISSION_FILTERS = (
    Parameter("list", {"type": "string", "maxLength": 100}, "One list or several, by comma."),
    Parameter("ready", {"type": "boolean"}),
    Parameter("priority", {"type": "integer", "minimum": 1, "maximum": 5}),
    Parameter("stage", {"type": "string", "maxLength": 100}),
    Parameter("flowId", {"type": "string", "maxLength": 64}),
    Parameter("repositoryId", {"type": "string", "maxLength": 64}),
    Parameter("q", {"type": "string", "maxLength": 200}, "Words of the title."),
)
WORKSTATION_PAGE = component("WorkstationPage", page(WORKSTATION))
WORKSTATION_WRITE = component(
    "WorkstationWrite",
    body(
        Workstation,
        only=WORKSTATION_SETTABLE,
        nullable=True,
        more={"id": ID, "organizationId": TEXT, "generation": COUNT, "machineId": TEXT},
    ),
)
HEARTBEAT = component(
    "Heartbeat",
    {
        "type": "object",
        "properties": {
            "generation": COUNT,
            "state": {"enum": ["idle", "busy", "paused", "draining"]},
            "slots": OBJECT,
            "runs": {"type": "array", "items": {"type": "object"}},
            "availableCodeAgents": {"type": "array", "items": {"type": "object"}},
        },
    },
)
ORGANIZATION = entity(
    Organization,
    without=("apiKey", "apiKeyCreatedAt", "apiKeyExpiresAt", "deletedAt"),
    more={"role": TEXT, **_VERSION},
    always=("id", "name", "slug"),
)
ORGANIZATION_PAGE = component("OrganizationPage", page(ORGANIZATION))
ORGANIZATION_CREATE = component(
    "OrganizationCreate", body(Organization, only=ORGANIZATION_SETTABLE, required=("name",), more={"id": ID})
)
ORGANIZATION_PATCH = component("OrganizationPatch", body(Organization, only=ORGANIZATION_SETTABLE, nullable=True))
_ROLE: Final[JsonObject] = {"enum": ["member", "admin", "owner"]}
INVITE = component("Invite", {"type": "object", "properties": {"email": TEXT, "role": _ROLE}, "required": ["email"]})
ROLE = component("Role", {"type": "object", "properties": {"role": _ROLE}, "required": ["role"]})
INVITATION = component(
    "Invitation",
    {
        "type": "object",
        "properties": {
            **{name: TEXT for name in ("id", "organizationId", "organization", "email", "link")},
            "role": _ROLE,
            "state": {"enum": ["open", "accepted", "declined", "withdrawn", "expired"]},
            "invitedBy": NULLABLE_TEXT,
            "createdAt": TEXT,
            "expiresAt": TEXT,
        },
        "required": ["id", "organizationId", "organization", "email", "role", "state"],
    },
)
INVITATION_PAGE = component("InvitationPage", page(INVITATION))
TOKEN = component(
    "Token",
    {
        "type": "object",
        "properties": {
            "id": TEXT,
            "kind": TEXT,
            "name": TEXT,
            "scopes": IDS,
            "createdAt": TIME,
            "expiresAt": NULLABLE_TEXT,
            "lastUsedAt": NULLABLE_TEXT,
            "revoked": FLAG,
        },
        "required": ["id", "kind", "name", "scopes"],
    },
)
TOKEN_PAGE = component("TokenPage", page(TOKEN))
_AUDITED: Final = ("id", "caller", "action", "target", "outcome", "place", "agent", "traceId")
AUDIT_PAGE = component(
    "AuditPage",
    page(
        component(
            "AuditEntry",
            {
                "type": "object",
                "properties": {
                    **dict.fromkeys(_AUDITED, TEXT),
                    "at": TIME,
                    "organizationId": NULLABLE_TEXT,
                    "projectId": NULLABLE_TEXT,
                },
                "required": ["id", "at", "caller", "action"],
            },
        )
    ),
)
TOKEN_CREATE = component(
    "TokenCreate",
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 200},
            "scopes": {"type": "array", "items": {"enum": ["read", "write", "run", "admin"]}, "minItems": 1},
            "expiresInDays": {"type": ["integer", "null"], "minimum": 1, "maximum": 3650},
        },
        "required": ["name"],
    },
)
_DOCUMENT: Final[dict[str, JsonObject]] = {
    "projectId": TEXT,
    "name": TEXT,
    "text": TEXT,
    "version": COUNT,
    "updatedAt": TIME,
    "updatedBy": OBJECT,
}
DOCUMENT = component(
    "MemoryDocument", {"type": "object", "properties": dict(_DOCUMENT), "required": ["name", "text", "version"]}
)
DOCUMENT_PAGE = component("MemoryDocumentPage", page(DOCUMENT))
DOCUMENT_WRITE = component(
    "MemoryDocumentWrite", {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
)
PUBLIC_PAGE = component("PublicPage", page(OBJECT))
ACCESS_REQUEST = component(
    "AccessRequest",
    {
        "type": "object",
        "properties": {
            "id": TEXT,
            "projectId": TEXT,
            "userId": TEXT,
            "email": TEXT,
            "role": TEXT,
            "message": TEXT,
            "createdAt": TIME,
            "status": {"enum": ["pending", "approved", "rejected"]},
        },
        "required": ["id", "projectId", "userId", "role", "status"],
    },
)
ACCESS_REQUEST_PAGE = component("AccessRequestPage", page(ACCESS_REQUEST))
ACCESS_REQUEST_CREATE = component(
    "AccessRequestCreate",
    {
        "type": "object",
        "properties": {"role": {"enum": ["contributor", "collaborator", "maintainer"]}, "message": TEXT},
    },
)
STARRED = component(
    "Starred",
    {"type": "object", "properties": {"starred": FLAG, "starCount": COUNT}, "required": ["starred", "starCount"]},
)
TEMPLATE_CREATE = component("TemplateCreate", {"type": "object", "properties": {"name": TEXT, "public": FLAG}})
FROM_TEMPLATE = component(
    "FromTemplate", {"type": "object", "properties": {"id": ID, "name": TEXT, "organizationId": TEXT}}
)
NOTE = component(
    "Note",
    {
        "type": "object",
        "properties": {
            "id": ID,
            "kind": {"type": "string", "maxLength": 64},
            "text": {"type": "string", "maxLength": 20_000},
            "at": TIME,
            "author": {"type": "object"},
            "data": {"type": "object"},
        },
        "required": ["kind"],
    },
)
REASON = component("Reason", {"type": "object", "properties": {"reason": {"type": "string", "maxLength": 500}}})
ASSIGN = component("Assign", {"type": "object", "properties": {"workstationId": TEXT}, "required": ["workstationId"]})
