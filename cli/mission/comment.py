"""`mission comment add|list|resolve|delete`: what a reviewer says on single lines of a mission's diff."""

from __future__ import annotations

from ...missions.comments import SIDES, LineComment, Side
from ...missions.entities import SYSTEM, Mission
from ...missions.errors import NotFound, UsageError
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser, text_from
from ..shapes import ref

ID_SHOWN = 6
"""The last characters of a comment's id, which is enough to name it."""


def _arguments(parser: Parser) -> None:
    verbs = parser.add_subparsers(dest="action", metavar="add|list|resolve|delete", required=True)
    add = verbs.add_parser("add", description="Comment on a line of what the mission changed.")
    add.add_argument("mission", metavar="REF")
    add.add_argument("place", metavar="FILE:LINE", help="the file below the repository's top, and its line")
    add.add_argument("text", metavar="TEXT", help="- reads it from standard input")
    add.add_argument(
        "--side", choices=SIDES, default="new", help="the file as it is now, or (old) as it was before; default: new"
    )
    shown = verbs.add_parser("list", description="List the comments with the lines they stand on now.")
    shown.add_argument("mission", metavar="REF")
    shown.add_argument("--all", action="store_true", help="those that are resolved, too")
    for verb, about in (("resolve", "Say that nothing is left to do about it."), ("delete", "Take it away.")):
        one = verbs.add_parser(verb, description=about)
        one.add_argument("comments", metavar="ID", nargs="+", help="as `mission comment list` shows it")
        if verb == "resolve":
            one.add_argument("--reopen", action="store_true", help="the opposite: there is something to do after all")


def _run(options: Options) -> None:
    {"add": _add, "list": _list, "resolve": _resolve, "delete": _delete}[options.action](options)


def _add(options: Options) -> None:
    file, _, number = options.place.rpartition(":")
    if not file or not number.isdecimal():
        raise UsageError(f"{options.place!r} names no line", todo="give it as FILE:LINE, for instance src/pay.py:42")
    text = text_from(options.text)
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        comment = commented(opened, mission, file, int(number), options.side, text)
    Output(options).done(f"{ref(mission)}: comment on {file}:{number}", to_wire(comment), name=_short(comment))


def commented(opened: Workspace, mission: Mission, file: str, line: int, side: Side, text: str) -> LineComment:
    """A new comment, anchored by what stands on that line now."""
    from ...worktrees.diff.comments import anchor_of

    state = opened.read(queries.missions.change_state_of, mission.id)
    if state.worktree_path is None:
        raise NotFound(f"{ref(mission)} has no worktree", why="there is no diff to comment on")
    anchor = anchor_of(state.worktree_path, state.base, file, line, side)
    return opened.write(operations.comments.add, mission.id, file, line, side, text, anchor=anchor)


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = placed(opened, opened.read(queries.missions.get, options.mission))
    shown = [one for one in found if one.open or options.all]
    output.table(
        ("ID", "WHERE", "STATE", "TEXT"),
        [
            (
                _short(one),
                f"{one.file}:{one.line}{' (old)' if one.side == 'old' else ''}",
                "resolved" if not one.open else "outdated" if one.outdated else "open",
                one.text,
            )
            for one in shown
        ],
        [to_wire(one) for one in shown],
        empty="No line comments.",
    )


def placed(opened: Workspace, mission: Mission) -> list[LineComment]:
    """The comments of a mission where they stand now, which is kept."""
    from ...worktrees.diff.comments import place_comments

    found, state = (
        opened.read(queries.comments.of_mission, mission.id),
        opened.read(queries.missions.change_state_of, mission.id),
    )
    if state.worktree_path is None or not found:
        return found
    try:
        now = place_comments(found, state.worktree_path, state.base)
    except NotFound:  # the worktree is gone: they stay where they were
        return found
    moved = [one for one, before in zip(now, found, strict=True) if one != before]
    if moved and not opened.read_only:
        opened.write_as(SYSTEM, operations.measured.keep_comments, moved)
    return now


def _resolve(options: Options) -> None:
    with workspace() as opened:
        found = [
            opened.write(operations.comments.resolve, one, resolved=not options.reopen) for one in options.comments
        ]
    _told(options, found, "open again" if options.reopen else "resolved")


def _delete(options: Options) -> None:
    with workspace() as opened:
        found = [opened.write(operations.comments.delete, one) for one in options.comments]
    _told(options, found, "deleted")


def _told(options: Options, found: list[LineComment], what: str) -> None:
    places = ", ".join(f"{one.file}:{one.line}" for one in found)
    Output(options).done(f"{places}: {what}", [to_wire(one) for one in found])


def _short(comment: LineComment) -> str:
    return comment.id[-ID_SHOWN:].lower()


COMMANDS = {"comment": Command(_arguments, _run)}
