"""The workspace as the MCP tools see it: `missions.access.MissionAccess`, each method one query or one operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from ..missions.access import Call, MissionAccess
from ..missions.board import DependencyView, Hit, ListCount, Page
from ..missions.comments import LineComment
from ..missions.creating import MissionDraft
from ..missions.entities import (
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
from ..workspace import operations, queries
from ..workspace.thread import WorkspaceThread
from ..workspace.workspace import Workspace

T = TypeVar("T")


def on(thread: WorkspaceThread) -> Call:
    """How the tools run their closures: on the workspace's own thread."""

    async def call(operation: Callable[[MissionAccess], T], /) -> T:
        return await thread.run(lambda workspace: operation(WorkspaceAccess(workspace)))

    return call


class WorkspaceAccess:
    """Implements `missions.access.MissionAccess`, which documents the methods."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def projects(self) -> Sequence[Project]:
        return self._workspace.read(queries.projects.list_all)

    def project(self, ref: str) -> Project:
        return self._workspace.read(queries.projects.get, ref)

    def repositories(self, project: str | None = None) -> Sequence[ProjectRepository]:
        return self._workspace.read(queries.projects.repositories, project)

    def flow(self, flow_id: str) -> Flow:
        return self._workspace.read(queries.projects.flow, flow_id)

    def flows(self, project: str) -> Sequence[Flow]:
        return self._workspace.read(queries.projects.flows, project)

    def mission(self, ref: str) -> Mission:
        return self._workspace.read(queries.missions.get, ref)

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
        return self._workspace.read(
            queries.missions.page, project, lists=lists, ready=ready, text=text, limit=limit, cursor=cursor
        )

    def search(self, text: str, project: str | None = None, limit: int = 20) -> Sequence[Hit]:
        return self._workspace.read(queries.missions.search, text, project, limit)

    def list_counts(self, project_id: str) -> Mapping[ListName, ListCount]:
        return self._workspace.read(queries.board.list_counts, project_id)

    def create_mission(self, project: str, draft: MissionDraft, *, by: Author = USER) -> Mission:
        return self._workspace.write_as(by, operations.missions.create, project, draft)

    def edit_mission(
        self, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        return self._workspace.write_as(by, operations.missions.edit, ref, changes, expected_version=expected_version)

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
        return self._workspace.write_as(by, operations.missions.move, ref, to_list, before=before, after=after, top=top)

    def set_ready(self, ref: str, ready: bool, *, by: Author = USER) -> Mission:
        return self._workspace.write_as(by, operations.missions.set_ready, ref, ready)

    def link(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> None:
        self._workspace.write_as(by, operations.missions.link, ref, other, relation)

    def unlink(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> None:
        self._workspace.write_as(by, operations.missions.unlink, ref, other, relation)

    def dependencies(self, ref: str) -> Sequence[DependencyView]:
        return self._workspace.read(queries.missions.dependencies, ref)

    def update_tasks(self, ref: str, titles: Sequence[str], current: int, *, by: Author = USER) -> Mission:
        return self._workspace.write_as(by, operations.missions.update_tasks, ref, titles, current)

    def add_note(self, ref: str, kind: NoteKind, text: str, *, by: Author = USER) -> None:
        self._workspace.write_as(by, operations.missions.add_note, ref, kind, text)

    def attach_solution(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        return self._workspace.write_as(by, operations.missions.attach_solution, ref, text)

    def complete_stage(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        return self._workspace.write_as(by, operations.review.complete_stage, ref, summary, to_check)

    def request_review(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        return self._workspace.write_as(by, operations.review.request_review, ref, summary, to_check)

    def ask_question(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        return self._workspace.write_as(by, operations.review.ask_question, ref, text)

    def comments(self, ref: str, *, open_only: bool = False) -> Sequence[LineComment]:
        return self._workspace.read(queries.comments.of_mission, ref, open_only=open_only)

    def history(self, ref: str, limit: int = 200) -> Sequence[MissionEvent]:
        return self._workspace.read(queries.missions.history, ref, limit)

    def why_not(self, ref: str) -> str | None:
        return self._workspace.read(queries.sessions.why_not, ref, now=self._workspace.now())

    def agents(self) -> Sequence[CodeAgent]:
        return self._workspace.read(queries.workstation.agents)

    def set_agent_limit(self, name: str, until: datetime | None, *, by: Author = USER) -> None:
        self._workspace.write_as(by, operations.workstation.set_agent_limit, name, until)

    def session(self, session_id: str) -> Session:
        return self._workspace.read(queries.sessions.get, session_id)

    def session_for_token(self, digest: str, /) -> Session | None:
        return self._workspace.read(queries.sessions.of_token, digest)

    def memory_documents(self, project: str) -> Sequence[MemoryDocument]:
        return self._workspace.read(queries.memory.list_all, project)

    def memory(self, project: str, name: str) -> MemoryDocument:
        return self._workspace.read(queries.memory.get, project, name)

    def append_memory(
        self, project: str, name: str, text: str, heading: str | None = None, *, by: Author = USER
    ) -> MemoryDocument:
        return self._workspace.write_as(by, operations.memory.append, project, name, text, heading)

    def replace_memory(
        self, project: str, name: str, text: str, expected_version: int, *, by: Author = USER
    ) -> MemoryDocument:
        return self._workspace.write_as(by, operations.memory.replace, project, name, text, expected_version)

    def search_memory(self, project: str, text: str, limit: int = 20) -> Sequence[Hit]:
        return self._workspace.read(queries.memory.search, project, text, limit)

    def ask_permission(
        self, session_id: str, tool: str, given: JsonObject, *, call_id: str | None = None, by: Author = USER
    ) -> InboxItem:
        return self._workspace.write_as(by, operations.inbox.ask, session_id, tool, given, call_id=call_id)

    def permission(self, item_id: int, /) -> InboxItem:
        return self._workspace.read(queries.inbox.item, item_id)

    def answer_permission(self, item_id: int, decision: Decision, message: str = "", *, by: Author = USER) -> InboxItem:
        return self._workspace.write_as(by, operations.inbox.answer, item_id, decision, message)

    def meta(self, key: str) -> str | None:
        return self._workspace.meta(key)

    def set_meta(self, key: str, value: str) -> None:
        self._workspace.set_meta(key, value)
