"""What a reviewer said on single lines, the agent's answers, and the order in which it wants its change to be read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.comments import LineComment, lines_then, short_comment
from ...missions.entities import Json, JsonObject
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.limits import COMMENT_MAX, STOPS_MAX
from ...missions.operations import comments
from ..caller import McpCaller
from . import guards, views
from .arguments import Arguments, Filled, MissionRef, Ref
from .registry import Data, Reply, Tool

Said = Annotated[Filled, Field(max_length=COMMENT_MAX)]
LISTED = 50
"""Comments that one answer lists."""
LineNumber = Annotated[int, Field(ge=1, le=2**31)]


class ListComments(Arguments):
    """Which comments."""

    mission: MissionRef | None = None
    all: Annotated[bool, Field(description="Also those that are handled or resolved")] = False


def list_comments(access: MissionAccess, caller: McpCaller, given: ListComments) -> Reply:
    """Those that wait for an answer, with the lines they were written on."""
    mission = guards.readable(access, caller, given.mission)
    found = [one for one in access.comments(mission.id) if one.stop is None and (given.all or one.waits)]
    shown: list[Json] = [_shown(one) for one in found[:LISTED]]
    told: JsonObject = {"id": short_id(mission.number), "comments": shown, "total": len(found)}
    return Data(told | {"more": "Answer these first; then list again"} if len(found) > LISTED else told)


class AnswerComment(Arguments):
    """What was done, or why not."""

    comment: Annotated[Ref, Field(description="Its id, from list_comments")]
    text: Annotated[Said, Field(description="What you did, or why not")]
    handled: Annotated[bool, Field(description="Done; false for a question or objection")] = True
    mission: MissionRef | None = None


def answer_comment(access: MissionAccess, caller: McpCaller, given: AnswerComment) -> Reply:
    """Beside the comment, where the reviewer sees it with the lines before and after."""
    mission = guards.writable(access, caller, given.mission)
    guards.not_running(caller, mission)
    guards.gate_open(mission, "answering a comment")
    wanted = given.comment.upper()
    found = [one for one in access.comments(mission.id) if one.stop is None and one.id.endswith(wanted)]
    if len(found) != 1:
        raise NotFound(f"No comment {given.comment!r} here", todo="list_comments shows their ids")
    last = found[0].answers[-1] if found[0].answers else None
    if last and (last.text, last.author, last.handled) == (given.text.strip(), caller.author, given.handled):
        done = found[0]  # said again
    else:
        done = access.write(caller.author, comments.answer, mission.id, found[0].id, given.text, handled=given.handled)
    left = sum(one.waits for one in access.comments(mission.id))
    return Data({"comment": _shown(done), "waiting": left})


class TourStop(Arguments):
    """A line of the file as it is now, and why to look there."""

    file: Annotated[Filled, Field(max_length=1000)]
    line: Annotated[LineNumber, Field(description="As it is now")]
    reason: Annotated[Said, Field(description="Why to look there")]


class ProposeTour(Arguments):
    """The order in which a reviewer best reads the change."""

    stops: Annotated[list[TourStop], Field(max_length=STOPS_MAX, description="In order")]
    mission: MissionRef | None = None


def propose_tour(access: MissionAccess, caller: McpCaller, given: ProposeTour) -> Reply:
    """In the place of the former one. What no stop names is listed to the reviewer as left out."""
    mission = guards.writable(access, caller, given.mission)
    guards.not_running(caller, mission)
    guards.gate_open(mission, "proposing a tour")
    stops = [comments.TourStop(one.file, one.line, one.reason) for one in given.stops]
    made = access.write(caller.author, comments.propose_tour, mission.id, stops)
    return Data({"id": short_id(mission.number), "stops": len(made)})


def _shown(one: LineComment) -> JsonObject:
    shown: JsonObject = {"id": short_comment(one.id), "file": one.file, "line": one.line, "text": one.text}
    answers: list[Json] = [
        {"by": said.author.name or said.author.kind, "text": said.text, "at": views.when(said.at)}
        for said in one.answers
    ]
    then: list[Json] = [*lines_then(one.anchor)] if one.anchor else []
    optional: dict[str, Json] = {
        "until": one.until,
        "about": None if one.about == "diff" else one.about,
        "before": True if one.side == "old" else None,
        "changedSince": True if one.outdated else None,
        "state": "resolved" if not one.open else "handled" if one.handled else None,
        "linesThen": then or None,
        "suggestion": one.suggestion,
        "answers": answers or None,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


TOOLS = (
    Tool(
        "list_comments",
        "Reviewers' comments on lines, with the lines; a suggestion replaces exactly those.",
        ListComments,
        list_comments,
        "work",
        "read",
    ),
    Tool(
        "answer_comment",
        "Answer each reviewer's comment once you have dealt with it.",
        AnswerComment,
        answer_comment,
        "work",
        "add",
    ),
    Tool(
        "propose_tour",
        "Before you finish a large change: the order in which a person best reads it.",
        ProposeTour,
        propose_tour,
        "work",
        "set",
    ),
)
