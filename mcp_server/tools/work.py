"""What an agent reports while it works: tasks, notes, the solution, the end of its stage, a question, a limit."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import takewhile
from typing import Annotated

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.entities import JsonObject, Mission, NoteKind, Session
from ...missions.errors import InvalidValue, NotAllowed
from ...missions.ids import short_id
from ...missions.limits import TOOL_TASKS_MAX
from ...missions.operations import missions, review
from ...missions.rules import plan
from ..caller import McpCaller
from . import guards, views
from .arguments import Arguments, Filled, MissionRef, Note, Title, Version
from .registry import Data, Reply, Tool

AFTER_REVIEW = "A person reviews it now. End your turn; feedback comes back to this conversation."
AFTER_STAGE = "This stage is finished. End your turn; the next stage starts in a session of its own."
LATELY = 20
"""Events of a mission among which a note that is said again is looked for."""
AFTER_LAST = "That was the last stage: the work lands now. End your turn."


Some = Annotated[tuple[Title, ...], Field(max_length=TOOL_TASKS_MAX)]


class UpdateTasks(Arguments):
    """The plan and how far it has come."""

    titles: Annotated[Some, Field(description="The whole plan instead")] | None = None
    finished: Annotated[int, Field(ge=0, le=TOOL_TASKS_MAX, description="With titles: how many are done")] | None = None
    add: Annotated[Some, Field(description="Titles")] = ()
    check: Annotated[Some, Field(description="Done: ids or titles, in any order")] = ()
    uncheck: Annotated[Some, Field(description="Not done after all")] = ()
    order: Annotated[Some, Field(description="Ids, as they come next")] = ()
    expected_version: Annotated[Version, Field(description="Where titles leave tasks out")] | None = None
    mission: MissionRef | None = None


def update_tasks(access: MissionAccess, caller: McpCaller, given: UpdateTasks) -> Reply:
    """The whole plan, or single tasks of it."""
    mission = mine(access, caller, given.mission, "changing its tasks")
    changes = plan.TaskChanges(given.add, given.check, given.uncheck, given.order)
    if given.titles is None and changes == plan.TaskChanges():
        raise InvalidValue("arguments", "Nothing to change was given", todo="give titles, add, check, uncheck or order")
    if given.titles is not None:
        mission = _replaced(access, caller, mission, given.titles, given)
    elif given.expected_version is not None:
        guards.at_version(mission, given.expected_version)
    if changes != plan.TaskChanges():
        mission = access.write(caller.author, missions.change_tasks, mission.id, changes)
    told = written(mission) | {"tasks": f"{mission.tasks_current}/{len(mission.tasks)}"}
    return Data(told if given.titles is None and not given.add else told | {"plan": views.tasks(mission)})


def _replaced(
    access: MissionAccess, caller: McpCaller, mission: Mission, titles: tuple[str, ...], given: UpdateTasks
) -> Mission:
    """The mission with another plan; one that leaves out tasks of the plan there is names the version it replaces."""
    if given.finished is not None and given.finished > len(titles):
        raise InvalidValue(
            "finished", f"`finished` is {given.finished} of {len(titles)} tasks", todo="count from the first task"
        )
    old = [task.title for task in mission.tasks]
    done = len(list(takewhile(old[: mission.tasks_current].__contains__, titles)))
    finished = done if given.finished is None else given.finished
    if (list(titles), finished) == (old, mission.tasks_current):
        return mission  # said again
    if given.expected_version is None and not set(old) <= set(titles):
        raise InvalidValue(
            "expected_version",
            f"{short_id(mission.number)} has tasks that `titles` leaves out",
            todo=f"use add and check, or give expected_version {mission.version} to replace the plan",
        )
    guards.at_version(mission, given.expected_version)
    return access.write(caller.author, missions.update_tasks, mission.id, titles, finished)


class AddNote(Arguments):
    """What to tell people."""

    text: Annotated[Note, Field(description="Markdown")]
    kind: Annotated[NoteKind, Field(description="What it is")] = "progress"
    mission: MissionRef | None = None


def add_note(access: MissionAccess, caller: McpCaller, given: AddNote) -> Reply:
    """Into the history, where people read it."""
    mission = guards.writable(access, caller, given.mission)
    _note(access, caller, mission, given.kind, given.text)
    return Data(written(access.mission(mission.id)))


def _note(access: MissionAccess, caller: McpCaller, mission: Mission, kind: NoteKind, text: str) -> None:
    """Said again, it stands there once."""
    said = (f"noted_{kind}", text.strip(), caller.author)
    lately = access.history(mission.id, limit=LATELY)
    if not any((one.kind, one.note, one.author) == said for one in lately):
        access.write(caller.author, missions.add_note, mission.id, kind, text)


class AttachSolution(Arguments):
    """The result as a document."""

    text: Annotated[Filled, Field(description="Markdown")]
    mission: MissionRef | None = None


def attach_solution(access: MissionAccess, caller: McpCaller, given: AttachSolution) -> Reply:
    """In the place of the former one, which the history keeps."""
    mission = mine(access, caller, given.mission, "changing its solution")
    return Data(written(access.write(caller.author, missions.attach_solution, mission.id, given.text)))


class FinishStage(Arguments):
    """What a reviewer needs to know."""

    summary: Annotated[Note, Field(description="What was done")]
    to_check: Annotated[Note, Field(description="What the reviewer should look at")] | None = None
    mission: MissionRef | None = None


def complete_stage(access: MissionAccess, caller: McpCaller, given: FinishStage) -> Reply:
    """Once in a session: a repeated call changes nothing and says so."""
    mission = guards.writable(access, caller, given.mission)
    session = guards.live_session(access, caller, mission)
    if session is not None and _finished(session, mission):
        return Data(written(mission) | {"already": True, "next": _next(mission)})
    guards.not_running(caller, mission)
    guards.gate_open(mission, "completing its stage")
    mission = access.write(caller.author, review.complete_stage, mission.id, given.summary, given.to_check)
    return Data(written(mission) | {"next": _next(mission)})


def request_review(access: MissionAccess, caller: McpCaller, given: FinishStage) -> Reply:
    """Whatever the flow says, a person looks before it goes on."""
    mission = guards.writable(access, caller, given.mission)
    session = guards.live_session(access, caller, mission)
    if session is not None and _finished(session, mission):
        return Data(written(mission) | {"already": True, "next": _next(mission)})
    if (mission.review_status, mission.stage_summary, session) == ("pending", given.summary.strip(), None):
        return Data(written(mission) | {"already": True, "next": _next(mission)})
    guards.not_running(caller, mission)
    guards.gate_open(mission, "requesting a review")
    mission = access.write(caller.author, review.request_review, mission.id, given.summary, given.to_check)
    return Data(written(mission) | {"next": _next(mission)})


class ReportLimit(Arguments):
    """How long the provider refuses."""

    until: Annotated[datetime, Field(description="When it resets, ISO 8601 with zone")]
    text: Annotated[Note, Field(description="The provider's own words")]


def report_limit(access: MissionAccess, caller: McpCaller, given: ReportLimit) -> Reply:
    """The agent of this run is parked until then; its missions keep their place."""
    if given.until.tzinfo is None:
        raise InvalidValue("until", "`until` has no time zone", todo="write it like 2026-01-31T17:30:00Z")
    mission = guards.writable(access, caller, None)
    until = given.until.astimezone(UTC)
    access.set_agent_limit(caller.name, until, by=caller.author)
    _note(access, caller, mission, "blocker", f"Usage limit of {caller.name}: {given.text}")
    return Data(written(access.mission(mission.id)) | {"until": until.isoformat().replace("+00:00", "Z")})


def mine(access: MissionAccess, caller: McpCaller, ref: str | None, doing: str) -> Mission:
    mission = guards.writable(access, caller, ref)
    guards.not_running(caller, mission)
    guards.gate_open(mission, doing)
    return mission


def _finished(session: Session, mission: Mission) -> bool:
    """Whether this session already did the one stage it was started for."""
    if not session.stage_finished and session.stage != mission.stage:
        raise NotAllowed(
            f"{short_id(mission.number)} is at stage {mission.stage}; this session was started for {session.stage}",
            todo="end your turn; the next stage starts in a session of its own",
        )
    return session.stage_finished


def written(mission: Mission) -> JsonObject:
    """What every write answers: where the mission stands now."""
    return {"id": short_id(mission.number), "version": mission.version, "list": mission.list, "stage": mission.stage}


def _next(mission: Mission) -> str:
    if mission.review_status == "pending":
        return AFTER_REVIEW
    if mission.landing_status is not None or mission.list in ("done", "loop"):
        return AFTER_LAST
    return AFTER_STAGE


TOOLS = (
    Tool(
        "update_tasks",
        "Keep the plan current, when you plan and after each task. It answers the tasks with their ids.",
        UpdateTasks,
        update_tasks,
        "work",
        "set",
        always_load=True,
    ),
    Tool(
        "add_note",
        "Tell people something worth keeping: progress, a decision with its reason, a blocker.",
        AddNote,
        add_note,
        "work",
        "add",
        always_load=True,
    ),
    Tool(
        "attach_solution",
        "The result as a document: approach, what changed, how it was checked.",
        AttachSolution,
        attach_solution,
        "work",
        "set",
    ),
    Tool(
        "complete_stage",
        "Your stage is finished, checked and committed: review, next stage or landing follow. Then end your turn.",
        FinishStage,
        complete_stage,
        "work",
        "set",
        always_load=True,
        face="run",
    ),
    Tool(
        "request_review",
        "Have a person review the stage before it goes on, even if the flow does not require it.",
        FinishStage,
        request_review,
        "work",
        "set",
        always_load=True,
    ),
    Tool(
        "report_limit",
        "Your provider's usage limit is reached: park this agent until it resets.",
        ReportLimit,
        report_limit,
        "work",
        "set",
        face="run",
    ),
)
