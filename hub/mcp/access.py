"""The hub's missions as the MCP tools see them: `missions.access.MissionAccess`, with the caller's rights.

One `HubAccess` lives as long as one transaction. Sessions, agents and permission questions belong to workstations:
asked for here, they are said to be elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Concatenate, NoReturn, ParamSpec, TypeVar

from ...missions.creating import MissionDraft
from ...missions.entities import (
    USER,
    Author,
    CodeAgent,
    Decision,
    InboxItem,
    JsonObject,
    ListName,
    MemoryDocument,
    Mission,
    NoteKind,
    Relation,
    Session,
)
from ...missions.errors import NotAllowed, NotFound
from ...missions.operations import memory, missions, review
from ..change import ELSEWHERE, Change
from ..permissions import Right
from ..services.missions import opened
from .memory import HubMemory

P = ParamSpec("P")
T = TypeVar("T")


class HubAccess(HubMemory):
    """Implements `missions.access.MissionAccess` for one caller in one transaction."""

    # ---- missions ------------------------------------------------------------------------------------------------

    def create_mission(self, project: str, draft: MissionDraft, *, by: Author = USER) -> Mission:
        """A new mission at the end of its list."""
        change = self._of_project(project, "write missions", by)
        return missions.create(change, change.project_id, draft)

    def edit_mission(
        self, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Snake_case fields to their new values; VersionConflict."""
        return self._write(by, missions.edit, ref, changes, expected_version=expected_version)

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
        before, after = before and self._id(before), after and self._id(after)
        return self._write(by, missions.move, ref, to_list, before=before, after=after, top=top)

    def set_ready(self, ref: str, ready: bool, *, by: Author = USER) -> Mission:
        """Let agents start on it, or not."""
        return self._write(by, missions.set_ready, ref, ready)

    def link(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """`ref` blocks (or relates to) `other`; Conflict names a cycle."""
        return self._write(by, missions.link, ref, self._id(other), relation)

    def unlink(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """The opposite of `link`."""
        return self._write(by, missions.unlink, ref, self._id(other), relation)

    def update_tasks(self, ref: str, titles: Sequence[str], current: int, *, by: Author = USER) -> Mission:
        """The whole plan and how many of its tasks are finished."""
        return self._write(by, missions.update_tasks, ref, titles, current)

    def add_note(self, ref: str, kind: NoteKind, text: str, *, by: Author = USER) -> object:
        """Appended to the history."""
        return self._write(by, missions.add_note, ref, kind, text)

    def attach_solution(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """Markdown; takes the place of the former one."""
        return self._write(by, missions.attach_solution, ref, text)

    def complete_stage(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """Review, next stage or landing, as the flow says."""
        return self._write(by, review.complete_stage, ref, summary, to_check)

    def request_review(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """A person looks at the current stage whatever the flow says."""
        return self._write(by, review.request_review, ref, summary, to_check)

    def ask_question(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """The mission waits for a person's answer."""
        return self._write(by, review.ask_question, ref, text)

    # ---- memory --------------------------------------------------------------------------------------------------

    def append_memory(
        self, project: str, name: str, text: str, heading: str | None = None, *, by: Author = USER
    ) -> MemoryDocument:
        """At the end of the document, or of the section under `heading`; makes what is missing."""
        change = self._of_project(project, "write memory", by)
        return memory.append(change, change.project_id, name, text, heading)

    def replace_memory(
        self, project: str, name: str, text: str, expected_version: int, *, by: Author = USER
    ) -> MemoryDocument:
        """The whole document; version 0 makes a new one; VersionConflict."""
        change = self._of_project(project, "write memory", by)
        return memory.replace(change, change.project_id, name, text, expected_version)

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

    def _write(
        self, by: Author, do: Callable[Concatenate[Change, str, P], T], ref: str, /, *args: P.args, **more: P.kwargs
    ) -> T:
        """An operation on the mission that answers to `ref`."""
        mission_id = self._id(ref)
        return do(opened(self.work, mission_id, by=self._for_caller(by)), mission_id, *args, **more)

    def _of_project(self, project: str, right: Right, by: Author) -> Change:
        return Change(self.work, self.project(project).id, right, by=self._for_caller(by))

    def _for_caller(self, by: Author) -> Author:
        return Author("agent", f"{by.name} for {self._caller.email or self._caller.name}")


def _elsewhere(what: str) -> NoReturn:
    raise NotAllowed(f"The hub has no {what}", why=ELSEWHERE)
