"""A person or an agent changes what a mission says (domain.md, Creating)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..entities import Flow, FlowConfig, Mission, ProjectRepository
from ..errors import Conflict, InvalidValue
from ..fields import CHECKS, checked
from ..ids import short_id
from ..wire import wire_name
from .flows import at_stage, check_config, enabled_stages, position
from .landing import awaits_retry, check_branches, retry

EDITABLE: frozenset[str] = frozenset(CHECKS)
"""The fields `edit` takes, by their names in Python. List and order change by `moving.move`."""


def edit(
    mission: Mission,
    changes: Mapping[str, object],
    *,
    flow: Flow,
    now: datetime,
    repository: ProjectRepository | None = None,
) -> Mission:
    """The mission with these fields changed; the same object when nothing differs.

    `flow` is the mission's flow after the change, `repository` the new one when that changes. Raises InvalidValue
    for a value that the rules refuse and Conflict for a change that cannot be made while an agent works, a review
    waits or the mission is being landed.
    """
    values = {field: _wished(field, value) for field, value in changes.items()}
    ready = values.pop("ready", mission.ready)
    edited = replace(mission, **{field: value for field, value in values.items() if field not in _DERIVING})
    edited = _with_tasks(edited, explicit="tasks_current" in values)
    edited = _with_agent(mission, edited)
    edited = _with_flow(mission, edited, values, flow)
    edited = _with_repository(mission, edited, values, repository)
    edited = _with_branch(mission, edited)
    edited = _with_loop(mission, edited)
    if ready != mission.ready:
        edited = set_ready(edited, bool(ready), now=now)
    return mission if edited == mission else replace(edited, updated_at=now)


def overtaken(opened: Mission, now: Mission, changes: Mapping[str, object]) -> tuple[str, ...]:
    """The changed fields that others changed too, and to something else, since a person opened the mission."""
    return tuple(name for name in changes if getattr(now, name) not in (getattr(opened, name), changes[name]))


def set_ready(mission: Mission, ready: bool, *, now: datetime) -> Mission:
    """The mission marked ready or not. Marking it is a person's wish to try again: failures no longer count against
    it, and a landing that failed is queued once more. An open question stays open. Raises Conflict when it is done.
    """
    if not ready:
        return replace(mission, ready=False, updated_at=now)
    if mission.list == "done":
        raise Conflict(f"{short_id(mission.number)} is done", todo="move it out of Done first")
    if awaits_retry(mission):
        return retry(mission, now)
    return replace(
        mission,
        ready=True,
        attempts=0,
        limit_hits=0,
        retry_at=None,
        attention=mission.attention if mission.question else None,
        updated_at=now,
    )


def refit(mission: Mission, flow: Flow, *, now: datetime) -> Mission:
    """The mission after its flow was edited; the same object when nothing differs.

    It stays at its stage if that is still there, else it goes to the one that is now in its place. Raises Conflict
    when it would have to leave its stage while an agent works, a review waits or it is being landed.
    """
    config = _config_for(flow, mission.flow_config)
    stage = _nearest(mission, flow, config)
    if mission.stage not in {one.stage for one in flow.stage_sequence}:
        enabled = enabled_stages(flow, config)
        stage = enabled[min(mission.current_flow_task, len(enabled) - 1)].stage
    if stage != mission.stage:
        _check_stage_may_change(mission)
    fitted = _at(replace(mission, flow_id=flow.id, flow_config=config), stage, flow)
    return mission if fitted == mission else replace(fitted, updated_at=now)


_DERIVING = frozenset({"stage", "flow_id", "flow_config", "project_repository_id"})
"""Fields whose change has consequences for others."""


def _wished(field: str, value: object) -> Any:
    if field not in EDITABLE:
        hint = "Move it on the board" if field in ("list", "list_order") else ""
        raise InvalidValue(wire_name(field), f"{wire_name(field)} cannot be edited", todo=hint)
    return checked(field, value)


def _with_tasks(mission: Mission, *, explicit: bool) -> Mission:
    """Finished tasks are some of the tasks."""
    total = len(mission.tasks)
    if mission.tasks_current <= total:
        return mission
    if explicit:
        raise InvalidValue(
            "tasksCurrent", f"{mission.tasks_current} tasks cannot be finished", why=f"there are {total}"
        )
    return replace(mission, tasks_current=total)


def _with_agent(before: Mission, mission: Mission) -> Mission:
    """A conversation belongs to the agent it was held with."""
    if (before.code_agent_type, before.code_agent_name) == (mission.code_agent_type, mission.code_agent_name):
        return mission
    return replace(mission, last_code_agent_session_id=None, last_code_agent_name=None)


def _with_flow(before: Mission, mission: Mission, values: Mapping[str, Any], flow: Flow) -> Mission:
    if not values.keys() & {"stage", "flow_id", "flow_config"}:
        return mission
    if flow.project_id != mission.project_id or values.get("flow_id", flow.id) not in (None, flow.id):
        raise InvalidValue("flowId", f"The project has no flow {values.get('flow_id')}")
    if "flow_config" in values:
        config = values["flow_config"]
        check_config(flow, config)
    else:
        config = _config_for(flow, mission.flow_config)
    stage = values.get("stage") or _nearest(before, flow, config)
    position(flow, config, stage)
    fitted = _at(replace(mission, flow_id=flow.id, flow_config=config), stage, flow)
    if (fitted.stage, fitted.flow_id) != (before.stage, before.flow_id):
        _check_stage_may_change(before)
    return fitted


def _at(mission: Mission, stage: str, flow: Flow) -> Mission:
    """The mission at a stage: started anew when it is another one, with its place and review rule in any case."""
    started = at_stage(mission, flow, stage)
    if stage != mission.stage:
        return replace(started, landing_status=None, landing_error=None, to_check=None)
    return replace(mission, current_flow_task=started.current_flow_task, requires_review=started.requires_review)


def _nearest(mission: Mission, flow: Flow, config: FlowConfig | None) -> str:
    """The mission's stage where the flow has it enabled, else the next enabled one after it, else the last one.

    In a flow that does not know the stage at all, the first.
    """
    enabled = [stage.stage for stage in enabled_stages(flow, config)]
    names = [stage.stage for stage in flow.stage_sequence]
    if mission.stage not in names:
        return enabled[0]
    following = (name for name in names[names.index(mission.stage) :] if name in enabled)
    return next(following, enabled[-1])


def _config_for(flow: Flow, config: FlowConfig | None) -> FlowConfig | None:
    """What still applies of a mission's config in another flow, or None when nothing does."""
    if config is None:
        return None
    names = {stage.stage for stage in flow.stage_sequence}
    kept = FlowConfig({name: own for name, own in config.stages.items() if name in names})
    return kept if kept.stages and enabled_stages(flow, kept) else None


def _check_stage_may_change(mission: Mission) -> None:
    name = short_id(mission.number)
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{name} is running", why=f"an agent works on its stage {mission.stage}", todo="stop it first")
    if mission.review_status == "pending":
        raise Conflict(
            f"{name} waits for a review of its stage {mission.stage}",
            todo="approve or reject it, or move it out of Review, then change the stage",
        )
    if mission.landing_status == "landing":
        raise Conflict(f"{name} is being landed", todo="wait until that is done")


def _with_repository(
    before: Mission, mission: Mission, values: Mapping[str, Any], repository: ProjectRepository | None
) -> Mission:
    wished = values.get("project_repository_id", before.project_repository_id)
    if wished == before.project_repository_id:
        return mission
    if wished is not None and (
        repository is None or (repository.id, repository.project_id) != (wished, mission.project_id)
    ):
        raise InvalidValue("projectRepositoryId", f"The project has no repository {wished}")
    name = short_id(mission.number)
    if before.agent_session_status != "INACTIVE":
        raise Conflict(f"{name} is running", why="an agent works in its repository", todo="stop it first")
    if before.worktree_path is not None:
        raise Conflict(
            f"{name} has work in its repository",
            why=f"its worktree is {before.worktree_path}",
            todo="finish it there, or create another mission for the other repository",
        )
    branch = "" if wished is None or repository is None else repository.default_branch
    return replace(
        mission,
        project_repository_id=wished,
        repository_id=None if wished is None or repository is None else repository.github_repo_id,
        target_branch=mission.target_branch if "target_branch" in values else branch,
    )


def _with_branch(before: Mission, mission: Mission) -> Mission:
    """A branch that has work on it keeps its name here: renamed in its worktree, the new name is taken over."""
    check_branches(mission)
    if mission.work_branch in (before.work_branch, before.pr_branch_name or before.work_branch):
        return mission
    if before.pr_branch_name or before.agent_session_status != "INACTIVE":
        now = before.pr_branch_name or "its branch"
        raise Conflict(
            f"{short_id(before.number)} works on {now} already",
            why="its agents' work is there",
            todo="rename it in the mission's worktree (`git branch -m NEW`): the "
            "mission then continues under that name",
        )
    return mission


def _with_loop(before: Mission, mission: Mission) -> Mission:
    """A waiting mission that becomes a loop mission stands in `loop`, and back in `todo` when it no longer is one."""
    if mission.is_loop and not before.is_loop and mission.list == "todo":
        return replace(mission, list="loop")
    if before.is_loop and not mission.is_loop and mission.list == "loop":
        return replace(mission, list="todo")
    return mission
