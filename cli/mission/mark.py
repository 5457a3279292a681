"""`mission mark`: what of a mission's change a person has reviewed."""

from __future__ import annotations

from ...missions.entities import JsonObject
from ...missions.errors import NotFound, UsageError
from ...workspace import operations, queries
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser
from ..shapes import ref
from .diff import worktree_of


def _arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    parser.add_argument("files", metavar="FILE", nargs="*", help="files as shown by `mission diff`")
    parser.add_argument("--all", action="store_true", help="every file that the mission changed")
    parser.add_argument("--unreviewed", action="store_true", help="unmark them")


def _mark(options: Options) -> None:
    from ...worktrees.diff.differences import mission_diff

    if bool(options.files) == options.all:
        raise UsageError("Which files?", todo="name them, or give --all")
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        state = opened.read(queries.missions.change_state_of, mission.id)
        found = mission_diff(worktree_of(mission, state), state.base)
        known = {one.path: one for one in found.files}
        for name in options.files:
            if name not in known:
                raise NotFound(
                    f"{ref(mission)} did not change the file {name!r}",
                    todo=f"`solo-unicorn mission diff {ref(mission)} --stat` lists them",
                )
        wanted = list(known) if options.all else options.files
        runs = [run for name in wanted for run in known[name].runs]
        reading = opened.write(operations.review_marks.mark, mission.id, runs, reviewed=not options.unreviewed)
    done = sum(reading.has(one.runs) for one in found.files)
    verb = "not reviewed" if options.unreviewed else "reviewed"
    facts: JsonObject = {"files": list(wanted), "reviewed": done, "of": len(found.files)}
    Output(options).done(f"{', '.join(wanted)}: {verb}; {done} of {len(found.files)} files are", facts)


COMMANDS = {"mark": Command(_arguments, _mark)}
