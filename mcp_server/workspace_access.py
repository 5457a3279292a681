"""The workspace as the MCP tools see it: `missions.access.MissionAccess`, each method one query or one operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from ..config import paths
from ..missions.access import AccessCall, FolderPlace, MissionAccess
from ..missions.board import DependencyView, Hit, ListCount, Page
from ..missions.comments import LineComment
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
    Project,
    ProjectRepository,
    Session,
)
from ..missions.operations.port import Change
from ..workspace import operations, queries
from ..workspace.thread import WorkspaceThread
from ..workspace.workspace import Workspace
from ..worktrees.repository.around import place_of

P = ParamSpec("P")
T = TypeVar("T")


def on(thread: WorkspaceThread) -> AccessCall:
    """How the tools run their closures: on the workspace's own thread."""

    async def call(operation: Callable[[MissionAccess], T], /) -> T:
        return await thread.run(lambda workspace: operation(WorkspaceAccess(workspace)))

    return call


class WorkspaceAccess:
    """Implements `missions.access.MissionAccess`, which documents the methods."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def write(
        self,
        by: Author,
        operation: Callable[Concatenate[Change, str, P], T],
        ref: str,
        /,
        *args: P.args,
        **more: P.kwargs,
    ) -> T:
        return self._workspace.write_as(by, operation, ref, *args, **more)

    def place_of(self, directory: str) -> FolderPlace:
        return place_of(self._workspace, Path(directory))

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

    def dependencies(self, ref: str) -> Sequence[DependencyView]:
        return self._workspace.read(queries.missions.dependencies, ref)

    def comments(self, ref: str, *, open_only: bool = False) -> Sequence[LineComment]:
        return self._workspace.read(queries.comments.of_mission, ref, open_only=open_only)

    def files(self, ref: str) -> Sequence[str]:
        return [one.name for one in self._workspace.read(queries.attachments.of_mission, ref)]

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
        found = self._workspace.read(queries.sessions.of_token, digest)
        if found is not None:
            with suppress(OSError):  # its run directory was removed, and with it whoever looks there
                paths.tools_reached(found.id).touch()
        return found

    def memory_documents(self, project: str) -> Sequence[MemoryDocument]:
        return self._workspace.read(queries.memory.list_all, project)

    def memory(self, project: str, name: str) -> MemoryDocument:
        return self._workspace.read(queries.memory.get, project, name)

    def search_memory(self, project: str, text: str, limit: int = 20) -> Sequence[Hit]:
        return self._workspace.read(queries.memory.search, project, text, limit)

    def nearest_headings(self, project: str, text: str) -> Sequence[str]:
        return self._workspace.read(queries.memory.nearest_headings, project, text)

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
