"""`sync`: bring connected projects and their hub together; list and settle what the hub refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...config import paths
from ...missions.entities import SYSTEM, Json
from ...missions.errors import SoloUnicornError, TryAgain, UsageError
from ...missions.ids import short_id
from ...sync import replica
from ...workspace import operations, queries
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, may_take_project
from ..shapes import at, at_wire

if TYPE_CHECKING:
    from ...missions.connected import Link, SyncState
    from ...workspace.workspace import Workspace

PATIENCE_SECONDS = 60.0


def _arguments(parser: Parser) -> None:
    may_take_project(parser)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--once", action="store_true", help="read and send everything now, then exit (the default)")
    way.add_argument(
        "--watch", action="store_true", help="keep synchronising until ctrl+c, with one line for each event"
    )
    way.add_argument("--status", action="store_true", help="only show the status")
    way.add_argument("--parked", action="store_true", help="list edits that the hub refused, with the reasons")
    way.add_argument("--recover", action="store_true", help="queue the unsent edits of a lost workspace file again")
    way.add_argument("--retry", metavar="NUMBER", type=int, help="send a refused edit again")
    way.add_argument("--discard", metavar="NUMBER", type=int, help="discard a refused edit")
    parser.add_argument("--lists", metavar="LIST,…", help="mirror only these lists of the project (all: every list)")
    parser.add_argument(
        "--done-days", metavar="N", help="mirror only missions done within this many days (all: every mission)"
    )


def _run(options: Options) -> None:
    with workspace() as opened:
        project = opened.read(queries.projects.get, options.project).id if options.project else None
        if options.lists or options.done_days:
            _select(opened, project, options)
        if options.recover:
            _recover(opened, options)
            return
        if options.parked:
            _list_parked(opened, project, options)
            return
        if options.retry is not None or options.discard is not None:
            _settle_parked(opened, options)
            return
        if options.status:
            _tell(queries.connection.sync_state(opened, project), options)
            return
    _synchronise(project, options)


def _select(opened: Workspace, project: str | None, options: Options) -> None:
    from ...missions.entities import LISTS

    mirror = opened.read(replica.sync_steps.mirrored, project or project_of(opened, None).id)
    project = mirror.project_id
    lists, days = mirror.lists, mirror.days
    if options.lists:
        lists = None if options.lists == "all" else tuple(options.lists.split(","))
        wrong = [name for name in lists or () if name not in LISTS]
        if wrong:
            raise UsageError(f"{wrong[0]!r} is not a valid list", todo=f"choose from {', '.join(LISTS)}, or all")
    if options.done_days:
        if options.done_days != "all" and not options.done_days.isdecimal():
            raise UsageError(f"{options.done_days!r} is not a valid number of days", todo="give a number, or all")
        days = None if options.done_days == "all" else int(options.done_days)
    opened.write(replica.connecting.select_missions, project, lists=lists, days=days)


def _recover(opened: Workspace, options: Options) -> None:
    output = Output(options)
    told = replica.sync_steps.recover_unsent(opened)
    waiting = told.pop("")
    for project_id, count in told.items():
        output.note(f"{opened.read(queries.projects.get, project_id).name}: {count} edit(s) are queued again.")
    if waiting:
        output.note(f"{waiting} edit(s) wait until the account that made them connects their project.")
    output.done(f"{sum(told.values())} edit(s) recovered", {"recovered": dict(told), "waiting": waiting})


def _list_parked(opened: Workspace, project: str | None, options: Options) -> None:
    entries = opened.read(replica.sync_steps.queued, project, parked=True)
    rows, data = [], list[Json]()
    for entry in entries:
        part = str(entry.patch.get("table", ""))
        name = (
            f"{part} {opened.read(replica.sync_steps.part_name, part, entry.entity_id)}"
            if part
            else _name(opened, entry.entity_id)
        )
        what = {"create": "new mission", "part": f"new {part}", "delete": "deletion", "part_delete": "deletion"}.get(
            entry.kind,
            ", ".join(entry.patch.get("fields") or entry.patch),  # type: ignore[arg-type]
        )
        rows.append((str(entry.seq), name, what, entry.error or ""))
        data.append(
            {
                "number": entry.seq,
                "mission": entry.entity_id,
                "name": name,
                "kind": entry.kind,
                "patch": entry.patch,
                "code": entry.error_code,
                "said": entry.error,
                "at": entry.at,
            }
        )
    Output(options).table(("NUMBER", "MISSION", "EDIT", "THE HUB SAYS"), rows, data, empty="The hub refused nothing.")


def _settle_parked(opened: Workspace, options: Options) -> None:
    output = Output(options)
    if options.retry is not None:
        entry = opened.write_as(SYSTEM, replica.sync_steps.retry_parked, options.retry)
        output.done(f"{options.retry} will be sent again", {"number": entry.seq, "mission": entry.entity_id})
    else:
        entry = opened.write_as(SYSTEM, replica.sync_steps.discard_parked, options.discard)
        output.done(f"{options.discard} is discarded", {"number": entry.seq, "mission": entry.entity_id})


def _name(opened: Workspace, mission_id: str) -> str:
    try:
        return short_id(opened.read(queries.missions.get, mission_id).number)
    except SoloUnicornError:
        return mission_id


def _synchronise(project: str | None, options: Options) -> None:
    import asyncio

    if options.watch:
        from .watch import watch

        return watch(project, options)
    from ...sync.client.single_process import EngineRuns, alone
    from ...workspace.sync_state.last_heard import lock_of

    lock = lock_of(paths.made_home() / paths.workspace_db().name)
    try:
        with alone(lock):
            state = asyncio.run(_once(project))
    except EngineRuns:  # another process does it: ask it to, and wait
        state = asyncio.run(_asked(project))
    _tell(state, options)
    if (error := state.failure()) is not None:
        raise error


async def _once(project: str | None) -> SyncState:
    from ...missions.errors import Offline
    from ...sync.client.engine import Engine
    from ...sync.client.fetching import connected
    from ...workspace.thread import WorkspaceThread

    async with WorkspaceThread() as workspace:
        engine = Engine(workspace, connected)
        try:
            troubles = await engine.once(project)
        finally:
            await engine.close()
        state = await workspace.run(queries.connection.sync_state, project)
    if troubles and state.failure() is None:  # files only: the next time they go on where they stand
        raise Offline("Not everything was sent", why=troubles[0].reason, todo="`solo-unicorn sync` continues")
    return state


async def _asked(project: str | None) -> SyncState:
    import asyncio

    from ...sync.client.synchroniser import ANSWERED
    from ...workspace.thread import WorkspaceThread
    from ...workspace.workspace import Workspace

    async with WorkspaceThread() as workspace:
        number = await workspace.write(operations.workstation.request, "sync")
        news = asyncio.Event()
        workspace.on_change(news.set)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    news.clear()
                    if int(await workspace.run(Workspace.meta, ANSWERED) or 0) >= number:
                        return await workspace.run(queries.connection.sync_state, project)
                    await news.wait()
        except TimeoutError:
            raise TryAgain(
                "The process that synchronises did not answer",
                why=f"it was asked {PATIENCE_SECONDS:.0f} seconds ago, and may be busy or hanging",
                todo="`solo-unicorn sync --status` shows the status; `solo-unicorn workstation restart` restarts it",
            ) from None


def _tell(state: SyncState, options: Options) -> None:
    output = Output(options)
    if not state.connected:
        output.note("No project is connected to a hub: `solo-unicorn project connect` or `project publish`.")
    output.record(told(state), shape(state), name=state.word)


def told(state: SyncState) -> list[tuple[str, str]]:
    """How it stands, as pairs for a person."""
    pairs = [
        ("state", state.word),
        ("because", state.sentence),
        ("now", state.todo),
        ("projects", str(state.connected)),
        ("to send", str(state.waiting)),
        ("parked", f"{state.parked} (`solo-unicorn sync --parked`)" if state.parked else ""),
        ("conflicts", f"{state.conflicts} (`solo-unicorn conflicts list`)" if state.conflicts else ""),
        ("sign in", ", ".join(state.signed_out)),
        ("since", at(state.offline_since) if state.offline_since else ""),
        ("read last", at(state.synced_at) if state.synced_at else ""),
        ("archived", ", ".join(link.project for link in state.links if state.kind_of(link) == "archived")),
        *(("hub", hub(link)) for link in state.accounts),
    ]
    return [pair for pair in pairs if pair[1]]


def hub(link: Link) -> str:
    """An account's hub in one line: where, who, and by which way news come."""
    who = link.user or link.profile
    signed = f"signed in as {who}" if link.signed_in else f"signed out ({who})"
    beat = link.heard.heartbeat_at
    heartbeat = f"last heartbeat {beat.astimezone():%H:%M:%S}" if beat else ""
    return ", ".join(part for part in (link.hub, signed, link.heard.connection, heartbeat) if part)


def shape(state: SyncState) -> dict[str, Json]:
    """The state as JSON."""
    from ...missions.wire import to_wire

    return {
        "word": state.word,
        "kind": state.kind,
        "sentence": state.sentence,
        "todo": state.todo,
        "connected": state.connected,
        "waiting": state.waiting,
        "parked": state.parked,
        "conflicts": state.conflicts,
        "signedOut": list[Json](state.signed_out),
        "synchronising": state.synchronising,
        "readOnly": state.read_only,
        "since": at_wire(state.offline_since),
        "syncedAt": at_wire(state.synced_at),
        "oldestWaiting": at_wire(state.oldest_waiting),
        "projects": [{**to_wire(link), "kind": state.kind_of(link)} for link in state.links],
    }


COMMANDS = {"sync": Command(_arguments, _run)}
