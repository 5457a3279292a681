"""The kind of every field of a mission: whether a hub is told of it, and what happens when two people change it.

A new field goes into one of LOCAL, AT_CREATION, SETS, WATCHED and REGISTERS (a test asks for it); into TEXTS too when
it is long text, and into PROGRESS when a step through the flow changes it.
"""

from __future__ import annotations

from ...missions.entities import Json, JsonObject

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
    }
)
"""Fields that are replaced only by somebody who saw their value; else it is a conflict."""
REGISTERS = frozenset(
    {
        "agentSessionStatus",
        "agentSessionStatusChangedAt",
        "answer",
        "asked",
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
"""The fields of PROGRESS by which two steps are seen to contradict each other."""


def same(first: Json, second: Json) -> bool:
    """Whether two wire values say the same; 1 and 1.0 do, true and 1 do not."""
    return first == second and (isinstance(first, bool) == isinstance(second, bool))


def shared(document: JsonObject) -> JsonObject:
    """What of a mission's wire form goes to a hub."""
    return {name: value for name, value in document.items() if name not in LOCAL}
