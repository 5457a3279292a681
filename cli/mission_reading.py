"""`mission list|show|history|diff|queue|waiting|search`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..missions.entities import LISTS, Json, JsonObject, ListName, Mission, MissionEvent
from ..missions.errors import Conflict, NotFound, UsageError
from ..missions.wire import to_wire
from .opening import project_of, workspace
from .output import BOLD, PLAIN, Output
from .parsing import Command, Options, Parser, takes_project
from .shapes import at, mission_json, ref, since, state, tasks

if TYPE_CHECKING:
    from ..sync.workspace import Workspace
    from ..worktrees.diff import Diff

FIRST_PAGE = 50
HEADER = ("REF", "LIST", "P", "STAGE", "STATE", "TASKS", "TITLE")


def _list_arguments(parser: Parser) -> None:
    takes_project(parser)
    parser.add_argument("--all-projects", action="store_true", help="of every project")
    parser.add_argument("--list", dest="lists", action="append", choices=LISTS, help="only this list (may be repeated)")
    parser.add_argument("--ready", action="store_true", default=None, help="only what may be given to an agent")
    parser.add_argument("--not-ready", dest="ready", action="store_false", help="only what may not")
    parser.add_argument("--text", metavar="WORDS", help="only with these words in title or description")
    parser.add_argument(
        "--limit", type=int, default=FIRST_PAGE, help=f"at most so many, 0 for all (default {FIRST_PAGE})"
    )
    parser.add_argument("--cursor", help="go on after a page: its nextCursor")


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = None if options.all_projects else project_of(opened, options.project).id
        lists: Sequence[ListName] | None = options.lists
        page = opened.missions(
            project, lists=lists, ready=options.ready, text=options.text,
            limit=options.limit if options.limit > 0 else 10**9, cursor=options.cursor,
        )  # fmt: skip
    meta: JsonObject = {"total": page.total}
    if page.next_cursor:
        meta["nextCursor"] = page.next_cursor
    output.table(
        HEADER, [_row(mission) for mission in page.items],
        [mission_json(mission) for mission in page.items] if output.as_json else (),
        meta=meta, empty="No missions. `solo-unicorn mission create TITLE` makes one.",
    )  # fmt: skip
    if page.next_cursor and not output.as_json:
        output.note(f"{len(page.items)} of {page.total}; --limit 0 lists all, --cursor {page.next_cursor} goes on.")


def _row(mission: Mission) -> tuple[str, ...]:
    return (
        ref(mission),
        mission.list,
        str(mission.priority),
        mission.stage,
        state(mission),
        tasks(mission),
        mission.title,
    )


def _takes_mission(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF", help="M-42, 42, or an id")


def _show(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        mission = opened.mission(options.mission)
        project = opened.project(mission.project_id)
        flow = opened.flow_of(mission.id)
        links = opened.dependencies(mission.id)
        why_not = None if mission.agent_session_status != "INACTIVE" else opened.why_not(mission.id)
    found: list[Json] = [
        {
            "direction": link.direction, "id": link.other_id, "ref": ref(link.other) if link.other else None,
            "title": link.other.title if link.other else None, "resolved": link.resolved,
        }
        for link in links
    ]  # fmt: skip
    pairs = [
        ("mission", f"{ref(mission)}  {mission.title}"),
        ("project", project.name),
        ("list", f"{mission.list}, priority {mission.priority}"),
        ("flow", f"{flow.name}, stage {mission.stage}" + (" (with review)" if mission.requires_review else "")),
        ("state", state(mission)),
        ("not running", why_not or ""),
        ("attention", mission.attention or ""),
        ("question", mission.question or ""),
        ("summary", mission.stage_summary or ""),
        ("to check", mission.to_check or ""),
        ("feedback", mission.review_feedback or ""),
        ("agent", mission.code_agent_name or mission.code_agent_type or ""),
        ("target branch", mission.target_branch),
        ("worktree", mission.worktree_path or ""),
        ("landing", mission.landing_error or mission.landed_commit or ""),
        *((link.direction.replace("_", " "), _linked(link.other, link.other_id, link.resolved)) for link in links),
        ("created", at(mission.created_at)),
    ]
    body = [mission.description or ""]
    body += [f"[{'x' if n < mission.tasks_current else ' '}] {task.title}" for n, task in enumerate(mission.tasks)]
    data = mission_json(mission, whyNot=why_not, dependencies=found)
    output.record(pairs, data, name=ref(mission), body="\n".join(line for line in body if line))


def _linked(other: Mission | None, other_id: str, resolved: bool) -> str:
    if other is None:
        return f"{other_id} (missing or deleted)"
    return f"{ref(other)}  {other.title}" + (" (done)" if resolved else "")


def _history_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("--limit", type=int, default=200, help="the last so many (default 200)")


def _history(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        events = opened.history(options.mission, max(options.limit, 1))
        rows = [(at(event.at), _who(event), event.kind.replace("_", " "), _what(event, opened)) for event in events]
    output.table(("TIME", "WHO", "WHAT", "DETAILS"), rows, [to_wire(event) for event in events])


def _who(event: MissionEvent) -> str:
    return event.author.name or {"user": "you", "agent": "agent", "system": "-"}[event.author.kind]


def _what(event: MissionEvent, opened: Workspace) -> str:
    note = event.note
    if event.kind in ("linked", "unlinked"):
        relation, _, other = note.partition(" ")
        with suppress(NotFound):
            note = f"{relation.replace('_', ' ')} {ref(opened.mission(other))}"
    changed = [
        name
        if isinstance(after, dict | list) or len(f"{before}{after}") > 60
        else f"{name}: {_said(before)} → {_said(after)}"
        for name, (before, after) in event.changes.items()
    ]
    return "; ".join([part for part in (note, ", ".join(changed)) if part])


def _said(value: object) -> str:
    match value:
        case None | "":
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _diff_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("--stat", action="store_true", help="only the files, with counts")
    parser.add_argument("--path", action="append", default=[], help="only this file (may be repeated)")
    parser.add_argument("--max-lines", type=int, help="at most so many lines of each file")


def _diff(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        mission = opened.mission(options.mission)
        base = _base(opened, mission)
    if mission.worktree_path is None:
        raise Conflict(
            f"{ref(mission)} has no worktree",
            why="no agent has worked on it yet"
            if not mission.landed_commit
            else f"it landed as {mission.landed_commit}",
            todo=f"`solo-unicorn mission show {ref(mission)}` says why it is not running",
        )
    from ..worktrees.diff import mission_diff

    found = mission_diff(
        mission.worktree_path, base, paths=options.path, max_lines=options.max_lines, hunks=not options.stat
    )
    if output.as_json or output.quiet:
        output.table(("PATH",), [(one.path,) for one in found.files], ()) if output.quiet else output.text(
            "", found.to_json()
        )
        return
    if options.stat:
        rows = [(one.path, one.status, f"+{one.added} -{one.removed}") for one in found.files]
        output.table(("FILE", "STATUS", "LINES"), rows, ())
    else:
        output.text("\n".join(_unified(found, colour=output.colour)), None)
    output.note(f"{len(found.files)} files, +{found.added} -{found.removed}")


def _base(opened: Workspace, mission: Mission) -> str:
    sessions = opened.sessions(mission.id)
    started = next((session.base_commit for session in reversed(sessions) if session.base_commit), None)
    base = mission.target_branch or started
    if not base:
        raise UsageError(f"{ref(mission)} has no target branch", todo="set one: `solo-unicorn mission edit --branch`")
    return base


def _unified(found: Diff, *, colour: bool) -> list[str]:
    paint = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m", "f": BOLD} if colour else {}
    lines: list[str] = []

    def put(kind: str, text: str) -> None:
        lines.append(f"{paint[kind]}{text}{PLAIN}" if kind in paint else text)

    for one in found.files:
        put("f", f"{one.status}: {f'{one.old_path} → ' if one.old_path else ''}{one.path}")
        if one.binary:
            put(" ", "binary file")
        for hunk in one.hunks:
            put(
                "@",
                f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@ {hunk.section}".rstrip(),
            )
            for line in hunk.lines:
                put(line.kind, f"{line.kind}{line.text}")
    return lines


def _queue(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.project(options.project).id if options.project else None
        entries = opened.queue(project)
    output.table(
        ("REF", "P", "LIST", "TITLE", "NOT RUNNING"),
        [
            (ref(e.mission), str(e.mission.priority), e.mission.list, e.mission.title, e.why_not or "next")
            for e in entries
        ],
        [mission_json(entry.mission, whyNot=entry.why_not) for entry in entries],
        empty="No mission is ready. `solo-unicorn mission ready REF` says that one may start.",
    )


def _waiting(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.project(options.project).id if options.project else None
        found = opened.waiting(project)
    output.table(
        ("REF", "KIND", "SINCE", "TITLE", "WHAT"),
        [(ref(one.mission), one.kind, since(one.since), one.mission.title, one.text) for one in found],
        [{"kind": one.kind, "text": one.text, "mission": mission_json(one.mission)} for one in found],
        empty="Nothing waits for you.",
    )


def _queue_arguments(parser: Parser) -> None:
    parser.add_argument("-p", "--project", metavar="PROJECT", help="only of this project")


def _search_arguments(parser: Parser) -> None:
    takes_project(parser)
    parser.add_argument("words", nargs="+", metavar="WORDS")
    parser.add_argument("--limit", type=int, default=20)


def _search(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.project(options.project).id if options.project else None
        hits = opened.search(" ".join(options.words), project, max(options.limit, 1))
    output.table(
        ("REF", "TITLE", "WHERE"),
        [(hit.ref, hit.title, hit.excerpt) for hit in hits],
        [to_wire(hit) for hit in hits],
        empty="No mission has these words.",
    )


COMMANDS = {
    "list": Command(_list_arguments, _list),
    "show": Command(_takes_mission, _show),
    "history": Command(_history_arguments, _history),
    "diff": Command(_diff_arguments, _diff),
    "queue": Command(_queue_arguments, _queue),
    "waiting": Command(_queue_arguments, _waiting),
    "search": Command(_search_arguments, _search),
}
