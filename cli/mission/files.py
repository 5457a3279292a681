"""`mission attach|files|fetch|detach`: the files of a mission."""

from __future__ import annotations

from pathlib import Path

from ...missions.entities import Attachment
from ...missions.wire import to_wire
from ...sync import replica
from ...workspace import operations, queries
from ...workspace.queries.attachments import content_path
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from ..shapes import at, ref


def _takes_mission(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")


def _attach_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument(
        "file", metavar="FILE", nargs="+", help="files to copy; the originals may then change or be deleted"
    )


def _attach(options: Options) -> None:
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        made = [operations.attachments.attach(opened, mission.id, Path(file)) for file in options.file]
    names = ", ".join(one.name for one in made)
    Output(options).done(f"{names} attached to {ref(mission)}", [to_wire(one) for one in made])


def _files(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(queries.attachments.of_mission, options.mission)
        states = opened.read(replica.files.file_states, opened.read(queries.missions.get, options.mission).id)
    where = [_where(one, states.get(one.id)) for one in found]
    output.table(
        ("NAME", "SIZE", "TYPE", "ADDED", "WHERE"),
        [(one.name, str(one.size), one.mime, at(one.added_at), place) for one, place in zip(found, where, strict=True)],
        [{**to_wire(one), "where": place} for one, place in zip(found, where, strict=True)],
        empty="There are no files. `solo-unicorn mission attach REF FILE` adds one.",
    )


def _where(one: Attachment, state: str | None) -> str:
    """The path of its bytes, with what is missing: not here yet, or not at the hub yet."""
    path = content_path(one)
    if not path.exists():
        return "at the hub: `mission fetch` downloads it"
    return f"{path}  ({'refused by the hub' if state == 'parked' else 'not sent yet'})" if state else str(path)


def _fetch_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("name", metavar="NAME", nargs="*", help="only these files; default: all of them")


def _fetch(options: Options) -> None:
    from ...sync.client.downloads import fetch
    from ..hub.talking import talk

    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        found = opened.read(queries.attachments.of_mission, mission.id)
        if options.name:
            found = [opened.read(queries.attachments.get, mission.id, name) for name in options.name]
        missing = [one for one in found if not content_path(one).exists()]
        account = (
            opened.read(
                replica.connecting.account, opened.read(replica.sync_steps.mirrored, mission.project_id).account
            )
            if missing
            else None
        )
    output = Output(options)
    if account is not None:
        with output.progress("fetching files"):
            for one in missing:
                talk(account, lambda link, one=one: fetch(link, account, one))  # type: ignore[misc]
    for one in found:
        output.note(str(content_path(one)))
    output.done(f"{len(missing)} file(s) fetched, {len(found)} are here", [to_wire(one) for one in found])


def _detach_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("name", metavar="NAME")


def _detach(options: Options) -> None:
    with workspace() as opened:
        gone = opened.write(operations.attachments.detach, options.mission, options.name)
    Output(options).done(f"{gone.name} detached", to_wire(gone))


COMMANDS = {
    "attach": Command(_attach_arguments, _attach),
    "fetch": Command(_fetch_arguments, _fetch),
    "files": Command(_takes_mission, _files),
    "detach": Command(_detach_arguments, _detach),
}
