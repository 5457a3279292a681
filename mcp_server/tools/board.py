"""Reading the board: lists, search, one mission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.entities import Json, JsonObject, ListName, Mission
from ...missions.errors import NotFound
from ...missions.texts import fencing
from ..caller import McpCaller
from . import guards, views
from .arguments import Arguments, MissionRef, ProjectRef, Query
from .registry import Data, Markdown, Reply, Tool

Section = Literal["description", "spec", "tasks", "notes", "solution", "review", "links", "history"]
EXCERPT = 2_000
"""Characters of a description that are shown with the facts; `include` shows all."""
BEGINNABLE: tuple[ListName, ...] = ("doing", "todo", "loop")
PAGE, LOOKED_AT = 500, 5_000
"""Missions that are read at once, and altogether, to find what may be begun."""
WRITTEN: frozenset[Section] = frozenset({"description", "spec", "notes", "solution", "review"})
"""Sections that are Markdown; with one of them the whole answer is."""


class ListMissions(Arguments):
    """Which missions, and how many at once."""

    lists: Annotated[list[ListName], Field(max_length=5, description="Else all")] | None = None
    ready: Annotated[bool, Field(description="Only those that agents may (not) start")] | None = None
    next: Annotated[bool, Field(description="Only what may be begun now, most urgent first")] = False
    project: ProjectRef | None = None
    limit: Annotated[int, Field(ge=1, le=100, description="Rows")] = 20
    cursor: Annotated[str, Field(max_length=200, description="The last answer's nextCursor")] | None = None


def list_missions(access: MissionAccess, caller: McpCaller, given: ListMissions) -> Reply:
    """Rows in board order."""
    project = guards.project(access, caller, given.project)
    if given.next:
        return _next(access, project.id, given)
    page = access.missions(
        project.id, lists=given.lists or None, ready=given.ready, limit=given.limit, cursor=given.cursor
    )
    value: JsonObject = {"missions": [views.row(one) for one in page.items], "total": page.total}
    if page.next_cursor:
        value["nextCursor"] = page.next_cursor
    return Data(value)


def _next(access: MissionAccess, project_id: str, given: ListMissions) -> Reply:
    """What waits for nobody and nothing."""
    found: list[Mission] = []
    cursor: str | None = None
    for _ in range(LOOKED_AT // PAGE):
        page = access.missions(
            project_id, lists=given.lists or BEGINNABLE, ready=given.ready, limit=PAGE, cursor=cursor
        )
        found += [one for one in page.items if one.list in BEGINNABLE and _free(one)]
        cursor = page.next_cursor
        if cursor is None:
            break
    found.sort(key=lambda one: -one.priority)
    return Data({"missions": [views.row(one) for one in found[: given.limit]], "total": len(found)})


def _free(mission: Mission) -> bool:
    waits = mission.dependency_count or mission.question or mission.review_status == "pending"
    return not waits and mission.landing_status is None and mission.agent_session_status == "INACTIVE"


class SearchMissions(Arguments):
    """What to look for."""

    query: Query
    project: ProjectRef | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


def search_missions(access: MissionAccess, caller: McpCaller, given: SearchMissions) -> Reply:
    """Best first; a run sees no text of missions that are not its own."""
    project = guards.project(access, caller, given.project)
    shown: list[Json] = []
    for hit in access.search(given.query, project.id, limit=given.limit):
        if hit.kind != "mission":
            continue
        try:
            mission = access.mission(hit.ref)
        except NotFound:  # deleted between the two reads
            continue
        found = views.row(mission)
        if hit.excerpt and caller.mission_id in (None, mission.id):
            found["excerpt"] = hit.excerpt
        shown.append(found)
    return Data({"missions": shown, "total": len(shown)})


class GetMission(Arguments):
    """Which mission and which sections of it."""

    mission: MissionRef | None = None
    include: Annotated[tuple[Section, ...], Field(max_length=8, description="Else the description")] = ()


def get_mission(access: MissionAccess, caller: McpCaller, given: GetMission) -> Reply:
    """Facts, and the sections that are asked for."""
    mission = guards.readable(access, caller, given.mission)
    if caller.mission_id not in (None, mission.id):
        value = views.row(mission)
        if given.include:
            value["note"] = "Another mission: a run reads its board row only."
        return Data(value)
    value = views.facts(access, mission)
    if not given.include and mission.description:
        value["description"] = fencing.defused(mission.description[:EXCERPT])
    if "tasks" in given.include:
        value["plan"] = views.tasks(mission)
    if "links" in given.include:
        value["links"] = views.links(access, mission)
    if "history" in given.include:
        value["history"] = [views.event(one) for one in access.history(mission.id, limit=30)]
    if WRITTEN.isdisjoint(given.include):
        return Data(value)
    authors = views.authors(access, mission)
    texts = [_written(access, mission, one, authors) for one in given.include if one in WRITTEN]
    return Markdown(value, "\n\n".join(texts))


def _written(access: MissionAccess, mission: Mission, section: Section, authors: Mapping[str, str]) -> str:
    def told(heading: str, text: str | None, source: str) -> str:
        return f"## {heading}\n{fencing.fenced(text, source) if text else '(none)'}"

    def own(heading: str, field: str, text: str | None) -> str:
        return told(heading, text, fencing.source(heading.lower(), field, authors))

    match section:
        case "description":
            return own("Description", "description", mission.description)
        case "spec":
            return own("Specification", "spec", mission.spec)
        case "solution":
            return own("Solution", "solution", mission.solution)
        case "review":
            said = [
                ("Summary", mission.stage_summary),
                ("To check", mission.to_check),
                ("Feedback", mission.review_feedback),
            ]
            return told("Review", "\n\n".join(f"{name}: {text}" for name, text in said if text), "agents and reviewers")
        case _:
            notes = [one for one in access.history(mission.id, limit=1000) if one.kind.startswith("noted_")][-20:]
            lines = [f"- {views.when(one.at)} {one.kind.removeprefix('noted_')}: {one.note}" for one in notes]
            return told("Notes", "\n".join(lines), "notes of agents and people")


TOOLS = (
    Tool(
        "list_missions",
        "Board rows in board order; `next`: what to do next.",
        ListMissions,
        list_missions,
        "missions",
        "read",
    ),
    Tool(
        "search_missions",
        "Missions that match the words, best first. Use this before creating one.",
        SearchMissions,
        search_missions,
        "missions",
        "read",
    ),
    Tool(
        "get_mission",
        "One mission with its version; `include` names the sections to read.",
        GetMission,
        get_mission,
        "missions",
        "read",
    ),
)
