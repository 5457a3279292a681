"""`mission comment …`: what a reviewer says on lines of a mission's diff and texts, and what was answered."""

from __future__ import annotations

from typing import get_args

from ...missions.comments import SIDES, TEXTS, About, LineComment, Side, reanchor, round_of, short_comment, text_lines
from ...missions.entities import SYSTEM, Mission
from ...missions.errors import NotFound, UsageError
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser, text_from
from ..shapes import ref


def _arguments(parser: Parser) -> None:
    verbs = parser.add_subparsers(dest="action", metavar="add|list|edit|answer|resolve|delete", required=True)
    add = verbs.add_parser("add", description="Comment on a line that the mission changed.")
    add.add_argument("mission", metavar="REF")
    add.add_argument(
        "place",
        metavar="FILE:LINE",
        help="the file, relative to the repository, with its line or lines (pay.py:3-7); or a line of a text",
    )
    add.add_argument("text", metavar="TEXT", help="- reads it from standard input")
    add.add_argument(
        "--side",
        choices=SIDES,
        default="new",
        help="the file as it is now (new, the default), or as it was before (old)",
    )
    add.add_argument(
        "--about", choices=get_args(About), default="diff", help="a text of the mission instead of the diff"
    )
    for verb, about in (("edit", "Edit a comment."), ("answer", "Answer a comment, which reopens it for the agent.")):
        one = verbs.add_parser(verb, description=about)
        one.add_argument("comment", metavar="ID", help="as shown by `mission comment list`")
        one.add_argument("text", metavar="TEXT", help="- reads it from standard input")
    shown = verbs.add_parser("list", description="List the comments with their current lines.")
    shown.add_argument("mission", metavar="REF")
    shown.add_argument("--all", action="store_true", help="also resolved comments")
    for verb, about in (("resolve", "Resolve a comment."), ("delete", "Delete a comment.")):
        one = verbs.add_parser(verb, description=about)
        one.add_argument("comments", metavar="ID", nargs="+", help="as shown by `mission comment list`")
        if verb == "resolve":
            one.add_argument("--reopen", action="store_true", help="reopen it")


def _run(options: Options) -> None:
    ways = {"add": _add, "list": _list, "edit": _edit, "answer": _answer, "resolve": _resolve, "delete": _delete}
    ways[options.action](options)


def _add(options: Options) -> None:
    file, _, numbers = options.place.rpartition(":")
    first, dash, last = numbers.partition("-")
    if not (first.isdecimal() and (last.isdecimal() or not dash)) or (not file and options.about == "diff"):
        raise UsageError(f"{options.place!r} does not name a line", todo="write FILE:LINE, such as src/pay.py:42")
    line, until = int(first), int(last) if last else None
    text = text_from(options.text)
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        if options.about == "diff":
            comment = commented(opened, mission, file, line, options.side, text, until)
        else:
            on_text = operations.comments.add
            comment = opened.write(on_text, mission.id, "", line, "new", text, until=until, about=options.about)
    Output(options).done(
        f"{ref(mission)}: comment on {comment.where}", to_wire(comment), name=short_comment(comment.id)
    )


def commented(
    opened: Workspace, mission: Mission, file: str, line: int, side: Side, text: str, until: int | None = None
) -> LineComment:
    """A new comment, anchored by what stands on that line now."""
    from ...worktrees.diff.comments import anchor_of

    state = opened.read(queries.missions.change_state_of, mission.id)
    if state.worktree_path is None:
        raise NotFound(f"{ref(mission)} has no worktree", why="there is no diff to comment on")
    anchor = anchor_of(state.worktree_path, state.base, file, line, side, until)
    return opened.write(operations.comments.add, mission.id, file, line, side, text, anchor=anchor, until=until)


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        found = [one for one in placed(opened, mission) if one.stop is None]
        rejections = opened.read(queries.comments.rejections, mission.id)
    shown = [one for one in found if one.open or options.all]
    output.table(
        ("ID", "WHERE", "ROUND", "STATE", "TEXT"),
        [
            (
                short_comment(one.id),
                f"{one.where}{' (old)' if one.side == 'old' else ''}",
                str(round_of(one, rejections)),
                state_of(one),
                "  ".join([one.text, *(f"{said.author.name or 'you'}: {said.text}" for said in one.answers)]),
            )
            for one in shown
        ],
        [to_wire(one) for one in shown],
        empty="There are no line comments.",
    )


def state_of(one: LineComment) -> str:
    """In one word."""
    if not one.open:
        return "resolved"
    return "handled" if one.handled else "outdated" if one.outdated else "open"


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
    lines = {about: text_lines(mission, about) for about in TEXTS}
    now = [reanchor(one, lines[one.about]) if one.open and one.about != "diff" else one for one in now]
    moved = [one for one, before in zip(now, found, strict=True) if one != before]
    if moved and not opened.read_only:
        opened.write_as(SYSTEM, operations.change_measures.keep_comments, moved)
    return now


def _edit(options: Options) -> None:
    with workspace() as opened:
        changed = opened.write(operations.comments.edit, options.comment, text_from(options.text))
    _told(options, [changed], "changed")


def _answer(options: Options) -> None:
    with workspace() as opened:
        comment = opened.read(queries.comments.one, options.comment)
        text = text_from(options.text)
        answered = opened.write(operations.comments.answer, comment.mission_id, comment.id, text)
    _told(options, [answered], "answered, and open again for the agent")


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
    places = ", ".join(one.where for one in found)
    Output(options).done(f"{places}: {what}", [to_wire(one) for one in found])


COMMANDS = {"comment": Command(_arguments, _run)}
