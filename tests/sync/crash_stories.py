"""Every operation that writes, in stories: each step begins with what the ones before it left.

A step is named after its operation, and after a colon by what is special about it.
"""

from __future__ import annotations

from dataclasses import replace

from solo_unicorn.missions.entities import (
    SYSTEM,
    Actor,
    Author,
    Flow,
    FlowStage,
    ProjectRepository,
    Worktree,
    service_of,
)
from solo_unicorn.missions.rules.change_state import ChangeMeasure
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.rules.plan import TaskChanges
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import FULL
from solo_unicorn.sync.replica.messages import NoAnswer
from solo_unicorn.workspace import operations, queries

from .conftest import AGENT
from .crash_values import (
    ACTOR,
    ANN,
    AT,
    FILE,
    FLOW,
    HERE,
    NEWER,
    NOTE,
    OUTDATED,
    PROJECT,
    Step,
    a_day_later,
    conflicted,
    due,
    file_of,
    flow_of,
    frozen,
    page,
    told,
    zeros,
)

BRANCHES: dict[str, Step] = {
    "missions.edit": lambda w: w.write(operations.missions.edit, HERE, {"priority": 5}),
    "missions.create": lambda w: w.write(operations.missions.create, PROJECT, MissionDraft(title="new")),
    "missions.delete": lambda w: w.write(operations.missions.delete, HERE),
    "missions.move": lambda w: w.write(operations.missions.move, HERE, "doing"),
    "missions.link": lambda w: w.write(operations.missions.link, HERE, "M-2"),
    "undo.undo": lambda w: w.write(operations.undo.undo, PROJECT),
    "sync_steps.take_changes": lambda w: w.write_as(SYSTEM, replica.sync_steps.take_changes, PROJECT, page()),
    "sync_steps.take_changes: a tombstone": lambda w: w.write_as(
        SYSTEM, replica.sync_steps.take_changes, PROJECT, page(changes=[{"id": HERE, "deleted": True, "version": 9}])
    ),
    "sync_steps.begin_resync": lambda w: w.write_as(SYSTEM, replica.sync_steps.begin_resync, PROJECT),
    "sending.settle: done": told(200, {**NEWER, "title": "mine"}),
    "sending.settle: outdated": told(412, OUTDATED),
    "sending.settle: gone": told(410),
    "sending.settle: refused": told(422, {"error": {"message": "no"}}),
    "sending.settle: forbidden": told(403),
    "sending.settle: no answer": lambda w: w.write_as(
        SYSTEM, replica.sending.settle, frozen(w), NoAnswer("cut"), FULL, 1.0
    ),
    "sending.freeze": lambda w: w.write_as(SYSTEM, replica.sending.freeze, due(w), FULL, 1.0),
    "sync_steps.park": lambda w: w.write_as(SYSTEM, replica.sync_steps.park, frozen(w), "suspect"),
    "connecting.take_parts": lambda w: w.write_as(
        SYSTEM, replica.connecting.take_parts, PROJECT, {"id": PROJECT, "name": "Renamed"}, {"flows": [FLOW]}, 2
    ),
    "sync_steps.take_mission": lambda w: w.write_as(SYSTEM, replica.sync_steps.take_mission, PROJECT, NEWER),
    "sync_steps.mark_gone": lambda w: w.write_as(SYSTEM, replica.sync_steps.mark_gone, PROJECT, HERE),
    "connecting.disconnect": lambda w: w.write(replica.connecting.disconnect, PROJECT, force=True),
    "projects.delete: connected": lambda w: w.write(operations.projects.delete, PROJECT, discard_unsent=True),
    "connecting.select_missions": lambda w: w.write(
        replica.connecting.select_missions, PROJECT, lists=["todo"], days=None
    ),
    "connecting.set_signed_in": lambda w: replica.connecting.set_signed_in(w, "ann@hub", False),
    "connecting.put_account": lambda w: replica.connecting.put_account(w, replace(ANN, email="ann@example.org")),
    "history.take_memory": lambda w: replica.history.take_memory(
        w, PROJECT, "decisions", {"name": "decisions", "text": "x", "version": 4}
    ),
    "history.mark_history": lambda w: w.write_as(SYSTEM, replica.history.mark_history, PROJECT, 5),
    "parts.edit: shared": lambda w: w.write(operations.parts.edit, Actor, "01JA", {"focus": "mine"}),
    "parts.remove: shared": lambda w: w.write(operations.parts.remove, Actor, "01JA"),
    "projects.edit: shared": lambda w: w.write(operations.projects.edit, PROJECT, {"name": "Mine"}),
    "memory.append: shared": lambda w: w.write(operations.memory.append, PROJECT, "notes", "words"),
    "missions.add_note: shared": lambda w: w.write(operations.missions.add_note, HERE, "progress", "words"),
    "history.take_notes": lambda w: w.write_as(SYSTEM, replica.history.take_notes, PROJECT, [NOTE]),
    "files.take_files": lambda w: w.write_as(SYSTEM, replica.files.take_files, PROJECT, HERE, [FILE]),
    "connecting.take_parts: some are gone": lambda w: w.write_as(
        SYSTEM,
        replica.connecting.take_parts,
        PROJECT,
        {"id": PROJECT, "name": "Shared", "version": 20},
        {"actors": [], "flows": [FLOW]},
        20,
    ),
    "connecting.take_parts: a name that is taken": lambda w: w.write_as(
        SYSTEM,
        replica.connecting.take_parts,
        PROJECT,
        {"id": PROJECT, "name": "Shared", "version": 20},
        {"actors": [{**ACTOR, "id": "01JB", "name": "Mine"}]},
        20,
    ),
}
"""Each from the prepared file: a mirrored mission, an edit of it on its way, and more that waits."""

STORIES: dict[str, dict[str, Step]] = {
    "the hub away and back": {
        "sync_steps.mark_failing": lambda w: replica.sync_steps.mark_failing(w, [PROJECT], "unreachable", "no network"),
        "sync_steps.mark_synced": lambda w: replica.sync_steps.mark_synced(w, [PROJECT]),
    },
    "a full resync": {
        "sync_steps.begin_resync: again": lambda w: w.write_as(SYSTEM, replica.sync_steps.begin_resync, PROJECT),
        "sync_steps.take_snapshot": lambda w: w.write_as(
            SYSTEM,
            replica.sync_steps.take_snapshot,
            PROJECT,
            {"items": [NEWER], "nextAfter": "x", "snapshotCursor": "c2", "seq": 9, "epoch": 1},
        ),
        "sync_steps.take_snapshot: the last": lambda w: w.write_as(
            SYSTEM,
            replica.sync_steps.take_snapshot,
            PROJECT,
            {"items": [], "snapshotCursor": "c2", "seq": 9, "epoch": 1},
        ),
    },
    "a conflict": {
        "sending.settle: the hub was faster": told(412, OUTDATED),
        "sending.freeze: a conflict": lambda w: w.write_as(SYSTEM, replica.sending.freeze, due(w), FULL, 1.0),
        "resolving.keep_mine": lambda w: w.write(replica.resolving.keep_mine, conflicted(w)),
    },
    "their conflict": {
        "sending.settle: faster": told(412, OUTDATED),
        "sending.freeze: another conflict": lambda w: w.write_as(SYSTEM, replica.sending.freeze, due(w), FULL, 1.0),
        "resolving.keep_theirs": lambda w: w.write(replica.resolving.keep_theirs, conflicted(w)),
    },
    "a refusal": {
        "sending.settle: set aside": told(422, {"error": {"message": "no"}}),
        "sync_steps.retry_parked": lambda w: w.write_as(
            SYSTEM, replica.sync_steps.retry_parked, w.read(replica.sync_steps.queued, parked=True)[0].seq
        ),
        "sending.freeze: once more": lambda w: w.write_as(SYSTEM, replica.sending.freeze, due(w), FULL, 1.0),
        "sending.settle: refused for good": told(422, {"error": {"message": "no"}}),
        "sync_steps.discard_parked": lambda w: w.write_as(
            SYSTEM, replica.sync_steps.discard_parked, w.read(replica.sync_steps.queued, parked=True)[0].seq
        ),
    },
    "a board": {
        "projects.create": lambda w: w.write(operations.projects.create, "Own"),
        "missions.create: local": lambda w: [w.write(operations.missions.create, "own", MissionDraft(title="first"))],
        "missions.create: second": lambda w: w.write(operations.missions.create, "own", MissionDraft(title="second")),
        "bulk.edit": lambda w: w.write(operations.bulk.edit, ["M-3", "M-4"], {"priority": 4}),
        "bulk.shift_priority": lambda w: w.write(operations.bulk.shift_priority, ["M-3", "M-4"], 1),
        "bulk.move": lambda w: w.write(operations.bulk.move, ["M-3", "M-4"], "doing"),
        "bulk.set_ready": lambda w: w.write(operations.bulk.set_ready, ["M-3", "M-4"], False),
        "missions.link: local": lambda w: w.write(operations.missions.link, "M-3", "M-4"),
        "missions.unlink": lambda w: w.write(operations.missions.unlink, "M-3", "M-4"),
        "missions.add_note": lambda w: w.write(operations.missions.add_note, "M-3", "progress", "half way"),
        "missions.update_tasks": lambda w: w.write(operations.missions.update_tasks, "M-3", ["one", "two"], 1),
        "missions.change_tasks": lambda w: w.write(
            operations.missions.change_tasks, "M-3", TaskChanges(add=("three",), check=("two",))
        ),
        "missions.attach_solution": lambda w: w.write(operations.missions.attach_solution, "M-3", "so"),
        "bulk.delete": lambda w: w.write(operations.bulk.delete, ["M-4"]),
        "missions.restore": lambda w: w.write(operations.missions.restore, "M-4"),
        "undo.undo: local": lambda w: w.write(operations.undo.undo, "own"),
        "undo.redo": lambda w: w.write(operations.undo.redo, "own"),
        "filters.save": lambda w: w.write(operations.filters.save, "own", "mine", "list:todo"),
        "filters.delete": lambda w: w.write(operations.filters.delete, "own", "mine"),
        "memory.append": lambda w: w.write(operations.memory.append, "own", "decisions", "we chose"),
        "memory.replace": lambda w: w.write(operations.memory.replace, "own", "decisions", "we chose again", 1),
        "doubts.mark": lambda w: w.write_as(
            SYSTEM, operations.doubts.mark, w.read(queries.projects.get, "own").id, {("decisions", 0): "old"}
        ),
        "memory.edit": lambda w: w.write(operations.memory.edit, "own", "decisions", "we chose again", "## One\n\nso"),
        "memory.move": lambda w: w.write(operations.memory.move, "own", "decisions", "One", "choices"),
        "memory.rename": lambda w: w.write(operations.memory.rename, "own", "choices", "picks"),
        "memory.delete": lambda w: w.write(operations.memory.delete, "own", "picks"),
        "comments.add": lambda w: w.write(operations.comments.add, "M-3", "a.py", 1, "new", "why"),
        "comments.resolve": lambda w: w.write(
            operations.comments.resolve, w.read(queries.comments.of_mission, "M-3")[0].id
        ),
        "change_measures.keep_comments": lambda w: w.write_as(
            SYSTEM,
            operations.change_measures.keep_comments,
            [replace(w.read(queries.comments.of_mission, "M-3")[0], line=2)],
        ),
        "comments.delete": lambda w: w.write(
            operations.comments.delete, w.read(queries.comments.of_mission, "M-3")[0].id
        ),
        "attachments.attach": lambda w: operations.attachments.attach(w, "M-3", file_of(w.path), name="notes.txt"),
        "attachments.detach": lambda w: w.write(operations.attachments.detach, "M-3", "notes.txt"),
        "connecting.publish": lambda w: w.write(replica.connecting.publish, "own", ANN),
    },
    "the parts of a project": {
        "projects.create: for parts": lambda w: w.write(operations.projects.create, "Own"),
        "projects.edit": lambda w: w.write(operations.projects.edit, "own", {"description": "more"}),
        "projects.set_sandbox": lambda w: w.write(operations.projects.set_sandbox, "own", "strict"),
        "projects.add_repository": lambda w: w.write(
            operations.projects.add_repository, "own", "web", local_path="/somewhere"
        ),
        "parts.edit: a repository": lambda w: w.write(
            operations.parts.edit, ProjectRepository, "web", {"local_path": "/elsewhere"}
        ),
        "pull_requests.repository_identified": lambda w: w.write_as(
            SYSTEM,
            operations.pull_requests.repository_identified,
            w.read(queries.projects.repository, "web").id,
            7,
            "own/web",
        ),
        "parts.remove: a repository": lambda w: w.write(operations.parts.remove, ProjectRepository, "web"),
        "projects.create_actor": lambda w: w.write(operations.projects.create_actor, "own", "Reviewer"),
        "parts.edit: an actor": lambda w: w.write(operations.parts.edit, Actor, "Reviewer", {"focus": "tests"}),
        "parts.remove: an actor": lambda w: w.write(operations.parts.remove, Actor, "Reviewer"),
        "projects.create_flow": lambda w: w.write(
            operations.projects.create_flow, "own", "Short", [FlowStage("code", True)]
        ),
        "projects.set_stages": lambda w: w.write(
            operations.projects.set_stages, flow_of(w), [FlowStage("plan", False), FlowStage("code", True)]
        ),
        "projects.describe_flow": lambda w: w.write(operations.projects.describe_flow, flow_of(w), description="short"),
        "parts.remove: a flow": lambda w: w.write(operations.parts.remove, Flow, flow_of(w)),
        "inbox.add_rule": lambda w: w.write(operations.inbox.add_rule, "own", "Bash", "git *", "allow"),
        "inbox.forget_rule": lambda w: w.write(operations.inbox.forget_rule, w.read(queries.inbox.rules, "own")[0].id),
        "projects.delete": lambda w: w.write(operations.projects.delete, "own"),
    },
    "a session": {
        "workstation.set_agents": lambda w: w.write_as(SYSTEM, operations.workstation.set_agents, [AGENT]),
        "projects.create: to work in": lambda w: w.write(operations.projects.create, "Own"),
        "projects.add_repository: to work in": lambda w: w.write(
            operations.projects.add_repository, "own", "web", local_path="/somewhere"
        ),
        "missions.create: to work on": lambda w: w.write(operations.missions.create, "own", MissionDraft(title="work")),
        "missions.set_ready": lambda w: w.write(operations.missions.set_ready, "M-3", True),
        "dispatch.claim": lambda w: w.write_as(
            SYSTEM, operations.dispatch.claim, "M-3", session_id="S1", agent=AGENT, workstation_id="W1"
        ),
        "sessions.release": lambda w: w.write_as(
            service_of("S1"), operations.sessions.release, "S1", "the service left"
        ),
        "dispatch.claim: never begun": lambda w: w.write_as(
            SYSTEM, operations.dispatch.claim, "M-3", session_id="S0", agent=AGENT, workstation_id="W1"
        ),
        "dispatch.release_stale_claims": lambda w: operations.dispatch.release_stale_claims(a_day_later(w)),
        "dispatch.claim: again": lambda w: w.write_as(
            SYSTEM, operations.dispatch.claim, "M-3", session_id="S2", agent=AGENT, workstation_id="W1"
        ),
        "sessions.begin": lambda w: w.write_as(
            service_of("S2"),
            operations.sessions.begin,
            "S2",
            host_pid=1,
            worktree_path="/w",
            branch="b",
            base_commit="c",
        ),
        "dispatch.set_token": lambda w: w.write_as(SYSTEM, operations.dispatch.set_token, "S2", "0" * 64),
        "sessions.progress": lambda w: w.write_as(
            SYSTEM, operations.sessions.progress, "S2", activity="reads", conversation_id="c1"
        ),
        "inbox.ask": lambda w: w.write(operations.inbox.ask, "S2", "Bash", {"command": "ls"}),
        "inbox.answer": lambda w: w.write(operations.inbox.answer, w.read(queries.inbox.items)[0].id, "deny", "no"),
        "review.ask_question": lambda w: w.write_as(
            Author("agent", AGENT.name, "S2"), operations.review.ask_question, "M-3", "which?"
        ),
        "sessions.end": lambda w: w.write_as(service_of("S2"), operations.sessions.end, "S2", "completed"),
        "review.answer": lambda w: w.write(operations.review.answer, "M-3", "that one"),
        "dispatch.claim: the third": lambda w: w.write_as(
            SYSTEM, operations.dispatch.claim, "M-3", session_id="S3", agent=AGENT, workstation_id="W1"
        ),
        "sessions.begin: the third": lambda w: w.write_as(
            service_of("S3"),
            operations.sessions.begin,
            "S3",
            host_pid=1,
            worktree_path="/w",
            branch="b",
            base_commit="c",
        ),
        "review.complete_stage": lambda w: w.write_as(
            Author("agent", AGENT.name, "S3"), operations.review.complete_stage, "M-3", "done"
        ),
        "sessions.end: completed": lambda w: w.write_as(service_of("S3"), operations.sessions.end, "S3", "completed"),
        "review.reject": lambda w: w.write(operations.review.reject, "M-3", "name the trade-offs"),
        "offers.take": lambda w: w.write(operations.offers.take, w.read(queries.offers.offers)[-1].event),
        "review.request_review: once more": lambda w: w.write_as(
            Author("agent", AGENT.name), operations.review.request_review, "M-3", "done"
        ),
        "review.reject: once more": lambda w: w.write(operations.review.reject, "M-3", "shorter"),
        "offers.leave": lambda w: w.write(operations.offers.leave, w.read(queries.offers.offers)[-1].event),
    },
    "a machine": {
        "workstation.request": lambda w: w.write(operations.workstation.request, "sync"),
        "workstation.finish_request": lambda w: w.write_as(SYSTEM, operations.workstation.finish_request, 1),
        "set_meta": lambda w: w.set_meta("x", "y"),
        "workstation.next_generation": lambda w: w.write_as(SYSTEM, operations.workstation.next_generation, 3),
        "workstation.this_machine": lambda w: operations.workstation.this_machine(w),
        "workstation.forget": lambda w: w.write_as(SYSTEM, operations.workstation.forget),
        "projects.create: with a checkout": lambda w: w.write(operations.projects.create, "Own"),
        "projects.add_repository: the checkout": lambda w: w.write(
            operations.projects.add_repository, "own", "web", local_path="/somewhere"
        ),
        "workstation.put_worktree": lambda w: w.write_as(
            SYSTEM,
            operations.workstation.put_worktree,
            Worktree("01JW", w.read(queries.projects.repository, "web").id, "/w", "b", AT, AT),
        ),
        "workstation.remove_worktree": lambda w: w.write_as(SYSTEM, operations.workstation.remove_worktree, "01JW"),
        "workstation.set_mission_worktree": lambda w: w.write_as(
            SYSTEM, operations.workstation.set_mission_worktree, "M-2", "/w", "b"
        ),
        "change_measures.keep_change": lambda w: w.write_as(
            SYSTEM,
            operations.change_measures.keep_change,
            w.read(queries.missions.get, "M-2").id,
            ChangeMeasure(AT, "h", "b", 1, 0, *zeros()),
        ),
    },
}
