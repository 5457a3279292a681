"""What the MCP tools need from whoever keeps the missions, as one Protocol.

`mcp_server.workspace_access` fulfils it on a machine; a hub's services fulfil it for its own callers. The tools hold no
storage of their own: every operation runs inside `Call`, which hands the keeper to a closure on whatever thread owns
the database (DESIGN, "The house").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from .board import DependencyView, Hit, ListCount, Page
from .comments import LineComment
from .creating import MissionDraft
from .entities import (
    USER,
    Author,
    CodeAgent,
    Decision,
    Flow,
    InboxItem,
    JsonObject,
    ListName,
    MemoryDocument,
    Mission,
    MissionEvent,
    NoteKind,
    Project,
    ProjectRepository,
    Relation,
    Session,
)

T = TypeVar("T")


class MissionAccess(Protocol):
    """Reads and domain operations of missions, sessions and project memory, each validated and durable by itself."""

    def projects(self) -> Sequence[Project]:
        """Every project the keeper has."""

    def project(self, ref: str) -> Project:
        """By id, slug or name; NotFound."""

    def repositories(self, project: str | None = None) -> Sequence[ProjectRepository]:
        """Of one project or of all."""

    def flow(self, flow_id: str) -> Flow:
        """NotFound when there is none."""

    def flows(self, project: str) -> Sequence[Flow]:
        """Every flow of a project."""

    def mission(self, ref: str) -> Mission:
        """By id, `M-42` or `42`; NotFound."""

    def missions(
        self,
        project: str | None = None,
        *,
        lists: Sequence[ListName] | None = None,
        ready: bool | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Mission]:
        """In board order."""

    def search(self, text: str, project: str | None = None, limit: int = 20) -> Sequence[Hit]:
        """By words of title and texts, best first."""

    def list_counts(self, project_id: str) -> Mapping[ListName, ListCount]:
        """Cards by list."""

    def create_mission(self, project: str, draft: MissionDraft, *, by: Author = USER) -> Mission:
        """A new mission at the end of its list."""

    def edit_mission(
        self, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Snake_case fields to their new values; VersionConflict."""

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

    def set_ready(self, ref: str, ready: bool, *, by: Author = USER) -> Mission:
        """Let agents start on it, or not."""

    def link(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """`ref` blocks (or relates to) `other`; Conflict names a cycle."""

    def unlink(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """The opposite of `link`."""

    def dependencies(self, ref: str) -> Sequence[DependencyView]:
        """Both directions."""

    def update_tasks(self, ref: str, titles: Sequence[str], current: int, *, by: Author = USER) -> Mission:
        """The whole plan and how many of its tasks are finished."""

    def add_note(self, ref: str, kind: NoteKind, text: str, *, by: Author = USER) -> object:
        """Appended to the history."""

    def attach_solution(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """Markdown; takes the place of the former one."""

    def complete_stage(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """Review, next stage or landing, as the flow says."""

    def request_review(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """A person looks at the current stage whatever the flow says."""

    def ask_question(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """The mission waits for a person's answer."""

    def comments(self, ref: str, *, open_only: bool = False) -> Sequence[LineComment]:
        """Line comments on the mission's diff, by file and line."""

    def history(self, ref: str, limit: int = 200) -> Sequence[MissionEvent]:
        """Newest last."""

    def why_not(self, ref: str) -> str | None:
        """Why it is not running, in one sentence."""

    def agents(self) -> Sequence[CodeAgent]:
        """The code agents of this workstation."""

    def set_agent_limit(self, name: str, until: datetime | None, *, by: Author = USER) -> object:
        """Parked until then."""

    def session(self, session_id: str) -> Session:
        """NotFound when there is none."""

    def session_for_token(self, digest: str, /) -> Session | None:
        """The live session that carries the token with this SHA-256."""

    def memory_documents(self, project: str) -> Sequence[MemoryDocument]:
        """Every document of the project memory."""

    def memory(self, project: str, name: str) -> MemoryDocument:
        """One document; NotFound."""

    def append_memory(
        self, project: str, name: str, text: str, heading: str | None = None, *, by: Author = USER
    ) -> MemoryDocument:
        """At the end of the document, or of the section under `heading`; makes what is missing."""

    def replace_memory(
        self, project: str, name: str, text: str, expected_version: int, *, by: Author = USER
    ) -> MemoryDocument:
        """The whole document; version 0 makes a new one; VersionConflict."""

    def search_memory(self, project: str, text: str, limit: int = 20) -> Sequence[Hit]:
        """By words, best first."""

    def ask_permission(
        self, session_id: str, tool: str, given: JsonObject, *, call_id: str | None = None, by: Author = USER
    ) -> InboxItem:
        """Put a question into the inbox; one with the same `call_id` is there already."""

    def permission(self, item_id: int, /) -> InboxItem:
        """The question with its answer, once there is one."""

    def answer_permission(self, item_id: int, decision: Decision, message: str = "", *, by: Author = USER) -> InboxItem:
        """Allow or deny; Conflict when it was answered already."""

    def meta(self, key: str) -> str | None:
        """A small value kept beside the missions."""

    def set_meta(self, key: str, value: str) -> object:
        """Keep it."""


class Call(Protocol):
    """Run one closure over the keeper where its database lives, and wait for what it returns."""

    async def __call__(self, operation: Callable[[MissionAccess], T], /) -> T:
        """Whatever `operation` raises comes back to the caller."""
