"""What an agent reports while it works: tasks, notes, the solution, the end of its stage, a question, a limit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.entities import JsonObject, Mission, NoteKind, Session
from ...missions.errors import InvalidValue, NotAllowed
from ...missions.ids import short_id
from ...missions.limits import TOOL_TASKS_MAX
from ...missions.operations import missions, review
from ..caller import Caller
from . import guards
from .arguments import Arguments, Filled, Note, Ref, Title, Version
from .registry import Data, Reply, Tool

AFTER_REVIEW = "A person reviews it now. End your turn; feedback comes back to this conversation."
AFTER_STAGE = "This stage is finished. End your turn; the next stage starts in a session of its own."
AFTER_LAST = "That was the last stage: the work lands now. End your turn."


class UpdateTasks(Arguments):
    """The plan and how far it has come."""

    titles: Annotated[list[Title], Field(max_length=TOOL_TASKS_MAX, description="The whole plan, in order")]
    finished: Annotated[int, Field(ge=0, le=TOOL_TASKS_MAX, description="How many, from the first, are done")]
    expected_version: Version | None = None
    mission: Ref | None = None


def update_tasks(access: MissionAccess, caller: Caller, given: UpdateTasks) -> Reply:
    """The whole plan and how much of it is done."""
    if given.finished > len(given.titles):
        raise InvalidValue(
            "finished", f"`finished` is {given.finished} of {len(given.titles)} tasks", todo="Count from the first task"
        )
    mission = mine(access, caller, given.mission, "changing its tasks")
    guards.at_version(mission, given.expected_version)
    mission = access.write(caller.author, missions.update_tasks, mission.id, given.titles, given.finished)
    return Data(written(mission) | {"tasks": f"{mission.tasks_current}/{len(mission.tasks)}"})


class AddNote(Arguments):
    """What to tell people."""

    text: Note
    kind: NoteKind = "progress"
    mission: Ref | None = None


def add_note(access: MissionAccess, caller: Caller, given: AddNote) -> Reply:
    """Into the history, where people read it."""
    mission = guards.writable(access, caller, given.mission)
    access.write(caller.author, missions.add_note, mission.id, given.kind, given.text)
    return Data(written(access.mission(mission.id)))


class AttachSolution(Arguments):
    """The result as a document."""

    text: Annotated[Filled, Field(description="Markdown")]
    mission: Ref | None = None


def attach_solution(access: MissionAccess, caller: Caller, given: AttachSolution) -> Reply:
    """In the place of the former one, which the history keeps."""
    mission = mine(access, caller, given.mission, "changing its solution")
    return Data(written(access.write(caller.author, missions.attach_solution, mission.id, given.text)))


class FinishStage(Arguments):
    """What a reviewer needs to know."""

    summary: Annotated[Note, Field(description="What was done")]
    to_check: Annotated[Note, Field(description="What the reviewer should look at")] | None = None
    mission: Ref | None = None


def complete_stage(access: MissionAccess, caller: Caller, given: FinishStage) -> Reply:
    """Once in a session: a repeated call changes nothing and says so."""
    mission = guards.writable(access, caller, given.mission)
    session = guards.live_session(access, caller, mission)
    if session is not None and _finished(session, mission):
        return Data(written(mission) | {"already": True, "next": _next(mission)})
    guards.not_running(caller, mission)
    guards.gate_open(mission, "completing its stage")
    mission = access.write(caller.author, review.complete_stage, mission.id, given.summary, given.to_check)
    return Data(written(mission) | {"next": _next(mission)})


def request_review(access: MissionAccess, caller: Caller, given: FinishStage) -> Reply:
    """Whatever the flow says, a person looks before it goes on."""
    mission = guards.writable(access, caller, given.mission)
    session = guards.live_session(access, caller, mission)
    if session is not None and _finished(session, mission):
        return Data(written(mission) | {"already": True, "next": _next(mission)})
    guards.not_running(caller, mission)
    guards.gate_open(mission, "requesting a review")
    mission = access.write(caller.author, review.request_review, mission.id, given.summary, given.to_check)
    return Data(written(mission) | {"next": _next(mission)})


class ReportLimit(Arguments):
    """How long the provider refuses."""

    until: Annotated[datetime, Field(description="When it resets, ISO 8601 with zone")]
    text: Annotated[Note, Field(description="The provider's own words")]


def report_limit(access: MissionAccess, caller: Caller, given: ReportLimit) -> Reply:
    """The agent of this run is parked until then; its missions keep their place."""
    if given.until.tzinfo is None:
        raise InvalidValue("until", "`until` has no time zone", todo="Write it like 2026-01-31T17:30:00Z")
    mission = guards.writable(access, caller, None)
    until = given.until.astimezone(UTC)
    access.set_agent_limit(caller.name, until, by=caller.author)
    access.write(caller.author, missions.add_note, mission.id, "blocker", f"Usage limit of {caller.name}: {given.text}")
    return Data(written(access.mission(mission.id)) | {"until": until.isoformat().replace("+00:00", "Z")})


def mine(access: MissionAccess, caller: Caller, ref: str | None, doing: str) -> Mission:
    mission = guards.writable(access, caller, ref)
    guards.not_running(caller, mission)
    guards.gate_open(mission, doing)
    return mission


def _finished(session: Session, mission: Mission) -> bool:
    """Whether this session already did the one stage it was started for."""
    if not session.stage_finished and session.stage != mission.stage:
        raise NotAllowed(
            f"{short_id(mission.number)} stands at stage {mission.stage}; this session was started for {session.stage}",
            todo="End your turn; the next stage starts in a session of its own",
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
        "Keep the plan current: all task titles and how many are finished. Call it when you plan and after each task.",
        UpdateTasks,
        update_tasks,
        "work",
        "replace",
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
        "replace",
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
        "Have a person look at the stage before it goes on, also where the flow asks for none.",
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
