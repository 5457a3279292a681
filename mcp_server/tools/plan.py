"""Writing on the board: create, update, move, link."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.entities import JsonObject, ListName, Mission
from ...missions.errors import InvalidValue, NotAllowed, NotFound
from ...missions.ids import short_id
from ...missions.operations import missions
from ...missions.rules.creating import MissionDraft
from ..caller import Caller
from . import guards, views
from .arguments import Arguments, Priority, Ref, Text, Title, Version
from .registry import Data, Reply, Tool


class CreateMission(Arguments):
    """A mission to be; everything but its title has a default."""

    title: Title
    description: Text | None = None
    spec: Text | None = None
    priority: Priority = 3
    flow: Ref | None = None
    stage: Ref | None = None
    branch: Ref | None = None
    depends_on: Annotated[tuple[Ref, ...], Field(max_length=50)] = ()
    key: Annotated[Ref, Field(description="A call with the same key returns the same mission")] | None = None
    project: Ref | None = None


def create_mission(access: MissionAccess, caller: Caller, given: CreateMission) -> Reply:
    """A new mission in todo, not ready: a person decides when agents start on it."""
    project = guards.project(access, caller, given.project, to_change=True)
    if caller.mission_id is not None:
        guards.writable(access, caller, None)
    remembered = f"mcp.created.{project.id}.{caller.session_id or caller.name}.{given.key}" if given.key else None
    if remembered and (earlier := access.meta(remembered)):
        with suppress(NotFound):  # deleted since: the key is free again
            return Data(views.row(access.mission(earlier)) | {"already": True})
    blockers = [guards.readable(access, caller, ref) for ref in given.depends_on]
    for blocker in blockers:
        if blocker.project_id != project.id:
            raise InvalidValue("depends_on", f"{short_id(blocker.number)} is in another project", todo="Leave it out")
    draft = MissionDraft(
        title=given.title,
        description=given.description,
        spec=given.spec,
        priority=given.priority,
        flow_id=given.flow,
        stage=given.stage,
        work_branch=given.branch,
    )
    mission = access.write(caller.author, missions.create, project.id, draft)
    for blocker in blockers:
        access.write(caller.author, missions.link, blocker.id, mission.id, "blocks")
    if remembered:
        access.set_meta(remembered, mission.id)
    return Data(views.row(access.mission(mission.id)))


class UpdateMission(Arguments):
    """What to replace; what is left out stays."""

    mission: Ref | None = None
    title: Title | None = None
    description: Text | None = None
    spec: Text | None = None
    priority: Priority | None = None
    branch: Ref | None = None
    ready: Annotated[bool, Field(description="Let agents start; not for runs")] | None = None
    expected_version: Annotated[Version, Field(description="Needed with description or spec")] | None = None


def update_mission(access: MissionAccess, caller: Caller, given: UpdateMission) -> Reply:
    """Replace what is given and leave the rest."""
    mission = guards.writable(access, caller, given.mission)
    changes = given.model_dump(include={"title", "description", "spec", "priority"}, exclude_none=True)
    if given.branch is not None:
        changes["work_branch"] = given.branch
    if not changes and given.ready is None:
        raise InvalidValue("arguments", "Nothing to change was given", todo="Give title, description, spec or priority")
    if given.ready is not None and caller.mission_id is not None:
        raise NotAllowed("`ready` is a person's switch", todo="Leave it out")
    if given.expected_version is None and not changes.keys().isdisjoint({"description", "spec"}):
        raise InvalidValue(
            "expected_version",
            "`expected_version` is missing",
            why="it guards a text that somebody else may have changed",
            todo=f"Read the mission first; it is at version {mission.version} now",
        )
    guards.at_version(mission, given.expected_version)
    guards.gate_open(mission, "changing it")
    if changes:
        mission = access.write(
            caller.author, missions.edit, mission.id, changes, expected_version=given.expected_version
        )
    if given.ready is not None:
        mission = access.write(caller.author, missions.set_ready, mission.id, given.ready)
    return Data(views.row(mission))


class MoveMission(Arguments):
    """Where to."""

    list: ListName
    mission: Ref | None = None
    position: Literal["top", "bottom"] = "bottom"
    before: Ref | None = None
    expected_version: Version | None = None


def move_mission(access: MissionAccess, caller: Caller, given: MoveMission) -> Reply:
    """To another list or place; people's gates hold."""
    mission = guards.writable(access, caller, given.mission)
    guards.at_version(mission, given.expected_version)
    if given.list == "done":
        raise NotAllowed(
            "Only a review or the flow makes a mission done", todo="Call complete_stage when it is finished"
        )
    if given.list == "review":
        raise NotAllowed("A review is asked for, not moved to", todo="Call request_review with a summary")
    guards.gate_open(mission, "moving it")
    before = guards.readable(access, caller, given.before).id if given.before else None
    top = given.position == "top" and before is None
    moved = access.write(caller.author, missions.move, mission.id, given.list, before=before, top=top)
    return Data(views.row(moved))


class LinkMissions(Arguments):
    """The other end and how the two are linked."""

    other: Ref
    relation: Literal["blocked_by", "blocks", "relates_to"]
    mission: Ref | None = None
    remove: bool = False


def link_missions(access: MissionAccess, caller: Caller, given: LinkMissions) -> Reply:
    """One link more, or one less."""
    mission = guards.writable(access, caller, given.mission)
    other = guards.readable(access, caller, given.other)
    if other.project_id != mission.project_id:
        raise InvalidValue("other", f"{short_id(other.number)} is in another project", todo="Link within one project")
    if given.remove and caller.mission_id is not None:
        raise NotAllowed("A run may add links, not take them away", todo="Ask with ask_user when a link is wrong")
    ends = (other, mission) if given.relation == "blocked_by" else (mission, other)
    relation: Literal["blocks", "relates_to"] = "relates_to" if given.relation == "relates_to" else "blocks"
    change = missions.unlink if given.remove else missions.link
    access.write(caller.author, change, ends[0].id, ends[1].id, relation)
    return Data(_linked(access, mission))


def _linked(access: MissionAccess, mission: Mission) -> JsonObject:
    now = access.mission(mission.id)
    return {"id": short_id(now.number), "version": now.version, "links": views.links(access, now)}


TOOLS = (
    Tool(
        "create_mission",
        "Write down new work: a mission in todo, not ready (a person starts it). One outcome each.",
        CreateMission,
        create_mission,
        "missions",
        "add",
    ),
    Tool(
        "update_mission",
        "Replace title, description, spec or priority.",
        UpdateMission,
        update_mission,
        "missions",
        "replace",
    ),
    Tool(
        "move_mission",
        "Move to todo, doing or loop. Never to review (request_review) or done (complete_stage).",
        MoveMission,
        move_mission,
        "missions",
        "set",
    ),
    Tool(
        "link_missions",
        "Say that a mission is blocked_by, blocks or relates_to another; `remove` takes the link away.",
        LinkMissions,
        link_missions,
        "missions",
        "replace",
    ),
)
