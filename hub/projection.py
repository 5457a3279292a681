"""What a public project shows to who has no role in it: one projection for every answer, feed and socket.

It is a closed list, of operations and of fields: what does not stand here is not shown to strangers, so a new
endpoint or a new field is theirs only when somebody writes it down. Authors, notes, feedback, prompts, sessions,
files and the ids of people and organizations are not in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

import orjson

from ..missions.entities import Json, JsonObject
from .permissions import missing
from .unit_of_work import Shown

Projection: TypeAlias = Callable[[JsonObject], JsonObject]

PROJECT: Final = (
    *("id", "name", "description", "slug", "publicSlug", "visibility", "status", "category", "tags", "featured"),
    *("starCount", "publicMissionRead", "publicMemoryRead", "publicRepositoryRead", "workstationVisibility"),
    *("createdAt", "updatedAt", "version"),
)
MISSION: Final = (
    *("id", "projectId", "title", "description", "spec", "priority", "list", "listOrder", "stage", "flowId"),
    *("solution", "tasks", "tasksCurrent", "dependencyCount", "blockedBy", "relatesTo", "createdAt", "updatedAt"),
    *("version", "deleted"),
)
"""Nothing of who runs what where."""
EVENT: Final = ("seq", "projectId", "missionId", "kind", "at")
LINK: Final = ("relation", "direction", "missionId", "resolved", "title", "list")
FLOW: Final = ("id", "projectId", "name", "isDefault", "isSystem", "createdAt", "updatedAt", "version")
STAGE: Final = ("stage", "requireReview")
ACTOR: Final = ("id", "projectId", "name", "createdAt", "updatedAt", "version")
REPOSITORY: Final = (
    *("id", "projectId", "name", "githubOwner", "githubName", "githubFullName", "githubUrl", "defaultBranch"),
    *("status", "createdAt", "updatedAt", "version"),
)
DOCUMENT: Final = ("projectId", "name", "text", "version", "updatedAt")
WORKSTATION: Final = ("id", "name", "status", "state", "lastHeartbeatAt")
TELLS: Final = ("missionId", "projectId", "version", "list", "deleted")
"""Of a message on a mission's channel."""


def chosen(document: JsonObject, names: tuple[str, ...]) -> JsonObject:
    """The fields of a document that are in a list, as far as they are there."""
    return {name: document[name] for name in names if name in document}


def _of(names: tuple[str, ...]) -> Projection:
    return lambda document: chosen(document, names)


def _flow(document: JsonObject) -> JsonObject:
    stages = document.get("stageSequence")
    shown = [chosen(one, STAGE) for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []
    return {**chosen(document, FLOW), "stageSequence": list[Json](shown)}


def _author(document: JsonObject) -> JsonObject:
    """A document of the memory needs an author to be read: nobody in particular."""
    return {**chosen(document, DOCUMENT), "updatedBy": {"kind": "system", "name": ""}}


def _page(item: Projection, key: str = "items") -> Projection:
    def project(body: JsonObject) -> JsonObject:
        found = body.get(key)
        items = [item(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        return {**body, key: list[Json](items)}

    return project


def _whole(body: JsonObject) -> JsonObject:
    """Numbers, or what is the caller's own."""
    return body


SHOWN: Final[dict[str, Projection]] = {
    "project.get": _of(PROJECT),
    "project.metrics": _whole,
    "project.star": _whole,
    "project.unstar": _whole,
    "project.workstations": _page(_of(WORKSTATION)),
    "project.events": _page(_of(EVENT)),
    "access.request": _whole,
    "mission.list": _page(_of(MISSION)),
    "mission.changes": _page(_of(MISSION), "changes"),
    "mission.get": _of(MISSION),
    "mission.events": _page(_of(EVENT)),
    "mission.dependencies": _page(_of(LINK)),
    "flow.list": _page(_flow),
    "flow.get": _flow,
    "actor.list": _page(_of(ACTOR)),
    "actor.get": _of(ACTOR),
    "repository.list": _page(_of(REPOSITORY)),
    "repository.get": _of(REPOSITORY),
    "memory.list": _page(_author),
    "memory.get": _author,
}
"""By the name of the endpoint."""


def public(name: str, shown: Shown) -> Shown:
    """An answer as strangers get it, without the version that would let a cache give them another's; NotFound."""
    project = SHOWN.get(name)
    if project is None:
        raise missing(name.partition(".")[0], "")
    return replace(shown, body=orjson.dumps(project(orjson.loads(shown.body))), version=None)


def public_message(kind: str, payload: JsonObject) -> JsonObject | None:
    """A message of a channel as strangers get it; None: they do not."""
    match kind:
        case "mission.update":
            return chosen(payload, TELLS)
        case "presence.update":
            meta, key = payload.get("meta"), payload.get("memberKey")
            shown = {**chosen(payload, ("left",)), "memberKey": _member(key)}
            return {**shown, "meta": chosen(meta, ("status",))} if isinstance(meta, dict) else shown
    return None


def public_presence(one: JsonObject) -> JsonObject:
    """A workstation that is there, as strangers see it who join its channel."""
    meta = one.get("meta")
    shown = chosen(meta, ("status",)) if isinstance(meta, dict) else {}
    return {"memberKey": _member(one.get("memberKey")), "meta": shown}


def _member(key: Json) -> JsonObject:
    return chosen(key, ("workstationId",)) if isinstance(key, dict) else {}
