"""Every operation that writes, in stories: each step begins with what the ones before it left.

A step is named after its operation, and after a colon by what is special about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from solo_unicorn.missions.change_state import ChangeMeasure
from solo_unicorn.missions.creating import MissionDraft
from solo_unicorn.missions.entities import Author, FlowStage, Worktree
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import NoAnswer, Response
from solo_unicorn.sync.replica.pushing import FULL
from solo_unicorn.workspace.workspace import Workspace

from .conftest import AGENT

Step = Callable[[Workspace], Any]
PROJECT = "01J00000000000000000000000"
HUB_HAS: dict[str, Any] = {
    "id": "01J0000000000000000000000A",
    "projectId": PROJECT,
    "title": "theirs",
    "description": "a\nb\nc",
    "version": 3,
    "createdAt": "2026-05-01T00:00:00Z",
    "updatedAt": "2026-05-01T00:00:00Z",
    "list": "todo",
    "listOrder": 1.0,
    "stage": "plan",
    "agentSessionStatusChangedAt": "2026-05-01T00:00:00Z",
}
FLOW: dict[str, Any] = {
    "id": "01JF",
    "name": "Standard",
    "isDefault": True,
    "stageSequence": [{"stage": "plan", "requireReview": True}],
}
ACTOR: dict[str, Any] = {"id": "01JA", "name": "Careful", "version": 2}
NOTE: dict[str, Any] = {
    "seq": 7,
    "missionId": HUB_HAS["id"],
    "kind": "noted_progress",
    "note": "theirs",
    "noteId": "01JX",
    "at": "2026-05-01T00:00:00Z",
}
FILE: dict[str, Any] = {
    "id": "01JY",
    "missionId": HUB_HAS["id"],
    "name": "a.txt",
    "mime": "text/plain",
    "size": 3,
    "sha256": "0" * 64,
    "addedAt": "2026-05-01T00:00:00Z",
    "addedBy": {"kind": "user", "name": "ann"},
}
NEWER = {**HUB_HAS, "title": "newer", "description": "a\nb\nc\nd", "version": 9}
ANN = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
AT = datetime(2026, 5, 2, tzinfo=UTC)
HERE = HUB_HAS["id"]


def page(**values: Any) -> dict[str, Any]:
    """A page of the feed."""
    return {"changes": [NEWER], "cursor": "c2", "seq": 9, "epoch": 1, **values}


def due(workspace: Workspace) -> int:
    """The first row that may go."""
    return workspace.due("ann@hub")[0].seq


def frozen(workspace: Workspace) -> int:
    """The row that is on its way."""
    return next(one.seq for one in workspace.outbox() if one.state == "inflight")


def told(status: int, body: Any = None) -> Step:
    """The hub's answer to what is on its way."""
    return lambda w: w.settle(frozen(w), Response(status, {}, body), FULL, 1.0)


def conflicted(workspace: Workspace) -> str:
    """The one open conflict."""
    return workspace.conflicts()[0].id


OUTDATED = {"error": {"details": {"current": NEWER}}}

BRANCHES: dict[str, Step] = {
    "edit_mission": lambda w: w.edit_mission(HERE, {"priority": 5}),
    "create_mission": lambda w: w.create_mission(PROJECT, MissionDraft(title="new")),
    "delete_mission": lambda w: w.delete_mission(HERE),
    "move_mission": lambda w: w.move_mission(HERE, "doing"),
    "link": lambda w: w.link(HERE, "M-2"),
    "undo": lambda w: w.undo(PROJECT),
    "take_changes": lambda w: w.take_changes(PROJECT, page()),
    "take_changes: a tombstone": lambda w: w.take_changes(
        PROJECT, page(changes=[{"id": HERE, "deleted": True, "version": 9}])
    ),
    "begin_resync": lambda w: w.begin_resync(PROJECT),
    "settle: done": told(200, {**NEWER, "title": "mine"}),
    "settle: outdated": told(412, OUTDATED),
    "settle: gone": told(410),
    "settle: refused": told(422, {"error": {"message": "no"}}),
    "settle: forbidden": told(403),
    "settle: no answer": lambda w: w.settle(frozen(w), NoAnswer("cut"), FULL, 1.0),
    "freeze": lambda w: w.freeze(due(w), FULL, 1.0),
    "park_suspect": lambda w: w.park_suspect(frozen(w)),
    "take_parts": lambda w: w.take_parts(PROJECT, {"id": PROJECT, "name": "Renamed"}, {"flows": [FLOW]}, 2),
    "take_mission": lambda w: w.take_mission(PROJECT, NEWER),
    "mark_gone": lambda w: w.mark_gone(PROJECT, HERE),
    "disconnect_project": lambda w: w.disconnect_project(PROJECT, force=True),
    "delete_project: connected": lambda w: w.delete_project(PROJECT, discard_unsent=True),
    "select_missions": lambda w: w.select_missions(PROJECT, lists=["todo"], days=None),
    "set_signed_in": lambda w: w.set_signed_in("ann@hub", False),
    "put_account": lambda w: w.put_account(replace(ANN, email="ann@example.org")),
    "take_memory": lambda w: w.take_memory(PROJECT, "decisions", {"name": "decisions", "text": "x", "version": 4}),
    "mark_history": lambda w: w.mark_history(PROJECT, 5),
    "update_actor: shared": lambda w: w.update_actor("01JA", {"focus": "mine"}),
    "delete_actor: shared": lambda w: w.delete_actor("01JA"),
    "update_project: shared": lambda w: w.update_project(PROJECT, {"name": "Mine"}),
    "append_memory: shared": lambda w: w.append_memory(PROJECT, "notes", "words"),
    "add_note: shared": lambda w: w.add_note(HERE, "progress", "words"),
    "take_notes": lambda w: w.take_notes(PROJECT, [NOTE]),
    "take_files": lambda w: w.take_files(PROJECT, HERE, [FILE]),
    "take_parts: some are gone": lambda w: w.take_parts(
        PROJECT, {"id": PROJECT, "name": "Shared", "version": 20}, {"actors": [], "flows": [FLOW]}, 20
    ),
    "take_parts: a name that is taken": lambda w: w.take_parts(
        PROJECT,
        {"id": PROJECT, "name": "Shared", "version": 20},
        {"actors": [{**ACTOR, "id": "01JB", "name": "Mine"}]},
        20,
    ),
}
"""Each from the prepared file: a mirrored mission, an edit of it on its way, and more that waits."""

STORIES: dict[str, dict[str, Step]] = {
    "the hub away and back": {
        "mark_failing": lambda w: w.mark_failing([PROJECT], "unreachable", "no network"),
        "mark_synced": lambda w: w.mark_synced([PROJECT]),
    },
    "a full resync": {
        "begin_resync: again": lambda w: w.begin_resync(PROJECT),
        "take_snapshot": lambda w: w.take_snapshot(
            PROJECT, {"items": [NEWER], "nextAfter": "x", "snapshotCursor": "c2", "seq": 9, "epoch": 1}
        ),
        "take_snapshot: the last": lambda w: w.take_snapshot(
            PROJECT, {"items": [], "snapshotCursor": "c2", "seq": 9, "epoch": 1}
        ),
    },
    "a conflict": {
        "settle: the hub was faster": told(412, OUTDATED),
        "freeze: a conflict": lambda w: w.freeze(due(w), FULL, 1.0),
        "keep_mine": lambda w: w.keep_mine(conflicted(w)),
    },
    "their conflict": {
        "settle: faster": told(412, OUTDATED),
        "freeze: another conflict": lambda w: w.freeze(due(w), FULL, 1.0),
        "keep_theirs": lambda w: w.keep_theirs(conflicted(w)),
    },
    "a refusal": {
        "settle: set aside": told(422, {"error": {"message": "no"}}),
        "retry_parked": lambda w: w.retry_parked(w.outbox(parked=True)[0].seq),
        "freeze: once more": lambda w: w.freeze(due(w), FULL, 1.0),
        "settle: refused for good": told(422, {"error": {"message": "no"}}),
        "discard_parked": lambda w: w.discard_parked(w.outbox(parked=True)[0].seq),
    },
    "a board": {
        "create_project": lambda w: w.create_project("Own"),
        "create_mission: local": lambda w: [w.create_mission("own", MissionDraft(title="first"))],
        "create_mission: second": lambda w: w.create_mission("own", MissionDraft(title="second")),
        "edit_missions": lambda w: w.edit_missions(["M-3", "M-4"], {"priority": 4}),
        "shift_priority": lambda w: w.shift_priority(["M-3", "M-4"], 1),
        "move_missions": lambda w: w.move_missions(["M-3", "M-4"], "doing"),
        "set_ready_many": lambda w: w.set_ready_many(["M-3", "M-4"], False),
        "link: local": lambda w: w.link("M-3", "M-4"),
        "unlink": lambda w: w.unlink("M-3", "M-4"),
        "add_note": lambda w: w.add_note("M-3", "progress", "half way"),
        "update_tasks": lambda w: w.update_tasks("M-3", ["one", "two"], 1),
        "attach_solution": lambda w: w.attach_solution("M-3", "so"),
        "delete_missions": lambda w: w.delete_missions(["M-4"]),
        "restore_mission": lambda w: w.restore_mission("M-4"),
        "undo: local": lambda w: w.undo("own"),
        "redo": lambda w: w.redo("own"),
        "save_filter": lambda w: w.save_filter("own", "mine", "list:todo"),
        "delete_filter": lambda w: w.delete_filter("own", "mine"),
        "append_memory": lambda w: w.append_memory("own", "decisions", "we chose"),
        "replace_memory": lambda w: w.replace_memory("own", "decisions", "we chose again", 1),
        "add_comment": lambda w: w.add_comment("M-3", "a.py", 1, "new", "why"),
        "resolve_comment": lambda w: w.resolve_comment(w.comments("M-3")[0].id),
        "comments_placed": lambda w: w.comments_placed([replace(w.comments("M-3")[0], line=2)]),
        "delete_comment": lambda w: w.delete_comment(w.comments("M-3")[0].id),
        "add_attachment": lambda w: w.add_attachment("M-3", _file(w.path), name="notes.txt"),
        "remove_attachment": lambda w: w.remove_attachment("M-3", "notes.txt"),
        "publish_project": lambda w: w.publish_project("own", ANN),
    },
    "the parts of a project": {
        "create_project: for parts": lambda w: w.create_project("Own"),
        "update_project": lambda w: w.update_project("own", {"description": "more"}),
        "add_repository": lambda w: w.add_repository("own", "web", local_path="/somewhere"),
        "update_repository": lambda w: w.update_repository("web", {"local_path": "/elsewhere"}),
        "repository_identified": lambda w: w.repository_identified(w.repository("web").id, 7, "own/web"),
        "remove_repository": lambda w: w.remove_repository("web"),
        "create_actor": lambda w: w.create_actor("own", "Reviewer"),
        "update_actor": lambda w: w.update_actor("Reviewer", {"focus": "tests"}),
        "delete_actor": lambda w: w.delete_actor("Reviewer"),
        "create_flow": lambda w: w.create_flow("own", "Short", [FlowStage("code", True)]),
        "update_flow": lambda w: w.update_flow(_flow(w), [FlowStage("plan", False), FlowStage("code", True)]),
        "describe_flow": lambda w: w.describe_flow(_flow(w), description="short"),
        "delete_flow": lambda w: w.delete_flow(_flow(w)),
        "add_permission_rule": lambda w: w.add_permission_rule("own", "Bash", "git *", "allow"),
        "forget_permission_rule": lambda w: w.forget_permission_rule(w.permission_rules("own")[0].id),
        "delete_project": lambda w: w.delete_project("own"),
    },
    "a session": {
        "set_agents": lambda w: w.set_agents([AGENT]),
        "create_project: to work in": lambda w: w.create_project("Own"),
        "add_repository: to work in": lambda w: w.add_repository("own", "web", local_path="/somewhere"),
        "create_mission: to work on": lambda w: w.create_mission("own", MissionDraft(title="work")),
        "set_ready": lambda w: w.set_ready("M-3", True),
        "claim": lambda w: w.claim("M-3", session_id="S1", agent=AGENT, workstation_id="W1"),
        "release_claim": lambda w: w.release_claim("S1", "the service left"),
        "claim: never begun": lambda w: w.claim("M-3", session_id="S0", agent=AGENT, workstation_id="W1"),
        "release_stale_claims": lambda w: _a_day_later(w).release_stale_claims(),
        "claim: again": lambda w: w.claim("M-3", session_id="S2", agent=AGENT, workstation_id="W1"),
        "session_started": lambda w: w.session_started(
            "S2", host_pid=1, worktree_path="/w", branch="b", base_commit="c"
        ),
        "set_session_token": lambda w: w.set_session_token("S2", "0" * 64),
        "session_progress": lambda w: w.session_progress("S2", activity="reads", conversation_id="c1"),
        "ask_permission": lambda w: w.ask_permission("S2", "Bash", {"command": "ls"}),
        "answer_permission": lambda w: w.answer_permission(w.permissions()[0].id, "deny", "no"),
        "ask_question": lambda w: w.ask_question("M-3", "which?", by=Author("agent", AGENT.name, "S2")),
        "end_session": lambda w: w.end_session("S2", "completed"),
        "answer": lambda w: w.answer("M-3", "that one"),
        "claim: the third": lambda w: w.claim("M-3", session_id="S3", agent=AGENT, workstation_id="W1"),
        "session_started: the third": lambda w: w.session_started(
            "S3", host_pid=1, worktree_path="/w", branch="b", base_commit="c"
        ),
        "complete_stage": lambda w: w.complete_stage("M-3", "done", by=Author("agent", AGENT.name, "S3")),
        "end_session: completed": lambda w: w.end_session("S3", "completed"),
        "reject": lambda w: w.reject("M-3", "name the trade-offs"),
    },
    "a machine": {
        "request": lambda w: w.request("sync"),
        "finish_request": lambda w: w.finish_request(1),
        "set_meta": lambda w: w.set_meta("x", "y"),
        "next_generation": lambda w: w.next_generation(3),
        "workstation": lambda w: w.workstation(),
        "forget_workstation": lambda w: w.forget_workstation(),
        "create_project: with a checkout": lambda w: w.create_project("Own"),
        "add_repository: the checkout": lambda w: w.add_repository("own", "web", local_path="/somewhere"),
        "put_worktree": lambda w: w.put_worktree(Worktree("01JW", w.repository("web").id, "/w", "b", AT, AT)),
        "remove_worktree": lambda w: w.remove_worktree("01JW"),
        "set_mission_worktree": lambda w: w.set_mission_worktree("M-2", "/w", "b"),
        "change_measured": lambda w: w.change_measured(
            w.mission("M-2").id, ChangeMeasure(AT, "h", "b", 1, 0, *_zeros())
        ),
    },
}


def _a_day_later(workspace: Workspace) -> Workspace:
    """The same, for one step, on the day after the story's."""
    workspace._clock = lambda: datetime(2026, 5, 3, tzinfo=UTC)
    return workspace


def _zeros() -> list[Any]:
    from dataclasses import fields

    return [0 for one in fields(ChangeMeasure)[5:] if one.init and "int" in str(one.type)]


def _file(workspace: Path) -> Path:
    """A file to attach."""
    made = workspace.with_name("notes.txt")
    made.write_text("notes")
    return made


def _flow(workspace: Workspace) -> str:
    return next(one.id for one in workspace.flows("own") if one.name == "Short")
