"""A new mission and its defaults (domain.md, Creating)."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from ..entities import (
    LISTS,
    Flow,
    FlowConfig,
    ListName,
    LoopSchedule,
    MergeStrategy,
    Mission,
    PrMode,
    Project,
    ProjectRepository,
    Task,
)
from ..errors import InvalidValue
from ..fields import checked
from ..records import record, replace
from .flows import check_config, enabled_stages, position
from .landing import check_branches
from .moving import move


@record
class MissionDraft:
    """What a person or agent says about a mission to be; None leaves the choice to the defaults."""

    title: str
    description: str | None = None
    spec: str | None = None
    priority: int = 3
    list: ListName | None = None
    stage: str | None = None
    flow_id: str | None = None
    flow_config: FlowConfig | None = None
    project_repository_id: str | None = None
    target_branch: str | None = None
    work_branch: str | None = None
    start_from: str | None = None
    landing_message: str | None = None
    actor_id: str | None = None
    pr_mode: PrMode = "auto"
    pr_merge_strategy: MergeStrategy = "merge"
    is_loop: bool = False
    loop_schedule: LoopSchedule | None = None
    ready: bool = False
    code_agent_type: str | None = None
    code_agent_name: str | None = None
    agent_model: str | None = None
    agent_effort: str | None = None
    agent_budget: float | None = None
    tasks: tuple[Task, ...] = ()


def create(
    draft: MissionDraft,
    *,
    project: Project,
    flow: Flow,
    repository: ProjectRepository | None,
    id: str,  # noqa: A002 (the field's own name)
    number: int,
    list_order: float,
    now: datetime,
) -> Mission:
    """The mission of a draft; raises InvalidValue naming the field that the rules refuse.

    `flow` and `repository` are those that the draft (or else the project's default) chose.
    """
    _check_belongs(draft, project, flow, repository)
    values: dict[str, Any] = {
        field.name: checked(field.name, getattr(draft, field.name)) for field in fields(draft) if field.name != "list"
    }
    if draft.list is not None and draft.list not in LISTS:
        raise InvalidValue("list", f"{draft.list!r} is not a valid list", todo=f"use one of {', '.join(LISTS)}")
    check_config(flow, values["flow_config"])
    stages = enabled_stages(flow, values["flow_config"])
    if values["stage"] is None:
        values["stage"] = stages[0].stage
    current = position(flow, values["flow_config"], values["stage"])
    values |= {
        "flow_id": flow.id,
        "current_flow_task": current,
        "requires_review": stages[current].require_review,
        "project_repository_id": repository.id if repository else None,
        "repository_id": repository.github_repo_id if repository else None,
        "target_branch": values["target_branch"] or (repository.default_branch if repository else ""),
        "actor_id": values["actor_id"] or project.default_actor_id,
        "is_loop": values["is_loop"] or draft.list == "loop",
    }
    mission = Mission(
        id=id,
        project_id=project.id,
        number=number,
        list="loop" if values["is_loop"] else "todo",
        list_order=list_order,
        created_at=now,
        updated_at=now,
        agent_session_status_changed_at=now,
        **values,
    )
    check_branches(mission)
    if draft.list is None or draft.list == mission.list:
        return mission
    return replace(move(mission, draft.list, list_order, flow=flow, now=now), is_loop=mission.is_loop)


def _check_belongs(draft: MissionDraft, project: Project, flow: Flow, repository: ProjectRepository | None) -> None:
    """Flow and repository are of this project, and those that the draft names."""
    if flow.project_id != project.id or draft.flow_id not in (None, flow.id):
        raise InvalidValue("flowId", f"The project {project.name} has no flow {draft.flow_id or flow.id}")
    wished = draft.project_repository_id
    if repository is None and wished is not None:
        raise InvalidValue("projectRepositoryId", f"The project {project.name} has no repository {wished}")
    if repository is not None and (repository.project_id != project.id or wished not in (None, repository.id)):
        raise InvalidValue(
            "projectRepositoryId", f"The project {project.name} has no repository {wished or repository.id}"
        )
