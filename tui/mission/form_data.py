"""What the mission form offers and what it saves; runs on the workspace thread."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...missions.entities import Actor, CodeAgent, Flow, Mission, ProjectRepository
from ...missions.errors import InvalidValue, NotFound
from ...missions.ids import short_id
from ...missions.records import record
from ...missions.rules.creating import MissionDraft
from ...missions.rules.editing import overtaken
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from .picker import Other


@record
class FormData:
    """The choices, and the mission that is changed (None for a new one) with its blockers as `M-3 M-9`."""

    flows: tuple[Flow, ...]
    default_flow: str | None
    repositories: tuple[ProjectRepository, ...]
    actors: tuple[Actor, ...]
    agents: tuple[CodeAgent, ...]
    others: tuple[Other, ...] = ()
    """Missions that can be blockers, the newest first."""
    mission: Mission | None = None
    blockers: str = ""


def read(workspace: Workspace, project_id: str, ref: str | None) -> FormData:
    """Everything that the form needs."""
    mission = workspace.read(queries.missions.get, ref) if ref else None
    blockers = [
        short_id(view.other.number)
        for view in (workspace.read(queries.missions.dependencies, mission.id) if mission else ())
        if view.direction == "blocked_by" and view.other is not None
    ]
    project = workspace.read(queries.projects.get, project_id)
    return FormData(
        flows=tuple(workspace.read(queries.projects.flows, project_id)),
        default_flow=(mission.flow_id if mission else None) or project.default_flow_id,
        repositories=tuple(workspace.read(queries.projects.repositories, project_id)),
        actors=tuple(workspace.read(queries.projects.actors, project_id)),
        agents=tuple(agent for agent in workspace.read(queries.workstation.agents) if agent.state == "ready"),
        others=tuple(
            Other(number, title, in_list)
            for number, title, in_list in workspace.read(queries.board.unfinished, project_id)
            if mission is None or number != mission.number
        ),
        mission=mission,
        blockers=" ".join(blockers),
    )


def references(text: str) -> list[str]:
    """`M-3, 9 m-12` as a list."""
    return [part for part in re.split(r"[\s,;]+", text) if part]


def create(workspace: Workspace, project_id: str, draft: MissionDraft, blockers: list[str]) -> Mission:
    """Make a mission; its blockers are looked up first, so that nothing is made when one is not there."""
    others = _blockers(workspace, blockers)
    if not draft.title.strip():
        raise InvalidValue("title", "A mission needs a title", todo="write in one line what to do")
    mission = workspace.write(operations.missions.create, project_id, draft)
    for other in others:
        workspace.write(operations.missions.link, other.id, mission.id)
    return workspace.read(queries.missions.get, mission.id)


@record
class Overtaken:
    """Nothing was saved: these fields say something else by now, in the mission as it is."""

    mission: Mission
    fields: tuple[str, ...]


def change(
    workspace: Workspace, mission: Mission, changes: Mapping[str, object], before: list[str], after: list[str]
) -> Mission | Overtaken:
    """Save what differs from the mission as it was opened; what others changed in other fields stays theirs."""
    now = workspace.read(queries.missions.get, mission.id)
    if theirs := overtaken(mission, now, changes):
        return Overtaken(now, theirs)
    was = {workspace.read(queries.missions.get, ref).id for ref in before}
    wanted = {other.id for other in _blockers(workspace, after)}
    if changes:
        workspace.write(operations.missions.edit, mission.id, changes, expected_version=now.version)
    for other in wanted - was:
        workspace.write(operations.missions.link, other, mission.id)
    for other in was - wanted:
        workspace.write(operations.missions.unlink, other, mission.id)
    return workspace.read(queries.missions.get, mission.id)


def _blockers(workspace: Workspace, refs: list[str]) -> list[Mission]:
    """The missions of references; NotFound in the words of the form."""
    found = []
    for ref in refs:
        try:
            found.append(workspace.read(queries.missions.get, ref))
        except NotFound:
            todo = "choose a mission from the list below the field, or remove the word"
            raise NotFound(f"“{ref}” is not the number of a mission", todo=todo) from None
    return found
