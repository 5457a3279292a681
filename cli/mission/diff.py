"""`mission diff`: what a mission changed in its worktree, with the comments on its lines."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ...missions.comments import TEXTS, LineComment, lines_now, text_lines
from ...missions.entities import Json, JsonObject, Mission
from ...missions.errors import Conflict, InvalidValue, NotFound, UsageError
from ...missions.review_marks import SCOPES, digest
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import workspace
from ..output import BOLD, Output
from ..parsing import Command, Options, Parser
from ..shapes import ref
from .comment import placed

if TYPE_CHECKING:
    from ...missions.review_marks import Reading
    from ...missions.rules.change_state import ChangeState
    from ...worktrees.diff.model import Diff, FileDiff, Hunk

PAGE_LINES = 2000
COLUMN, SIDE_EXTRA = 78, 16
"""Width of one side of the side-by-side view without a terminal, and what a line has beside its two sides."""
_PAINT = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m", "f": BOLD, "c": "\x1b[33m"}


def _arguments(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")
    parser.add_argument("--stat", action="store_true", help="only the files, with line counts")
    parser.add_argument("--path", action="append", default=[], help="only this file (may be repeated)")
    parser.add_argument("--max-lines", type=int, help="at most this many lines of each file")
    parser.add_argument(
        "--scope",
        choices=SCOPES,
        default="mission",
        help="what to compare: the whole mission, the agent's last turn, changes "
        "since your last look, or the mission's texts",
    )
    parser.add_argument("--look", action="store_true", help="record the current state as seen, for --scope look")
    parser.add_argument("--context", type=int, default=3, metavar="N", help="unchanged lines around each hunk")
    parser.add_argument("--unreviewed", action="store_true", help="only changes not yet marked as reviewed")
    parser.add_argument(
        "--side-by-side", action="store_true", help="show before and after side by side (with --json: pairs of rows)"
    )
    parser.add_argument("--page", type=int, metavar="N", help="only page N; each page lists every file")
    parser.add_argument(
        "--page-lines", type=int, default=PAGE_LINES, metavar="N", help=f"lines per page (default {PAGE_LINES})"
    )


def _diff(options: Options) -> None:
    output = Output(options)
    from ...worktrees.diff.paging import page_of

    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        reading = opened.read(queries.review_marks.of_mission, mission.id)
        found = texts_diff(mission) if options.scope == "texts" else _of_work(opened, mission, reading, options)
        comments = [] if options.stat else placed(opened, mission)
        now = _lines_now(opened, mission, comments) if output.as_json else {}
    comments = [one for one in comments if (one.about == "diff") == (options.scope != "texts")]
    done = 0 if options.stat else sum(reading.has(one.runs) for one in found.files)
    if options.unreviewed:
        found = found.without_reviewed(reading)
    pages = 1
    if options.page is not None:
        if options.page_lines < 1:
            raise InvalidValue(
                "page-lines", f"{options.page_lines} is not a valid number of lines", todo="give 1 or more"
            )
        found, pages = page_of(found, options.page, options.page_lines)
    if output.quiet:
        output.table(("PATH",), [(one.path,) for one in found.files], ())
    elif output.as_json:
        more: JsonObject = {"page": options.page or 1, "pages": pages}
        more["comments"] = [to_wire(one) | {"now": now.get(one.id, [])} for one in comments]
        output.text("", found.to_json(reading, side_by_side=options.side_by_side) | more)
    elif options.stat:
        rows = [(one.path, one.status, f"+{one.added} -{one.removed}") for one in found.files]
        output.table(("FILE", "STATUS", "LINES"), rows, ())
    else:
        side = max(20, (output.columns - SIDE_EXTRA) // 2) if output.is_terminal else COLUMN
        shown = _Shown(side if options.side_by_side else None, reading)
        for one in found.files:
            shown.file(one, [comment for comment in comments if comment.file == one.path and comment.open])
        output.painted(shown.lines)
    if not output.as_json:
        of = f", page {options.page} of {pages}" if options.page else ""
        marked = f", {done} reviewed" if done else ""
        files = "1 file" if len(found.files) == 1 else f"{len(found.files)} files"
        output.note(f"{files}, +{found.added} -{found.removed}{marked}{of}")


def texts_diff(mission: Mission) -> Diff:
    """The mission's own texts as files of which every line is shown, so that they are commented on as code is."""
    from ...worktrees.diff.model import Diff, FileDiff, Hunk, Line

    files = []
    for about in TEXTS:
        lines = text_lines(mission, about)
        if lines:
            digests = (digest(about, *lines),)
            told = tuple(Line(" ", text, number, number) for number, text in enumerate(lines, 1))
            hunk = Hunk(1, len(lines), 1, len(lines), "", told, digests)
            files.append(FileDiff(about, None, "text", 0, 0, False, (hunk,)))
    return Diff("", "", tuple(files), 0, 0)


def _of_work(opened: Workspace, mission: Mission, reading: Reading, options: Options) -> Diff:
    from ...worktrees.diff.differences import mission_diff

    state = opened.read(queries.missions.change_state_of, mission.id)
    worktree = worktree_of(mission, state)
    return mission_diff(
        worktree,
        state.base,
        paths=options.path,
        max_lines=options.max_lines,
        hunks=not options.stat,
        since=_start(opened, reading, worktree, options),
        context=options.context,
        first=folder_of(opened, mission),
    )


def folder_of(opened: Workspace, mission: Mission) -> str:
    """The folder that the mission is about; empty: the whole repository, or none."""
    with suppress(NotFound):
        return opened.read(queries.projects.repository, mission.project_repository_id or "").folder
    return ""


def _lines_now(opened: Workspace, mission: Mission, comments: list[LineComment]) -> dict[str, list[Json]]:
    """For each comment its lines and those around as they are now."""
    from ...worktrees.diff.comments import around_now

    state = opened.read(queries.missions.change_state_of, mission.id)
    found = {one.id: lines_now(one, text_lines(mission, one.about)) for one in comments if one.about != "diff"}
    if state.worktree_path is not None and state.base and any(one.about == "diff" for one in comments):
        with suppress(NotFound):  # the worktree is gone: nothing stands anywhere now
            found |= around_now(comments, state.worktree_path, state.base)
    return {name: [{"line": number, "text": text} for number, text in lines] for name, lines in found.items()}


def _start(opened: Workspace, reading: Reading, worktree: str, options: Options) -> str | None:
    """The commit that the scope begins at; None for the whole mission."""
    if options.scope != "look" and not options.look:
        return reading.start(options.scope, looked=True)
    from ...worktrees.noted_states import note_state, same_content

    now = note_state(worktree, reading.mission_id)
    looked = reading.look is not None and same_content(worktree, reading.look, now)
    start = reading.start(options.scope, looked=looked)
    if options.look and not looked and not opened.read_only:
        opened.write(operations.review_marks.looked, reading.mission_id, now)
    return start


def worktree_of(mission: Mission, state: ChangeState) -> str:
    """Where a mission is worked on; says what is missing where there is no diff to be had."""
    if state.worktree_path is None:
        raise Conflict(
            f"{ref(mission)} has no worktree",
            why=f"it landed as {mission.landed_commit}"
            if mission.landed_commit
            else f"its work is on the branch {mission.pr_branch_name}"
            if mission.pr_branch_name
            else "no agent has worked on it yet",
            todo=f"`solo-unicorn mission show {ref(mission)}` says why it is not running",
        )
    if not state.base:
        raise UsageError(
            f"{ref(mission)} has no target branch", todo="set one: `solo-unicorn mission edit --target BRANCH`"
        )
    return state.worktree_path


class _Shown:
    """The lines a person gets, each with its paint; `side` is the width of one of two sides, None for one column."""

    def __init__(self, side: int | None, reading: Reading) -> None:
        self.lines: list[tuple[str, str]] = []
        self._side = side
        self._reading = reading

    def file(self, one: FileDiff, comments: list[LineComment]) -> None:
        """Its name, its hunks, and below each commented line what was said of it."""
        marked = "  (reviewed)" if self._reading.has(one.runs) else ""
        self._put("f", f"{one.status}: {f'{one.old_path} → ' if one.old_path else ''}{one.path}{marked}")
        if one.binary:
            self._put(" ", "binary file")
        for hunk in one.hunks:
            counts = f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@"
            marked = "  (reviewed)" if self._reading.has(hunk.runs) else ""
            self._put("@", f"{counts} {hunk.section}".rstrip() + marked)
            comments = self._below(hunk, comments) if self._side is None else self._beside(hunk, comments, self._side)
        for left in comments:
            self._said(left)

    def _below(self, hunk: Hunk, comments: list[LineComment]) -> list[LineComment]:
        for line in hunk.lines:
            self._put(line.kind, f"{line.kind}{line.text}")
            comments = self._comments(comments, line.old, line.new)
        return comments

    def _beside(self, hunk: Hunk, comments: list[LineComment], side: int) -> list[LineComment]:
        from ...worktrees.diff.model import side_by_side

        for row in side_by_side(hunk):
            left, right = row.left, row.right
            mark = " " if left is right else "|" if left and right else "<" if left else ">"
            before = f"{left.old or '':>5} {left.text.expandtabs(4)[:side]}" if left else ""
            after = f"{right.new or '':>5} {right.text.expandtabs(4)[:side]}" if right else ""
            self._put({"<": "-", ">": "+", "|": "@"}.get(mark, " "), f"{before:<{side + 6}} {mark} {after}".rstrip())
            comments = self._comments(comments, left.old if left else None, right.new if right else None)
        return comments

    def _comments(self, comments: list[LineComment], old: int | None, new: int | None) -> list[LineComment]:
        """Say what belongs to this line; the rest."""
        here = [one for one in comments if not one.outdated and one.line == (new if one.side == "new" else old)]
        for one in here:
            self._said(one)
        return [one for one in comments if one not in here]

    def _said(self, comment: LineComment) -> None:
        where = f"{comment.side} line {comment.line}{', changed since' if comment.outdated else ''}"
        self._put("c", f"  # {where}: {' '.join(comment.text.split())}")

    def _put(self, kind: str, text: str) -> None:
        self.lines.append((_PAINT.get(kind, ""), text))


COMMANDS = {"diff": Command(_arguments, _diff)}
