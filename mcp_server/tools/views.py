"""What a model is shown of a mission: short ids, only what is set, never a path of the machine to strangers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from ...missions.access import MissionAccess
from ...missions.entities import Flow, Json, JsonObject, Mission, MissionEvent
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.rules.flows import enabled_stages
from ...missions.rules.plan import task_ids
from ...missions.texts.fencing import authors_of, defused

HISTORY_READ = 2000
"""Events of a mission that are looked at for who wrote its texts."""


def row(mission: Mission) -> JsonObject:
    """A mission as one row of the board."""
    shown: JsonObject = {
        "id": short_id(mission.number),
        "version": mission.version,
        "title": defused(mission.title),
        "list": mission.list,
        "stage": mission.stage,
        "priority": mission.priority,
    }
    if mission.ready:
        shown["ready"] = True
    if mission.agent_session_status != "INACTIVE":
        shown["running"] = True
    if mission.tasks:
        shown["tasks"] = f"{mission.tasks_current}/{len(mission.tasks)}"
    if mission.dependency_count:
        shown["blockers"] = mission.dependency_count
    if mission.review_status:
        shown["review"] = mission.review_status
    if mission.question:
        shown["question"] = True
    if mission.attention:
        shown["attention"] = defused(mission.attention)
    return shown


def facts(access: MissionAccess, mission: Mission) -> JsonObject:
    """The row and what goes with it when one mission is read."""
    flow = flow_of(access, mission)
    shown = row(mission)
    shown["stages"] = [stage.stage for stage in enabled_stages(flow, mission.flow_config)]
    shown["flow"] = flow.name
    shown["reviewRequired"] = mission.requires_review
    shown["updatedAt"] = when(mission.updated_at)
    optional: dict[str, Json] = {
        "loop": mission.is_loop or None,
        "targetBranch": mission.target_branch or None,
        "agent": mission.code_agent_name or mission.code_agent_type,
        "pullRequest": mission.github_pr_url,
        "landing": mission.landing_status,
        "landingError": defused(mission.landing_error) if mission.landing_error else None,
        "asks": defused(mission.question) if mission.question else None,
        "asked": defused(mission.asked) if mission.asked and mission.answer else None,
        "answer": defused(mission.answer) if mission.answer else None,
        "whyNotRunning": access.why_not(mission.id) if mission.agent_session_status == "INACTIVE" else None,
    }
    shown.update({key: value for key, value in optional.items() if value is not None})
    return shown


def flow_of(access: MissionAccess, mission: Mission) -> Flow:
    """The flow a mission follows: its own, else the project's default."""
    if mission.flow_id:
        with suppress(NotFound):  # removed since: the default holds
            return access.flow(mission.flow_id)
    flows = access.flows(mission.project_id)
    return next((flow for flow in flows if flow.is_default), flows[0])


def authors(access: MissionAccess, mission: Mission) -> Mapping[str, str]:
    """By wire field, who wrote it last."""
    return authors_of(access.history(mission.id, limit=HISTORY_READ))


def tasks(mission: Mission) -> list[Json]:
    """The plan, each task with its id and whether it is finished."""
    return [
        {"id": name, "title": defused(task.title), "finished": place < mission.tasks_current}
        for place, (name, task) in enumerate(zip(task_ids(mission.tasks), mission.tasks, strict=True))
    ]


def links(access: MissionAccess, mission: Mission) -> list[Json]:
    """Everything it is linked with; a blocker that is gone is shown as missing."""
    shown: list[Json] = []
    for view in access.dependencies(mission.id):
        one: JsonObject = {"relation": view.direction}
        if view.other is None:
            one["missing"] = True
        else:
            one |= {"id": short_id(view.other.number), "title": defused(view.other.title), "list": view.other.list}
        if view.direction == "blocked_by":
            one["resolved"] = view.resolved
        shown.append(one)
    return shown


def event(one: MissionEvent) -> JsonObject:
    """One line of the history."""
    shown: JsonObject = {"at": when(one.at), "what": one.kind, "by": one.author.name or one.author.kind}
    if one.changes:
        shown["changed"] = [*sorted(one.changes)]
    if one.note:
        shown["note"] = defused(one.note if len(one.note) <= 500 else one.note[:500] + " …")
    return shown


def when(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
