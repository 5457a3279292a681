"""`mission list|show|history|queue|waiting|search`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...missions.entities import LISTS, SYSTEM, Json, JsonObject, ListName, Mission
from ...missions.errors import NotFound, SoloUnicornError
from ...missions.ids import shared_id
from ...missions.records import replace
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ..opening import agents_of, project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, may_take_project, takes_project
from ..shapes import at, mission_json, ref, since, state, tasks

if TYPE_CHECKING:
    from ...missions.rules.change_state import ChangeState
    from ...workspace.workspace import Workspace

FIRST_PAGE = 50
HEADER = ("REF", "LIST", "P", "STAGE", "STATE", "TASKS", "TITLE")


def _list_arguments(parser: Parser) -> None:
    takes_project(parser)
    parser.add_argument("--all-projects", action="store_true", help="the missions of every project")
    parser.add_argument("--list", dest="lists", action="append", choices=LISTS, help="only this list (may be repeated)")
    parser.add_argument("--ready", action="store_true", default=None, help="only ready missions")
    parser.add_argument("--not-ready", dest="ready", action="store_false", help="only missions that are not ready")
    parser.add_argument("--text", metavar="WORDS", help="only with these words in the title or description")
    parser.add_argument(
        "--query", metavar="QUERY", help="only what matches a board filter: 'p>=4 stage:code is:ready @saved'"
    )
    parser.add_argument(
        "--limit", type=int, default=FIRST_PAGE, help=f"at most this many, 0 for all (default {FIRST_PAGE})"
    )
    parser.add_argument("--cursor", help="continue after a page: its nextCursor")


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = None if options.all_projects else project_of(opened, options.project).id
        lists: Sequence[ListName] | None = options.lists
        page = opened.read(
            queries.missions.page,
            project,
            lists=lists,
            ready=options.ready,
            text=options.text,
            query=options.query,
            limit=options.limit if options.limit > 0 else 10**9,
            cursor=options.cursor,
        )
        asking = {one.mission_id for one in opened.read(queries.sessions.find, active=True) if one.waits_for}
    meta: JsonObject = {"total": page.total}
    if page.next_cursor:
        meta["nextCursor"] = page.next_cursor
    output.table(
        HEADER,
        [_row(mission, mission.id in asking) for mission in page.items],
        [mission_json(one, waitsForYou=one.id in asking) for one in page.items] if output.as_json else (),
        meta=meta,
        empty="No missions. `solo-unicorn mission create TITLE` creates one.",
    )
    if page.next_cursor and not output.as_json:
        output.note(f"{len(page.items)} of {page.total}; --limit 0 lists all, --cursor {page.next_cursor} continues.")


def _row(mission: Mission, waits: bool) -> tuple[str, ...]:
    return (
        ref(mission),
        mission.list,
        str(mission.priority),
        mission.stage,
        state(mission, waits=waits),
        tasks(mission),
        mission.title,
    )


def _takes_mission(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF", help="M-42, 42, or an id")


def _show(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        project = opened.read(queries.projects.get, mission.project_id)
        flow = opened.read(queries.projects.flow_of, mission.id)
        links = opened.read(queries.missions.dependencies, mission.id)
        if mission.ready:
            agents_of(opened, output)
        why_not = (
            None
            if mission.agent_session_status != "INACTIVE"
            else opened.read(queries.sessions.why_not, mission.id, now=opened.now())
        )
        asks = next((one.waits_for for one in opened.read(queries.sessions.find, mission.id, active=True)), "")
        change = _measured(opened, mission)
        comments = opened.read(queries.comments.of_mission, mission.id, open_only=True)
    found: list[Json] = [
        {
            "direction": link.direction,
            "id": link.other_id,
            "ref": ref(link.other) if link.other else None,
            "title": link.other.title if link.other else None,
            "resolved": link.resolved,
        }
        for link in links
    ]
    pairs = [
        ("mission", f"{ref(mission)}  {mission.title}"),
        ("everywhere", shared_id(mission.id) if project.hub else ""),
        ("project", project.name),
        ("list", f"{mission.list}, priority {mission.priority}"),
        ("flow", f"{flow.name}, stage {mission.stage}" + (" (with review)" if mission.requires_review else "")),
        ("state", state(mission, waits=bool(asks))),
        ("waits for you", asks),
        ("not running", why_not or ""),
        ("attention", mission.attention or ""),
        ("question", mission.question or ""),
        ("summary", mission.stage_summary or ""),
        ("to check", mission.to_check or ""),
        ("feedback", mission.review_feedback or ""),
        ("agent", mission.code_agent_name or mission.code_agent_type or ""),
        ("model", mission.agent_model),
        ("effort", mission.agent_effort),
        ("budget", f"${mission.agent_budget:,.2f}" if mission.agent_budget else ""),
        ("target branch", mission.target_branch),
        ("own branch", mission.work_branch if not mission.pr_branch_name else ""),
        ("starts from", mission.start_from),
        *_change(change),
        ("lands with", (mission.landing_message or "").partition("\n")[0]),
        ("comments", f"{len(comments)} on lines of the diff" if comments else ""),
        ("landing", mission.landing_error or mission.landed_commit or ""),
        *((link.direction.replace("_", " "), _linked(link.other, link.other_id, link.resolved)) for link in links),
        ("created", at(mission.created_at)),
    ]
    body = [mission.description or ""]
    body += [f"[{'x' if n < mission.tasks_current else ' '}] {task.title}" for n, task in enumerate(mission.tasks)]
    data = mission_json(
        mission,
        whyNot=why_not,
        waitsFor=asks,
        dependencies=found,
        change=to_wire(change),
        comments=[to_wire(one) for one in comments],
    )
    output.record(pairs, data, name=ref(mission), body="\n".join(line for line in body if line))


def _measured(opened: Workspace, mission: Mission) -> ChangeState:
    """Where its work stands, looked at now when there is a worktree."""
    state = opened.read(queries.missions.change_state_of, mission.id)
    if state.worktree_path is None:
        return state
    from ...worktrees.diff.measuring import measure

    with suppress(SoloUnicornError):  # a worktree that git cannot read is shown as it was seen last
        seen = measure(state.worktree_path, state.base, now=datetime.now(UTC))
        if seen is not None:
            if not opened.read_only:
                opened.write_as(SYSTEM, operations.change_measures.keep_change, mission.id, seen)
            return replace(state, measured=seen)
    return state


def _change(state: ChangeState) -> list[tuple[str, str]]:
    seen, pull = state.measured, state.pull_request
    parts = []
    if seen is not None:
        parts = [f"{seen.ahead} ahead of {state.target_branch or 'its start'}", f"{seen.behind} behind"]
        parts += [f"{seen.uncommitted} files uncommitted"] if seen.uncommitted else []
    checks = f", checks {pull.checks}" if pull and pull.checks != "none" else ""
    known = f"#{state.pull_request_number} {pull.state}{checks}  {state.pull_request_url}" if pull else ""
    return [
        ("worktree", state.worktree_path or ""),
        ("branch", f"{state.branch or ''}{': ' if parts else ''}{', '.join(parts)}"),
        ("pull request", known),
        ("not merged", state.not_merged or ""),
    ]


def _linked(other: Mission | None, other_id: str, resolved: bool) -> str:
    if other is None:
        return f"{other_id} (missing or deleted)"
    return f"{ref(other)}  {other.title}" + (" (done)" if resolved else "")


def _history_arguments(parser: Parser) -> None:
    _takes_mission(parser)
    parser.add_argument("--limit", type=int, default=200, help="the last N events (default 200)")


def _history(options: Options) -> None:
    from ...missions.story import told

    output = Output(options)
    with workspace() as opened:
        mission = opened.read(queries.missions.get, options.mission)
        events = opened.read(queries.missions.history, mission.id, max(options.limit, 1))

        def name_of(other: str) -> str:
            try:
                return ref(opened.read(queries.missions.get, other))
            except NotFound:
                return other

        rows = [(at(one.at), one.sentence) for one in told(events, mission.stage, name_of)]
    output.table(("TIME", "WHAT HAPPENED"), rows, [to_wire(event) for event in events], whole=True)


def _queue(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.read(queries.projects.get, options.project).id if options.project else None
        agents_of(opened, output)
        entries = opened.read(queries.sessions.queue, project, now=opened.now())
    output.table(
        ("REF", "P", "LIST", "TITLE", "NOT RUNNING"),
        [
            (ref(e.mission), str(e.mission.priority), e.mission.list, e.mission.title, e.why_not or "next")
            for e in entries
        ],
        [mission_json(entry.mission, whyNot=entry.why_not) for entry in entries],
        empty="No missions are ready. `solo-unicorn mission ready REF` marks one ready.",
    )


def _waiting(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.read(queries.projects.get, options.project).id if options.project else None
        found = opened.read(queries.missions.waiting, project)
    output.table(
        ("REF", "KIND", "SINCE", "TITLE", "WHAT"),
        [(ref(one.mission), one.kind, since(one.since), one.mission.title, one.text) for one in found],
        [{"kind": one.kind, "text": one.text, "mission": mission_json(one.mission)} for one in found],
        empty="Nothing is waiting for you.",
    )


def _queue_arguments(parser: Parser) -> None:
    may_take_project(parser)


def _search_arguments(parser: Parser) -> None:
    may_take_project(parser)
    parser.add_argument("words", nargs="+", metavar="WORDS")
    parser.add_argument("--limit", type=int, default=20)


def _search(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.read(queries.projects.get, options.project).id if options.project else None
        hits = opened.read(queries.missions.search, " ".join(options.words), project, max(options.limit, 1))
    output.table(
        ("REF", "TITLE", "WHERE"),
        [(hit.ref, hit.title, hit.excerpt) for hit in hits],
        [to_wire(hit) for hit in hits],
        empty="No mission contains these words.",
    )


COMMANDS = {
    "list": Command(_list_arguments, _list),
    "show": Command(_takes_mission, _show),
    "history": Command(_history_arguments, _history),
    "queue": Command(_queue_arguments, _queue),
    "waiting": Command(_queue_arguments, _waiting),
    "search": Command(_search_arguments, _search),
}
