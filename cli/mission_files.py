"""`mission attach|files|detach`: the files of a mission."""

from __future__ import annotations

from pathlib import Path

from ..missions.wire import to_wire
from ..sync.attachments import content_path
from .opening import workspace
from .output import Output
from .parsing import Command, Options, Parser
from .shapes import at, ref


def _takes_mission(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")


def _attach_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("file", metavar="FILE", nargs="+", help="a copy is kept; the original may change or go")


def _attach(options: Options) -> None:
    with workspace() as opened:
        mission = opened.mission(options.mission)
        made = [opened.add_attachment(mission.id, Path(file)) for file in options.file]
    names = ", ".join(one.name for one in made)
    Output(options).done(f"{names} attached to {ref(mission)}", [to_wire(one) for one in made])


def _files(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.attachments(options.mission)
    output.table(
        ("NAME", "SIZE", "TYPE", "ADDED", "PATH"),
        [(one.name, str(one.size), one.mime, at(one.added_at), str(content_path(one))) for one in found],
        [to_wire(one) for one in found],
        empty="No files. `solo-unicorn mission attach REF FILE` adds one.",
    )


def _detach_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("name", metavar="NAME")


def _detach(options: Options) -> None:
    with workspace() as opened:
        gone = opened.remove_attachment(options.mission, options.name)
    Output(options).done(f"{gone.name} detached", to_wire(gone))


COMMANDS = {
    "attach": Command(_attach_arguments, _attach),
    "files": Command(_takes_mission, _files),
    "detach": Command(_detach_arguments, _detach),
}
