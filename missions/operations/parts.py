"""Flows, actors and repositories of a project: made, changed, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ..entities import Actor, Flow, Mission, ProjectRepository
from ..errors import AlreadyExists, Conflict, InvalidValue
from ..limits import PERSONA_MAX
from ..rules.editing import refit
from ..rules.flows import check_flow
from ..rules.folders import checked_folder
from .checks import changed, check_name
from .port import AnyPart, Change, Part

FIXED: Final = frozenset({"id", "project_id", "created_at", "updated_at", "is_system", "missions_using_count"})
"""Fields that nobody sets."""
MADE: Final = {Flow: "flow_created", Actor: "actor_created", ProjectRepository: "repository_added"}
REMOVED: Final = {Flow: "flow_deleted", Actor: "actor_deleted", ProjectRepository: "repository_removed"}
CHANGED: Final = {Flow: "flow_changed", Actor: "actor_changed", ProjectRepository: "repository_changed"}
WORDS: Final = {Flow: "flow", Actor: "actor", ProjectRepository: "repository"}


def create(
    change: Change,
    project: str,
    cls: type[Part],
    name: str,
    values: Mapping[str, object],
    *,
    part_id: str | None = None,
) -> Part:
    """A new flow, actor or repository of a unique name; `values` are further fields by their names.

    `part_id` is an id that the caller chose; a mirror brings the system flows of its machine (`is_system`).
    """
    owner = change.project(project)
    start = cls(part_id or change.new_id(), owner.id, check_name(name), change.now, change.now)
    made = _checked(changed(start, values, FIXED - {"is_system"}))
    _refuse_taken(change, made)
    change.save_part(None, made)
    change.event(owner.id, MADE[cls], note=made.name)
    return made


def edit(
    change: Change, cls: type[Part], ref: str, changes: Mapping[str, object], *, project: str | None = None
) -> Part:
    """Change fields of a part by their names; missions of a flow whose stages changed are fitted to it."""
    before = change.part(cls, ref, change.project(project).id if project else None)
    if isinstance(before, Flow) and before.is_system:
        raise Conflict(f"{before.name} is a system flow", todo="create your own flow with these stages")
    after = _checked(changed(before, changes, FIXED))
    if after == before:
        return before
    if after.name != before.name:
        _refuse_taken(change, after)
    after = replace(after, updated_at=change.now)
    missions = change.missions_using(after) if _restaged(before, after) else ()
    change.save_part(before, after)
    change.event(after.project_id, CHANGED[cls], note=after.name)
    for mission in missions:
        assert isinstance(after, Flow)
        change.save(mission, refit(mission, after, now=change.now), "refitted", note=after.name)
    return after


def remove(change: Change, cls: type[Part], ref: str, *, project: str | None = None) -> Part:
    """Remove a part that no mission needs; files of a repository stay. Conflict names what holds it."""
    part = change.part(cls, ref, change.project(project).id if project else None)
    _refuse_used(part, [mission for mission in change.missions_using(part) if _needs(mission, part)])
    owner = change.project(part.project_id)
    if isinstance(part, Actor) and owner.default_actor_id == part.id:
        change.save_project(owner, replace(owner, default_actor_id=None))
    change.drop_part(part)
    change.event(part.project_id, REMOVED[cls], note=part.name)
    return part


def _checked(part: Part) -> Part:
    part = replace(part, name=check_name(part.name))
    if isinstance(part, ProjectRepository):
        part = changed(part, {"folder": checked_folder(part.folder)}, FIXED)
    if isinstance(part, Flow):
        check_flow(part)
    elif isinstance(part, ProjectRepository) and part.max_concurrent_missions < 0:
        raise InvalidValue("maxConcurrentMissions", "The limit cannot be negative", todo="0 means no limit")
    elif isinstance(part, Actor) and max(len(part.methodology), len(part.focus)) > PERSONA_MAX:
        raise InvalidValue("methodology", f"A persona has at most {PERSONA_MAX} characters", todo="shorten it")
    return part


def _refuse_taken(change: Change, part: Part) -> None:
    for other in change.parts(type(part), part.project_id):
        if other.name == part.name and other.id != part.id:
            raise AlreadyExists(
                f"The project has a {WORDS[type(part)]} {part.name!r} already", id=other.id, todo="choose another name"
            )


def _restaged(before: AnyPart, after: AnyPart) -> bool:
    return isinstance(before, Flow) and isinstance(after, Flow) and before.stage_sequence != after.stage_sequence


def _needs(mission: Mission, part: AnyPart) -> bool:
    """Whether the mission holds the part: any that follows a flow, an open one otherwise."""
    if isinstance(part, Flow):
        return True
    if isinstance(part, Actor):
        return mission.list != "done"
    running = mission.agent_session_status != "INACTIVE" or mission.landing_status is not None
    return running or mission.list in ("doing", "review")


def _refuse_used(part: AnyPart, used: Sequence[Mission]) -> None:
    if isinstance(part, Flow) and (part.is_system or used):
        why = "it is a system flow" if part.is_system else f"{len(used)} mission(s) use it"
        raise Conflict(f"{part.name} cannot be deleted", why=why, todo="give the missions another flow first")
    if used and isinstance(part, Actor):
        raise Conflict(f"{part.name} is used by {len(used)} open mission(s)", todo="give them another actor first")
    if used:
        raise Conflict(
            f"{part.name} is in use by {len(used)} mission(s) in Doing or Review",
            todo="finish, move or delete them first",
        )
