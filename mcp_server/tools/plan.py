"""Writing on the board: create, update, move, link."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.entities import JsonObject, ListName, Mission, Project
from ...missions.errors import InvalidValue, NotAllowed, NotFound
from ...missions.ids import short_id
from ...missions.operations import missions
from ...missions.rules.creating import MissionDraft
from ...missions.rules.flows import enabled_stages
from ..caller import McpCaller
from . import guards, views
from .arguments import Arguments, MissionRef, Priority, ProjectRef, Ref, Text, Title, Version
from .registry import Data, Reply, Tool


class CreateMission(Arguments):
    """A mission to be; everything but its title has a default."""

    title: Annotated[Title, Field(description="One outcome")]
    description: Annotated[Text, Field(description="What and why")] | None = None
    spec: Annotated[Text, Field(description="How, if decided")] | None = None
    priority: Priority = 3
    flow: Annotated[Ref, Field(description="Name; else the project's")] | None = None
    stage: Annotated[Ref, Field(description="Else the first")] | None = None
    agent: Annotated[Ref, Field(description="As claude/opus high")] | None = None
    branch: Annotated[Ref, Field(description="To work on")] | None = None
    target: Annotated[Ref, Field(description="To land on")] | None = None
    depends_on: Annotated[tuple[Ref, ...], Field(max_length=50, description="Missions it waits for")] = ()
    key: Annotated[Ref, Field(description="Same key, same mission")] | None = None
    project: ProjectRef | None = None


def create_mission(access: MissionAccess, caller: McpCaller, given: CreateMission) -> Reply:
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
            raise InvalidValue("depends_on", f"{short_id(blocker.number)} is in another project", todo="leave it out")
    flow = _flow(access, project.id, given.flow)
    if caller.mission_id is not None and flow is not None:
        _check_reviewed(access, project, flow)
    draft = MissionDraft(
        title=given.title,
        description=given.description,
        spec=given.spec,
        priority=given.priority,
        flow_id=flow,
        stage=given.stage.strip().casefold() if given.stage else None,
        work_branch=given.branch,
        target_branch=given.target,
    )
    draft = replace(draft, **_agent(given.agent))
    mission = access.write(caller.author, missions.create, project.id, draft)
    for blocker in blockers:
        access.write(caller.author, missions.link, blocker.id, mission.id, "blocks")
    if remembered:
        access.set_meta(remembered, mission.id)
    return Data(views.row(access.mission(mission.id)))


def _agent(wanted: str | None) -> dict[str, Any]:
    """`claude`, `claude/opus`, `claude high` or `claude/opus high`: the agent, its model and its effort, by our fields.

    What is not named is not in it, so that it stays as it is.
    """
    agent, _, effort = (wanted or "").partition(" ")
    name, _, model = agent.partition("/")
    found = {"code_agent_name": name, "agent_model": model, "agent_effort": effort.strip()}
    return {field: value for field, value in found.items() if value}


def _flow(access: MissionAccess, project_id: str, name: str | None) -> str | None:
    """The flow that is called so, whatever its case; a name that no flow has is left to the rules."""
    if name is None:
        return None
    wanted, flows = name.strip().casefold(), access.flows(project_id)
    return next((one.id for one in flows if wanted in (one.id.casefold(), one.name.casefold())), name)


def _check_reviewed(access: MissionAccess, project: Project, flow_id: str) -> None:
    """NotAllowed for a flow whose last stage lands unreviewed, unless it is the project's default."""
    flow = next((one for one in access.flows(project.id) if one.id == flow_id), None)
    if flow is not None and flow.id != project.default_flow_id and not enabled_stages(flow, None)[-1].require_review:
        raise NotAllowed(
            f"The work of the flow {flow.name} lands without a review: a person chooses it, not a run",
            todo="leave `flow` out, or name one that ends with a review",
        )


class UpdateMission(Arguments):
    """What to replace; what is left out stays."""

    mission: MissionRef | None = None
    title: Annotated[Title, Field(description="One outcome")] | None = None
    description: Annotated[Text, Field(description="What and why")] | None = None
    spec: Annotated[Text, Field(description="How")] | None = None
    priority: Priority | None = None
    agent: Annotated[Ref, Field(description="As claude/opus high")] | None = None
    branch: Annotated[Ref, Field(description="To work on")] | None = None
    ready: Annotated[bool, Field(description="Agents may start on it")] | None = None
    expected_version: Annotated[Version, Field(description="With description or spec")] | None = None


def update_mission(access: MissionAccess, caller: McpCaller, given: UpdateMission) -> Reply:
    """Replace what is given and leave the rest."""
    mission = guards.writable(access, caller, given.mission)
    changes = given.model_dump(include={"title", "description", "spec", "priority"}, exclude_none=True)
    changes |= _agent(given.agent) | ({"work_branch": given.branch} if given.branch is not None else {})
    if not changes and given.ready is None:
        raise InvalidValue("arguments", "Nothing to change was given", todo="give title, description, spec or priority")
    if given.ready is not None and caller.mission_id is not None:
        raise NotAllowed("Only a person may change `ready`", todo="leave it out")
    if given.expected_version is None and not changes.keys().isdisjoint({"description", "spec"}):
        raise InvalidValue(
            "expected_version",
            "`expected_version` is missing",
            why="it protects a text that somebody else may have changed",
            todo=f"read the mission first; it is at version {mission.version} now",
        )
    if all(getattr(mission, field) == value for field, value in changes.items()):
        changes = {}  # said again, or true already
    else:
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

    list: Annotated[ListName, Field(description="Which")]
    mission: MissionRef | None = None
    position: Annotated[Literal["top", "bottom"], Field(description="Where in it")] = "bottom"
    before: Annotated[Ref, Field(description="Or before this mission")] | None = None
    expected_version: Annotated[Version, Field(description="From your last read")] | None = None


def move_mission(access: MissionAccess, caller: McpCaller, given: MoveMission) -> Reply:
    """To another list or place; people's gates hold."""
    mission = guards.writable(access, caller, given.mission)
    guards.at_version(mission, given.expected_version)
    if given.list == "done":
        raise NotAllowed(
            "Only a review or the flow can finish a mission", todo="call complete_stage when it is finished"
        )
    if given.list == "review":
        raise NotAllowed("A mission cannot be moved to review", todo="call request_review with a summary instead")
    guards.gate_open(mission, "moving it")
    before = guards.readable(access, caller, given.before).id if given.before else None
    top = given.position == "top" and before is None
    moved = access.write(caller.author, missions.move, mission.id, given.list, before=before, top=top)
    return Data(views.row(moved))


class LinkMissions(Arguments):
    """The other end and how the two are linked."""

    other: Annotated[Ref, Field(description="The other mission")]
    relation: Annotated[Literal["blocked_by", "blocks", "relates_to"], Field(description="What `mission` does")]
    mission: MissionRef | None = None
    remove: Annotated[bool, Field(description="Remove the link")] = False


def link_missions(access: MissionAccess, caller: McpCaller, given: LinkMissions) -> Reply:
    """One link more, or one less."""
    mission = guards.writable(access, caller, given.mission)
    other = guards.readable(access, caller, given.other)
    if other.project_id != mission.project_id:
        raise InvalidValue("other", f"{short_id(other.number)} is in another project", todo="link within one project")
    if given.remove and caller.mission_id is not None:
        raise NotAllowed("A run may add links, but not remove them", todo="use ask_user if a link is wrong")
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
        "Create a mission for new work: in todo, not ready (a person starts it).",
        CreateMission,
        create_mission,
        "missions",
        "add",
    ),
    Tool(
        "update_mission",
        "Change the given fields of a mission; the others stay.",
        UpdateMission,
        update_mission,
        "missions",
        "set",
    ),
    Tool(
        "move_mission",
        "Move to todo, doing or loop. Never to review (request_review) or done (complete_stage).",
        MoveMission,
        move_mission,
        "missions",
        "set",
    ),
    Tool("link_missions", "Link two missions, or remove a link.", LinkMissions, link_missions, "missions", "replace"),
)
