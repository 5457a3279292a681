"""The hub's missions as the MCP tools see them: `missions.access.MissionAccess`, with the caller's rights.

One `HubAccess` lives as long as one transaction. Sessions, agents and permission questions belong to workstations:
asked for here, they are said to be elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import orjson

from ...missions import editing, moving, review
from ...missions.creating import MissionDraft
from ...missions.entities import (
    USER,
    Author,
    CodeAgent,
    Decision,
    InboxItem,
    JsonObject,
    ListName,
    Mission,
    NoteKind,
    Relation,
    Session,
    Task,
)
from ...missions.errors import InvalidValue, NotAllowed, NotFound, VersionConflict
from ...missions.ids import short_id
from ...missions.limits import NOTE_MAX, SUMMARY_MAX
from ...missions.operations.missions import readied
from ...missions.wire import to_wire
from ..services import links, mission_writes
from ..services.change import Change, new_id
from .memory import HubMemory

P = TypeVar("P")
ELSEWHERE = "sessions and agents live on workstations; their own MCP server answers this"


class HubAccess(HubMemory):
    """Implements `missions.access.MissionAccess` for one caller in one transaction."""

    # ---- missions ------------------------------------------------------------------------------------------------

    def create_mission(self, project: str, draft: MissionDraft, *, by: Author = USER) -> Mission:
        """A new mission at the end of its list."""
        body = _given(draft)
        self.call.body = body
        made = mission_writes.create(self.call, self.project(project).id)
        return self._stored(str(orjson.loads(made.body)["id"]))

    def edit_mission(
        self, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Snake_case fields to their new values; VersionConflict."""
        change, before = self._open(ref, by)
        if expected_version is not None and expected_version != before.version:
            raise VersionConflict(f"{short_id(before.number)} has changed", current=before.version, todo="read it anew")
        wished: Any = dict(changes)
        flow_id = wished.get("flow_id") or before.flow_id
        repository = change.repository(wished.get("project_repository_id"))
        after = editing.edit(before, wished, flow=change.flow(flow_id), now=change.now, repository=repository)
        return self._saved(change, before, after, "edited")

    def move_mission(
        self,
        ref: str,
        to_list: ListName,
        *,
        before: str | None = None,
        after: str | None = None,
        top: bool = False,
        by: Author = USER,
    ) -> Mission:
        """To a place in a list; the end when none is named."""
        change, mission = self._open(ref, by)
        beside = {"before": before and self._id(before), "after": after and self._id(after)}
        place = change.order(to_list, **beside, top=top, moving=mission.id)
        moved = moving.move(mission, to_list, place, flow=change.flow(mission.flow_id), now=change.now)
        return self._saved(change, mission, moved, "moved", placed=True)

    def set_ready(self, ref: str, ready: bool, *, by: Author = USER) -> Mission:
        """Let agents start on it, or not."""
        change, before = self._open(ref, by)
        return self._saved(change, before, editing.set_ready(before, ready, now=change.now), readied(ready))

    def link(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """`ref` blocks (or relates to) `other`; Conflict names a cycle."""
        return self._relate(ref, other, relation, add=True)

    def unlink(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """The opposite of `link`."""
        return self._relate(ref, other, relation, add=False)

    def update_tasks(self, ref: str, titles: Sequence[str], current: int, *, by: Author = USER) -> Mission:
        """The whole plan and how many of its tasks are finished."""
        cleaned = [title.strip() for title in titles]
        if any(not title or len(title) > 500 for title in cleaned):
            raise InvalidValue("tasks", "A task needs a title of 1 to 500 characters", todo="give each task one line")
        if not 0 <= current <= len(cleaned):
            raise InvalidValue("current", f"{current} of {len(cleaned)} tasks cannot be finished", todo="count from 0")
        change, before = self._open(ref, by)
        after = replace(before, tasks=tuple(Task(title) for title in cleaned), tasks_current=current)
        return self._saved(change, before, after, "tasks_updated")

    def add_note(self, ref: str, kind: NoteKind, text: str, *, by: Author = USER) -> object:
        """Appended to the history."""
        said = _text("text", text, NOTE_MAX)
        change, mission = self._open(ref, by)
        change.event_document(f"noted_{kind}", mission_id=mission.id, note=said, more={"noteId": new_id()})
        return mission

    def attach_solution(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """Markdown; takes the place of the former one."""
        change, before = self._open(ref, by)
        return self._saved(change, before, replace(before, solution=_text("solution", text)), "solution_attached")

    def complete_stage(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """Review, next stage or landing, as the flow says."""
        return self._finish(review.complete_stage, "stage_completed", ref, summary, to_check, by)

    def request_review(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """A person looks at the current stage whatever the flow says."""
        return self._finish(review.request_review, "review_requested", ref, summary, to_check, by)

    def ask_question(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """The mission waits for a person's answer."""
        change, before = self._open(ref, by)
        return self._saved(change, before, review.ask(before, _text("question", text), now=change.now), "asked")

    # ---- what workstations have ----------------------------------------------------------------------------------

    def agents(self) -> Sequence[CodeAgent]:
        """None of the hub's own."""
        return ()

    def set_agent_limit(self, name: str, until: datetime | None, *, by: Author = USER) -> object:
        """Not here."""
        _elsewhere("limits of agents")

    def session(self, session_id: str) -> Session:
        """Not here."""
        raise NotFound(f"There is no session {session_id[:64]!r} here", why=ELSEWHERE)

    def session_for_token(self, digest: str, /) -> Session | None:
        """The hub's callers carry tokens of people."""
        return None

    def ask_permission(
        self, session_id: str, tool: str, given: JsonObject, *, call_id: str | None = None, by: Author = USER
    ) -> InboxItem:
        """Not here."""
        _elsewhere("permission questions")

    def permission(self, item_id: int, /) -> InboxItem:
        """Not here."""
        _elsewhere("permission questions")

    def answer_permission(self, item_id: int, decision: Decision, message: str = "", *, by: Author = USER) -> InboxItem:
        """Not here."""
        _elsewhere("permission questions")

    def meta(self, key: str) -> str | None:
        """Nothing is kept."""
        return None

    def set_meta(self, key: str, value: str) -> object:
        """Nothing is kept."""
        _elsewhere("settings of a workspace")

    # ---- below ---------------------------------------------------------------------------------------------------

    def _open(self, ref: str, by: Author) -> tuple[Change, Mission]:
        mission_id = self._id(ref)
        change = Change(self.call, mission_writes.project_of(self.call, mission_id), "write missions")
        change.by = Author("agent", f"{by.name} for {self._caller.email or self._caller.name}")
        return change, change.mission(mission_id)

    def _saved(self, change: Change, before: Mission, after: Mission, kind: str, *, placed: bool = False) -> Mission:
        if after != before:
            change.save(before, after, kind, placed=placed, relinked=True)
        return self._stored(before.id)

    def _finish(self, rule: Any, kind: str, ref: str, summary: str, to_check: str | None, by: Author) -> Mission:
        change, before = self._open(ref, by)
        flow = change.flow(before.flow_id)
        after = rule(before, flow, summary=_text("summary", summary), to_check=to_check, now=change.now)
        return self._saved(change, before, after, kind)

    def _relate(self, ref: str, other: str, relation: Relation, *, add: bool) -> object:
        mission_id, other_id = self._id(ref), self._id(other)
        project_id = mission_writes.project_of(self.call, mission_id)
        if add:
            self.call.body = {"missionId": other_id, "relation": relation}
            return links.link(self.call, project_id, mission_id)
        return links.unlink(self.call, project_id, mission_id, other_id, relation)


def _given(draft: MissionDraft) -> dict[str, Any]:
    """What a draft says, as the wire has it."""
    found = to_wire(draft)
    return {name: value for name, value in found.items() if value is not None}


def _text(field: str, text: str, longest: int = SUMMARY_MAX) -> str:
    if not text.strip() or len(text) > longest:
        raise InvalidValue(field, f"The {field} has 1 to {longest} characters", todo="say it in a few sentences")
    return text.strip()


def _elsewhere(what: str) -> NoReturn:
    raise NotAllowed(f"The hub has no {what}", why=ELSEWHERE)
