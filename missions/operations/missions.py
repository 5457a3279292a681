"""Missions: created, edited, moved, linked, deleted; what an agent reports about its work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from ..entities import LISTS, Flow, ListName, Mission, NoteKind, Project, ProjectRepository, Relation, Task
from ..errors import Conflict, InvalidValue, NotFound
from ..fields import checked
from ..ids import short_id
from ..limits import LINKS_MAX, NOTE_MAX, TITLE_MAX
from ..rules import creating, dependencies, editing, moving, plan
from ..rules.creating import MissionDraft
from .checks import check_version, text
from .parts import WORDS
from .port import Change, Part

RELATIONS: tuple[Relation, ...] = get_args(Relation)
NOTE_KINDS: tuple[NoteKind, ...] = get_args(NoteKind)


def create(
    change: Change,
    project: str,
    draft: MissionDraft,
    *,
    mission_id: str | None = None,
    list_order: float | None = None,
    complete: Callable[[Mission], Mission] | None = None,
) -> Mission:
    """Put a new mission on a project's board (domain.md, Creating): at the end of its list, with an id of its own.

    `list_order` and `mission_id` are a place and an id that the caller chose; `complete` puts in what else is known
    of a mission that another machine made. A project's only repository is the mission's, unless the draft names one.
    """
    owner = change.project(project)
    if draft.flow_id:
        flow = _part(change, Flow, "flowId", str(draft.flow_id), owner.id)
    else:
        flow = _default_flow(change, owner)
    repository = _repository_for(change, owner.id, draft.project_repository_id)
    into = _list(draft.list or ("loop" if draft.is_loop else "todo"))
    draft = replace(draft, flow_id=flow.id, project_repository_id=repository.id if repository else None)
    mission = creating.create(
        draft,
        project=owner,
        flow=flow,
        repository=repository,
        id=mission_id or change.new_id(),
        number=change.next_number(),
        list_order=change.order(owner.id, into) if list_order is None else list_order,
        now=change.now,
    )
    return change.save(None, mission if complete is None else complete(mission), "created")


def edit(change: Change, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None) -> Mission:
    """Change fields (names of `missions.editing.EDITABLE`); VersionConflict when it changed meanwhile."""
    mission = change.mission(ref)
    check_version(mission, expected_version)
    flow, repository = change.flow_of(mission), None
    if changes.get("flow_id"):
        flow = _part(change, Flow, "flowId", str(changes["flow_id"]), mission.project_id)
        changes = {**changes, "flow_id": flow.id}
    if changes.get("project_repository_id"):
        wished = str(changes["project_repository_id"])
        repository = _part(change, ProjectRepository, "projectRepositoryId", wished, mission.project_id)
        changes = {**changes, "project_repository_id": repository.id}
    after = editing.edit(mission, changes, flow=flow, now=change.now, repository=repository)
    return change.save(mission, after, readied(after.ready) if changes.keys() == {"ready"} else "edited")


def move(
    change: Change,
    ref: str,
    to_list: ListName,
    *,
    before: str | None = None,
    after: str | None = None,
    top: bool = False,
    list_order: float | None = None,
) -> Mission:
    """Move to a list: before or after a mission that stands there, at the top, or (default) at the end.

    `list_order` is a place chosen already.
    """
    mission, to_list = change.mission(ref), _list(to_list)
    if list_order is None:
        list_order = change.order(mission.project_id, to_list, before=before, after=after, top=top, moving=mission.id)
        mission = change.mission(mission.id)  # the list may have been numbered anew to make room
    moved = moving.move(mission, to_list, list_order, flow=change.flow_of(mission), now=change.now)
    return change.save(mission, moved, "moved", placed=True)


def set_ready(change: Change, ref: str, ready: bool) -> Mission:
    """Say that agents may (or may not yet) work on a mission; ready clears what had asked for attention."""
    mission = change.mission(ref)
    return change.save(mission, editing.set_ready(mission, ready, now=change.now), readied(ready))


def delete(change: Change, ref: str) -> Mission:
    """Take a mission off the board. Conflict while it runs."""
    mission = change.mission(ref)
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{short_id(mission.number)} is running", todo="stop its session first, then delete it")
    return change.save(mission, replace(mission, deleted_at=change.now), "deleted")


def restore(change: Change, ref: str) -> Mission:
    """Bring a deleted mission back where it was."""
    mission = change.mission(ref, deleted=True)
    return change.save(mission, replace(mission, deleted_at=None), "restored")


def link(change: Change, ref: str, other: str, relation: Relation = "blocks") -> None:
    """`ref` blocks (or relates to) `other`; Conflict names a cycle (domain.md, Dependencies)."""
    _check_relation(relation)
    mission, second = change.mission(ref), change.mission(other)
    if mission.id == second.id:
        raise Conflict(f"{short_id(mission.number)} cannot be linked with itself", todo="name another mission")
    if relation == "blocks":
        _refuse_cycle(change, mission, second)
    if change.put_link(mission, second, relation):
        _tell_of_link(change, mission, second, relation, "linked")


def unlink(change: Change, ref: str, other: str, relation: Relation = "blocks") -> None:
    """Take a dependency away; NotFound when there is none."""
    _check_relation(relation)
    mission, second = change.mission(ref), change.mission(other, deleted=True)
    if not change.drop_link(mission, second, relation):
        raise NotFound(
            f"{short_id(mission.number)} has no '{relation}' link to {short_id(second.number)}",
            todo="`solo-unicorn mission show` lists its links",
        )
    _tell_of_link(change, mission, second, relation, "unlinked")


def set_links(
    change: Change, ref: str, *, blocked_by: Collection[str] | None = None, relates_to: Collection[str] | None = None
) -> None:
    """Make these the missions that block one, and those it relates to; None leaves them as they are."""
    mission = change.mission(ref)
    blockers, related = change.links(mission.id)
    wishes: tuple[tuple[str, Relation, Collection[str] | None, list[str]], ...] = (
        ("blockedBy", "blocks", blocked_by, blockers),
        ("relatesTo", "relates_to", relates_to, related),
    )
    for field, relation, wished, present in wishes:
        if wished is None:
            continue
        if len(wished) > LINKS_MAX:
            raise InvalidValue(field, f"{field} names {len(wished)} missions", why=f"the limit is {LINKS_MAX}")
        for other in sorted(set(wished) ^ set(present)):
            ends = (other, mission.id) if relation == "blocks" else (mission.id, other)
            (link if other in wished else unlink)(change, *ends, relation)


def update_tasks(
    change: Change, ref: str, titles: Sequence[str], current: int, *, expected_version: int | None = None
) -> Mission:
    """Replace a mission's plan; the first `current` of its tasks are finished."""
    if any(not title.strip() or len(title.strip()) > TITLE_MAX for title in titles):
        raise InvalidValue(
            "tasks", f"A task needs a title of 1 to {TITLE_MAX} characters", todo="give each task one line"
        )
    if not 0 <= current <= len(titles):
        raise InvalidValue(
            "current", f"{current} of {len(titles)} tasks cannot be finished", todo="count finished tasks from 0"
        )
    tasks = tuple(Task(title.strip()) for title in titles)
    checked("tasks", tasks)
    mission = change.mission(ref)
    check_version(mission, expected_version)
    return change.save(mission, replace(mission, tasks=tasks, tasks_current=current), "tasks_updated")


def change_tasks(
    change: Change, ref: str, changes: plan.TaskChanges, *, expected_version: int | None = None
) -> Mission:
    """Change single tasks of a mission's plan and leave the others."""
    mission = change.mission(ref)
    check_version(mission, expected_version)
    after = plan.changed(mission, changes)
    checked("tasks", after.tasks)
    return change.save(mission, after, "tasks_updated")


def add_note(change: Change, ref: str, kind: NoteKind, said: str, *, note_id: str | None = None) -> Mission:
    """Append a note to a mission's history; `note_id` is an id that its writer chose."""
    if kind not in NOTE_KINDS:
        raise InvalidValue(
            "kind", f"{str(kind)[:40]!r} is not a kind of note", todo=f"use one of {', '.join(NOTE_KINDS)}"
        )
    said = text("note", said, NOTE_MAX, "shorten it or split it")
    mission = change.mission(ref)
    change.add_note(mission, f"noted_{kind}", said, note_id=note_id)
    return mission


def attach_solution(change: Change, ref: str, said: str, *, expected_version: int | None = None) -> Mission:
    """Set a mission's solution document (Markdown), in the place of the former one."""
    mission = change.mission(ref)
    check_version(mission, expected_version)
    solution = checked("solution", said)
    if solution is None:
        raise InvalidValue("solution", "The solution is blank", todo="write what was done and how it was checked")
    return change.save(mission, replace(mission, solution=str(solution)), "solution_attached")


def readied(ready: bool) -> str:
    """The kind of event that says whether agents may work on a mission."""
    return "readied" if ready else "unreadied"


def _part(change: Change, cls: type[Part], field: str, ref: str, project_id: str) -> Part:
    """A part of the project that a field names; InvalidValue for one the project does not have."""
    try:
        return change.part(cls, ref, project_id)
    except NotFound as error:
        what = f"The project has no {WORDS[cls]} {ref[:64]!r}"
        raise InvalidValue(field, what, why=error.why, todo=error.todo) from None


def _default_flow(change: Change, owner: Project) -> Flow:
    flows = change.parts(Flow, owner.id)
    if not flows:
        raise InvalidValue("flowId", "The project has no flow", todo="add one first")
    chosen = (flow for flow in flows if flow.id == owner.default_flow_id)
    return next(chosen, None) or next((flow for flow in flows if flow.is_default), flows[0])


def _list(name: ListName) -> ListName:
    if name not in LISTS:
        raise InvalidValue("list", f"{name!r} is not a list", todo=f"use one of {', '.join(LISTS)}")
    return name


def _repository_for(change: Change, project_id: str, wished: str | None) -> ProjectRepository | None:
    """The repository a draft names, else the only one of the project."""
    if wished:
        return _part(change, ProjectRepository, "projectRepositoryId", str(wished), project_id)
    found = change.parts(ProjectRepository, project_id)
    return found[0] if len(found) == 1 else None


def _check_relation(relation: str) -> None:
    if relation not in RELATIONS:
        raise InvalidValue("relation", f"{relation!r} is not a relation", todo=f"use one of {', '.join(RELATIONS)}")


def _refuse_cycle(change: Change, mission: Mission, second: Mission) -> None:
    cycle = dependencies.find_cycle(change.edges(mission.project_id), (mission.id, second.id))
    if cycle:
        names = " → ".join(short_id(change.mission(step, deleted=True).number) for step in cycle)
        raise Conflict(
            f"{short_id(mission.number)} cannot block {short_id(second.number)}",
            why=f"they would wait for each other: {names}",
            todo="remove one of these links first",
        )


def _tell_of_link(change: Change, mission: Mission, second: Mission, relation: Relation, kind: str) -> None:
    change.event(mission.project_id, kind, mission_id=mission.id, note=f"{relation} {second.id}")
    change.event(second.project_id, kind, mission_id=second.id, note=f"{relation} {mission.id}")
    change.recount(second.id)
