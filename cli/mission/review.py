"""`mission approve|reject|answer|say|stop`: what a person says to the agents."""

from __future__ import annotations

import time

from ...config.paths import service_lock
from ...missions.entities import Mission
from ...missions.errors import Conflict
from ...system.locks import is_held
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import service_note, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, text_from
from ..shapes import mission_json, ref

ANSWER_SECONDS, LOOK_SECONDS = 15.0, 0.05
"""How long the service is waited for when words are to be handed over, and how often it is looked whether it has."""


def _takes_mission(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")


def _takes_text(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("text", metavar="TEXT", help="- reads it from standard input")


def _takes_approval(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument(
        "-m", "--message", metavar="TEXT", help="the message of the landing commit; - reads it from standard input"
    )


def _approve(options: Options) -> None:
    with workspace() as opened:
        before = opened.read(queries.missions.get, options.mission)
        failed = before.landing_status == "failed"
        if options.message and (failed or before.list == "review"):
            opened.write(operations.missions.edit, options.mission, {"landing_message": text_from(options.message)})
        approve = operations.landing.retry if failed else operations.review.approve
        mission = opened.write(approve, options.mission)
    _told(options, f"{ref(mission)}: {'landing is tried again' if failed else f'{before.stage} approved'}", mission)


def _reject(options: Options) -> None:
    with workspace() as opened:
        mission = opened.write(operations.review.reject, options.mission, text_from(options.text))
    _told(options, f"{ref(mission)}: {mission.stage} goes back with your feedback", mission)


def _answer(options: Options) -> None:
    with workspace() as opened:
        mission = opened.write(operations.review.answer, options.mission, text_from(options.text))
    _told(options, f"{ref(mission)} answered", mission)


def _say(options: Options) -> None:
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        if mission.list == "done":
            raise Conflict(f"{ref(mission)} is done", todo="move it to Todo or Doing first")
        text = text_from(options.text)
        if mission.agent_session_status == "INACTIVE" or not is_held(service_lock()):
            why = "no agent works on it now" if mission.agent_session_status == "INACTIVE" else "no service runs"
            opened.write(operations.dispatch.said, mission.id, text, later=why)
            _told(options, f"{ref(mission)}: kept for its next session, because {why}", mission)
            return
        asked = opened.write(
            operations.workstation.request,
            "say",
            mission=mission.id,
            session=mission.session_id,
            payload={"text": text},
        )
        sentence = _what_became_of(opened, asked, mission)
    _told(options, f"{ref(mission)}: {sentence}", mission)


def _what_became_of(opened: Workspace, request: int, mission: Mission) -> str:
    """Whether the words reached the agent, once the service has tried."""
    until = time.monotonic() + ANSWER_SECONDS
    while any(one.id == request for one in opened.read(queries.workstation.requests)):
        if time.monotonic() > until:
            return "not delivered yet: the service is busy; `solo-unicorn mission history` shows when it is"
        time.sleep(LOOK_SECONDS)
    said = [one for one in opened.read(queries.missions.history, mission.id) if one.kind in ("said", "said_later")]
    if said and said[-1].kind == "said":
        return "handed to the agent"
    why = said[-1].note.rpartition("\n(")[2].rstrip(")") if said else "the service could not deliver it"
    return f"kept for its next turn, because {why}"


def _stop(options: Options) -> None:
    with workspace() as opened:
        mission = _running(opened.read(queries.missions.get, options.mission))
        opened.write(operations.workstation.request, "stop_session", mission=mission.id, session=mission.session_id)
    _told(options, f"{ref(mission)} was asked to stop", mission)


def _running(mission: Mission) -> Mission:
    if mission.agent_session_status == "INACTIVE":
        raise Conflict(
            f"{ref(mission)} is not running", todo=f"`solo-unicorn mission show {ref(mission)}` says what it waits for"
        )
    return mission


def _told(options: Options, sentence: str, mission: Mission) -> None:
    output = Output(options)
    output.done(sentence, mission_json(mission))
    note = service_note()
    if note:
        output.note(note)


COMMANDS = {
    "approve": Command(_takes_approval, _approve),
    "reject": Command(_takes_text, _reject),
    "answer": Command(_takes_text, _answer),
    "say": Command(_takes_text, _say),
    "stop": Command(_takes_mission, _stop),
}
