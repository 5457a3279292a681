"""`guide write|remove|status|show`: what agents read of Solo Unicorn in a checkout, and what a session begins with."""

from __future__ import annotations

from pathlib import Path

from ...mcp_server.install.guide import PARTS, GuideDone, remove_guide, standing, write_guide
from ...mcp_server.install.installing import project_root
from ...missions.entities import JsonObject
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser

TOLD = {
    "written": "written",
    "changed": "updated",
    "already": "already installed",
    "removed": "removed",
    "absent": "not there",
}
STANDS = {"already": "there", "changed": "another version", "absent": "-"}


def _change_arguments(parser: Parser) -> None:
    parser.add_argument(
        "parts",
        nargs="*",
        choices=[*PARTS, []],
        metavar="block|skill|hook",
        help="the parts to write (default: all three)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")


def _write(options: Options) -> None:
    _tell(options, write_guide(project_root(Path.cwd()), options.parts or PARTS, dry=options.dry_run))


def _remove(options: Options) -> None:
    _tell(options, remove_guide(project_root(Path.cwd()), options.parts or PARTS, dry=options.dry_run))


def _tell(options: Options, done: list[GuideDone]) -> None:
    """What became of each file."""
    would = "would be " if options.dry_run else ""
    Output(options).table(
        ("PART", "OUTCOME", "FILE"),
        [(one.part, would + TOLD[one.became], str(one.file)) for one in done],
        [_wire(one) | {"dryRun": options.dry_run} for one in done],
    )


def _wire(one: GuideDone) -> JsonObject:
    return {"part": one.part, "file": str(one.file), "outcome": one.became}


def _status(options: Options) -> None:
    found = standing(project_root(Path.cwd()))
    Output(options).table(
        ("PART", "STATE", "FILE"),
        [(one.part, STANDS[one.became], str(one.file)) for one in found],
        [_wire(one) for one in found],
    )


def _show_arguments(parser: Parser) -> None:
    """None of its own."""


def _show(options: Options) -> None:
    """A run of ours has a prompt that says all this: it is told nothing."""
    from ...config.acting import acting_session
    from ...workspace import queries
    from ...worktrees.repository.around import place_of

    with workspace() as opened:
        place = place_of(opened, Path.cwd())
        ours = acting_session() is not None
        told = not ours and len(place.projects) == 1
        text = opened.read(queries.greeting.greeting, place.projects[0], place.mission) if told else ""
    output = Output(options)
    if text or options.json:
        output.text(text, {"text": text})
    elif ours:
        output.note("Nothing: the prompt of this session says it already.")
    elif place.projects:
        output.note("Nothing: several projects have a checkout of this repository.")
    else:
        output.note("Nothing: no project has a checkout here. `solo-unicorn repo add` links this one to a project.")


COMMANDS = {
    "write": Command(_change_arguments, _write),
    "remove": Command(_change_arguments, _remove),
    "status": Command(_show_arguments, _status),
    "show": Command(_show_arguments, _show),
}
