"""`workstation start|stop|status|restart|pause|resume|install|uninstall|run`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ...missions.entities import SYSTEM, Json, JsonObject, Mission, Session
from ...missions.wire import to_wire
from ...sync import replica
from ...workspace import operations, queries
from ...workstation import client
from ...workstation.problems import problems_of
from ..hub.sync import hub, shape
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser, nothing
from ..shapes import ref, since

if TYPE_CHECKING:
    from ...sync.client.transport import HttpTransport


def _start_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--background", action="store_true", help="return once the service runs; it runs until it is stopped"
    )


def _start(options: Options) -> None:
    output = Output(options)
    if options.background:
        with output.progress("starting the workstation service"):
            info = client.ensure_running(stay=True)
        output.done(f"The workstation service runs (pid {info.pid})", {"pid": info.pid, "version": info.version})
        if info.notice:
            output.note(info.notice)
        return
    from ...workstation.process import serve

    serve(stay=True, ready=lambda: output.note("The workstation service runs; ctrl+c stops it."))


def _stop_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="also stop running sessions, and kill a service that hangs"
    )


def _stop(options: Options) -> None:
    output = Output(options)
    with output.progress("stopping the workstation service"):
        ran = client.stop(force=options.force)
        told = "The workstation service is stopped" if ran else "The workstation service was not running"
        found: dict[str, Json] = {"stopped": ran}
        if options.force:
            from ...workstation.panic import end_all_sessions

            ended = end_all_sessions()
            told += f"; {len(ended)} session(s) still running were ended" if ended else "; no session runs"
            found["sessions"] = list[Json](ended)
    output.done(told, found)


def _status(options: Options) -> None:
    output = Output(options)
    service: JsonObject | None
    try:
        service = client.status()
    except client.NotRunning:
        service = None
    with workspace() as opened:
        machine = operations.workstation.this_machine(opened)
        sessions = opened.read(queries.sessions.find, active=True)
        missions = {session.mission_id: opened.read(queries.missions.get, session.mission_id) for session in sessions}
        agents = opened.read(queries.workstation.agents)
        paused = opened.read(queries.workstation.paused)
        waiting = len(opened.read(queries.missions.waiting))
        sync = queries.connection.sync_state(opened)
        kept_out = [
            why
            for one in opened.read(replica.connecting.accounts)
            if (why := opened.meta(f"workstation.fenced {one.id}"))
        ]
    state = "not running" if service is None else str(service.get("state", "running"))
    pairs = [
        ("workstation", machine.name),
        (
            "service",
            state if service is None else f"{state}, pid {service.get('pid')}, version {service.get('version')}",
        ),
        *(("problem", f"{one.name}: {one.sentence}") for one in problems_of(service or {})),
        ("paused", "yes, nothing new starts" if paused else ""),
        *(("superseded", why) for why in kept_out),
        ("sync", f"{sync.word}: {sync.sentence}" if sync.connected else ""),
        ("now", sync.todo),
        *(("hub", hub(link)) for link in sync.accounts),
        ("mcp", f"127.0.0.1:{service['mcp_port']}" if service and service.get("mcp_port") else ""),
        *(
            ("agent", f"{one.name}  {one.state.replace('_', ' ')}  {one.detail}".rstrip())
            for one in agents
            if one.enabled
        ),
        *(("session", _session(one, missions[one.mission_id])) for one in sessions),
        ("waits for you", str(waiting) if waiting else ""),
    ]
    found: dict[str, Json] = {
        "running": service is not None,
        "service": {key: value for key, value in service.items() if key != "ok"} if service else None,
        "workstation": to_wire(machine),
        "paused": paused,
        "fencedOff": list[Json](kept_out),
        "sync": shape(sync),
        "agents": [to_wire(one) for one in agents],
        "sessions": [to_wire(one) for one in sessions],
        "waiting": waiting,
    }
    output.record(pairs, found, name=state)


def _session(session: Session, mission: Mission) -> str:
    parts = (ref(mission), session.agent_name, session.stage, since(session.started_at), _does(session))
    return "  ".join(parts).rstrip()


def _does(session: Session) -> str:
    return f"waits for you: {session.waits_for}" if session.waits_for else session.activity


def _restart(options: Options) -> None:
    output = Output(options)
    stay = False
    with output.progress("restarting the workstation service"):
        try:
            stay = client.status().get("stay") is True
        except client.NotRunning:
            stay = True
        client.stop()
        info = client.ensure_running(stay=stay)
    output.done(f"The workstation service was restarted (pid {info.pid})", {"pid": info.pid, "version": info.version})


def _paused(paused: bool) -> Command:
    def run(options: Options) -> None:
        with workspace() as opened:
            operations.workstation.set_paused(opened, paused)
        told = "Nothing new starts on this machine; running sessions continue" if paused else "Missions start again"
        Output(options).done(told, {"paused": paused})

    return Command(nothing, run)


def _install_arguments(parser: Parser) -> None:
    parser.add_argument("--print", action="store_true", dest="only_print", help="only print the unit, change nothing")


def _install(options: Options) -> None:
    from ...workstation import unit

    output = Output(options)
    if options.only_print:
        wanted = unit.unit()
        output.text(wanted.content.decode(), {"path": str(wanted.path), "unit": wanted.content.decode()})
        return
    with output.progress("installing the workstation service"):
        done = unit.install()
    _told(output, "The workstation service will start when you log in", done)


def _uninstall(options: Options) -> None:
    from ...workstation import unit

    output = Output(options)
    with output.progress("uninstalling the workstation service"):
        done = unit.uninstall()
    _told(output, "The workstation service no longer starts by itself", done)


def _told(output: Output, sentence: str, done: list[str]) -> None:
    for one in done:
        output.note(one)
    output.done(sentence, {"done": list[Json](done)})


def _run_arguments(parser: Parser) -> None:
    parser.add_argument("--stay", action="store_true", help="keep running when idle")


def _run(options: Options) -> None:
    from ...workstation.process import serve
    from ...workstation.unit import tell_manager

    def ready() -> None:
        tell_manager("READY=1")
        if not options.quiet:
            print("ready", file=sys.stderr, flush=True)

    serve(stay=options.stay, ready=ready)


def _register_arguments(parser: Parser) -> None:
    parser.add_argument("--name", metavar="NAME", help="the new name of this machine")
    parser.add_argument(
        "--force", action="store_true", help="register as a new workstation, if this home is a copy of another"
    )
    parser.add_argument(
        "--profile", metavar="PROFILE", help="the sign-in whose hub to register at; default: the only one"
    )


def _register(options: Options) -> None:
    from ...missions.errors import Conflict
    from ...sync.client.answers import readable
    from ...sync.client.fetching import registration
    from ...sync.replica.messages import Response
    from ..hub.talking import chosen, talk

    if options.name:
        from ...config import edit

        edit.set_value("workstation.name", options.name)
    with workspace() as opened:
        account = chosen(opened, options.profile)
        if options.force:
            opened.write_as(SYSTEM, operations.workstation.forget)
        machine, generation = operations.workstation.this_machine(opened), opened.read(queries.workstation.generation)

    async def told(link: HttpTransport) -> None:
        answer = await link.send(registration(machine, generation))
        if isinstance(answer, Response) and answer.status == 409:
            raise Conflict(
                f"{account.hub} does not accept this machine as the workstation {machine.name}",
                why=answer.said,
                todo="`solo-unicorn workstation restart` takes over from the other one; "
                "--force registers this machine as a separate workstation",
            )
        readable(answer, account.hub)

    talk(account, told)
    Output(options).done(f"{machine.name} is registered at {account.hub}", to_wire(machine), name=machine.id)


COMMANDS = {
    "register": Command(_register_arguments, _register),
    "start": Command(_start_arguments, _start),
    "stop": Command(_stop_arguments, _stop),
    "status": Command(nothing, _status),
    "restart": Command(nothing, _restart),
    "pause": _paused(True),
    "resume": _paused(False),
    "install": Command(_install_arguments, _install),
    "uninstall": Command(nothing, _uninstall),
    "run": Command(_run_arguments, _run),
}
