"""The kind of every field of a mission: whether a hub is told of it, and what happens when two people change it.

A new field goes into one of LOCAL, AT_CREATION, WATCHED and REGISTERS (a test asks for it); into TEXTS too when
it is long text, and into PROGRESS when a step through the flow changes it. Of a part of a project (its settings, flows,
actors and repositories) every field is told but those in FIXED and HERE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .entities import Actor, Flow, Json, JsonObject, Project, ProjectRepository
from .wire import to_wire

LOCAL = frozenset({"id", "projectId", "number", "version", "updatedAt", "worktreePath", "dependencyCount", "deletedAt"})
"""Not sent: names of this machine, and what each side works out by itself."""
AT_CREATION = frozenset({"id", "createdAt"})
"""Said once, when the mission is made."""
SETS = frozenset({"blockedBy", "relatesTo"})
"""Lists without order: what was added and taken away on both sides is merged."""
TEXTS = frozenset({"description", "spec", "solution"})
"""Long texts: changes in different lines are merged."""
WATCHED = frozenset(
    {
        "actorId",
        "agentBudget",
        "agentEffort",
        "agentModel",
        "codeAgentName",
        "codeAgentType",
        "description",
        "flowConfig",
        "flowId",
        "isLoop",
        "landingMessage",
        "loopSchedule",
        "prMergeStrategy",
        "prMode",
        "priority",
        "projectRepositoryId",
        "ready",
        "repositoryId",
        "reviewStatus",
        "solution",
        "spec",
        "stage",
        "startFrom",
        "targetBranch",
        "tasks",
        "title",
        "workBranch",
    }
)
"""Fields that are replaced only by somebody who saw their value; else it is a conflict."""
REGISTERS = frozenset(
    {
        "agentSessionStatus",
        "agentSessionStatusChangedAt",
        "answer",
        "asked",
        "askedBy",
        "attempts",
        "attention",
        "currentFlowTask",
        "githubPrNumber",
        "githubPrUrl",
        "landedCommit",
        "landingError",
        "landingStatus",
        "lastCodeAgentName",
        "lastCodeAgentSessionId",
        "limitHits",
        "list",
        "listOrder",
        "prBranchName",
        "prCreated",
        "pullRequest",
        "question",
        "requiresReview",
        "retryAt",
        "reviewCompletedAt",
        "reviewFeedback",
        "reviewRequestedAt",
        "reviewedByUserId",
        "sessionId",
        "stageSummary",
        "tasksCurrent",
        "toCheck",
    }
)
"""Fields of which the last write wins: the place on the board, and what the machine that runs it notes down."""
PROGRESS = frozenset(
    {
        "answer",
        "asked",
        "askedBy",
        "attention",
        "currentFlowTask",
        "landedCommit",
        "landingError",
        "landingStatus",
        "list",
        "listOrder",
        "question",
        "ready",
        "requiresReview",
        "reviewCompletedAt",
        "reviewFeedback",
        "reviewRequestedAt",
        "reviewStatus",
        "reviewedByUserId",
        "stage",
        "stageSummary",
        "toCheck",
    }
)
"""Where a mission stands in its flow: one step of it is sent whole or not at all."""
DECIDING = frozenset({"stage", "reviewStatus"})
"""The fields of PROGRESS that a step through the flow changes: each step is sent by itself."""
ENDS = DECIDING | {"list", "landingStatus"}
"""The fields of PROGRESS by which two people are seen to have brought a mission to different ends."""


def same(first: Json, second: Json) -> bool:
    """Whether two wire values say the same; 1 and 1.0 do, true and 1 do not."""
    return first == second and (isinstance(first, bool) == isinstance(second, bool))


def shared(document: JsonObject) -> JsonObject:
    """What of a mission's wire form goes to a hub."""
    return {name: value for name, value in document.items() if name not in LOCAL}


FIXED: Final = frozenset({"id", "projectId", "createdAt", "updatedAt", "version", "missionsUsingCount"})
"""Of a part: said once, or worked out by each side."""
OF_THIS_MACHINE: Final = frozenset(
    {"slug", "hub", "paused", "isSample", "mirrorMemory", "mirrorDocuments", "wipLimits", "version"}
)
"""Fields of a connected project that each workspace keeps for itself."""
HERE: Final[dict[str, frozenset[str]]] = {
    "project": OF_THIS_MACHINE | {"organizationId", "featured", "starCount", "archivedAt", "memory", "publicSlug"},
    "repository": frozenset(
        {"githubPermissions", "isManagedClone", "lastAccessedAt", "lastMissionPushedAt", "lastPrSyncAt", "localPath"}
    ),
}
"""Not sent: what belongs to this machine, and what the hub decides on."""


def shared_fields(part: str, document: Mapping[str, Json]) -> JsonObject:
    """What both sides may change of a part, from its wire form."""
    hidden = FIXED | HERE.get(part, frozenset())
    return {name: value for name, value in document.items() if name not in hidden}


def shared_part(part: Flow | Actor | ProjectRepository) -> JsonObject:
    """What a hub is told of a new part: nothing that belongs to this machine."""
    return {name: value for name, value in to_wire(part).items() if name not in HERE["repository"]}


def shared_project(project: Project) -> JsonObject:
    """What a hub is told of a project that is published: nothing that belongs to this machine."""
    hidden = (OF_THIS_MACHINE - {"slug"}) | {"organizationId"}
    return {name: value for name, value in to_wire(project).items() if name not in hidden}


def memory_id(project_id: str, name: str) -> str:
    """The id under which a memory document is mirrored."""
    return f"{project_id}/{name}"
