"""`mission log`: what an agent did, from the transcript of its session."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...missions.entities import Json, Session
from ...missions.errors import NotFound
from ...workspace import queries
from ..opening import service_note, workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from ..shapes import ref

if TYPE_CHECKING:
    from ...agents.transcript_view import DisplayEntry, TranscriptView

LOOK_SECONDS = 0.2


def _arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    parser.add_argument("--session", metavar="ID", help="an earlier one; default: the running or last session")
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="follow until the session ends; if one is about to start, wait for it",
    )
    parser.add_argument("--details", action="store_true", help="include the input and output of tools")


def _run(options: Options) -> None:
    from ...config.paths import runs_dir

    output = Output(options)
    session = _awaited(output, options.mission) if options.follow and not options.session else None
    session = session or _session(options.mission, options.session)
    run_dir = runs_dir() / session.id
    if session.phase == "preparing":
        raise NotFound(
            f"Session {session.id} of {options.mission} has no transcript yet",
            why="its worktree is being prepared; the agent starts after that",
            todo=f"`solo-unicorn mission log {options.mission} --follow` waits for it",
        )
    if not (run_dir / "launch.json").is_file():
        never = session.host_pid is None and session.phase == "ended"
        raise NotFound(
            f"Session {session.id} has no transcript" if never else f"The transcript of session {session.id} is gone",
            why=f"its agent did not start: {session.reason}" if never else f"{run_dir} does not hold it",
            todo=f"`solo-unicorn mission history {options.mission}` shows what happened to the mission",
        )
    view = _view(session, run_dir)
    offset = _read(view, run_dir, 0)
    if output.as_json:
        told: list[Json] = [_json(entry) for entry in view.entries]
        output.table(("",), [("",) for _ in told], told, meta={"session": session.id})
        return
    shown = _print(output, view.entries, 0, all_of_it=not options.follow, details=options.details)
    while options.follow:
        ended = _session(options.mission, session.id).phase == "ended"
        offset = _read(view, run_dir, offset)
        shown = _print(output, view.entries, shown, all_of_it=ended, details=options.details)
        if ended:
            return
        time.sleep(LOOK_SECONDS)


def _awaited(output: Output, mission_ref: str) -> Session | None:
    """The running session, else the one that is due: the mission is ready, and the service runs that starts it."""
    said = ""
    while True:
        with workspace() as opened:
            mission = opened.read(queries.missions.get, mission_ref)
            last = next(reversed(opened.read(queries.sessions.find, mission.id)), None)
            why_not = opened.read(queries.sessions.why_not, mission.id, now=opened.now()) or ""
        if last is not None and last.phase == "running":
            return last
        preparing = last is not None and last.phase == "preparing"
        due = mission.ready and mission.list in ("todo", "doing", "loop")
        if not (preparing or due) or service_note() is not None:
            return None
        if not preparing and why_not not in ("", said):
            output.note(f"{ref(mission)} is not running: {why_not}")
            said = why_not
        time.sleep(LOOK_SECONDS)


def _session(mission_ref: str, wish: str | None) -> Session:
    with workspace() as opened:
        mission = opened.read(queries.missions.get, mission_ref)
        sessions = opened.read(queries.sessions.find, mission.id)
    found = [session for session in sessions if wish in (None, session.id)]
    if not found:
        raise NotFound(
            f"{ref(mission)} has no session" + (f" {wish}" if wish else " yet"),
            todo=f"`solo-unicorn mission show {ref(mission)}` says why it is not running",
        )
    return found[-1]


def _view(session: Session, run_dir: Path) -> TranscriptView:
    from ...agents import launch, parsers
    from ...agents.transcript_view import TranscriptView

    return TranscriptView(parsers.parser(launch.attach(run_dir).parser), worktree=session.worktree_path or "")


def _read(view: TranscriptView, run_dir: Path, offset: int) -> int:
    from ...agents import transcript

    while True:
        entries, offset = transcript.read(run_dir, offset)
        if not entries:
            return offset
        view.feed(entries)


def _print(output: Output, entries: list[DisplayEntry], shown: int, *, all_of_it: bool, details: bool) -> int:
    """Print from `shown` on; the last entry may still change, so it waits for the next one unless all is there."""
    until = len(entries) if all_of_it else max(shown, len(entries) - 1)
    for entry in entries[shown:until]:
        stamp = f"{datetime.fromtimestamp(entry.at):%H:%M:%S}" if entry.at else "        "
        mark = {True: " ✓", False: " ✗", None: ""}[entry.ok]
        first, *rest = entry.text.split("\n")
        body = [*rest, *(entry.detail.split("\n") if details and entry.detail else ())]
        output.text("\n".join([f"{stamp}  {first}{mark}", *(f"          {line}" for line in body)]), None)
    return until


def _json(entry: DisplayEntry) -> Json:
    return {"at": entry.at, "kind": entry.kind, "text": entry.text, "detail": entry.detail, "ok": entry.ok}


COMMANDS = {"log": Command(_arguments, _run)}
