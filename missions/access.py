"""What the MCP tools need of a store of missions, as one protocol.

`mcp_server.workspace_access` implements it on a workstation, and the hub's services for its callers. The tools keep
nothing themselves: a call runs a function with the store on the thread that owns the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from .board import DependencyView, Hit, ListCount, Page
from .comments import LineComment
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
    Project,
    ProjectRepository,
    Session,
)
from .operations.port import Change
from .records import record

P = ParamSpec("P")
T = TypeVar("T")


@record
class FolderPlace:
    """What a directory of a client belongs to."""

    projects: tuple[str, ...] = ()
    """Ids of the projects that have linked the repository around it."""
    mission: str | None = None
    """The mission whose worktree it is in."""


class MissionAccess(Protocol):
    """Reads and domain operations of missions, sessions and project memory, each validated and durable by itself."""

    def write(
        self,
        by: Author,
        operation: Callable[Concatenate[Change, str, P], T],
        ref: str,
        /,
        *args: P.args,
        **more: P.kwargs,
    ) -> T:
        """An operation of `missions.operations` on the mission, or the project, that answers to `ref`.

        What else it names, it names by ids.
        """

    def place_of(self, directory: str) -> FolderPlace:
        """What a directory of this machine belongs to."""

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

    def dependencies(self, ref: str) -> Sequence[DependencyView]:
        """Both directions."""

    def comments(self, ref: str, *, open_only: bool = False) -> Sequence[LineComment]:
        """Line comments on the mission's diff, by file and line."""

    def files(self, ref: str) -> Sequence[str]:
        """Names of the mission's files."""

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

    def search_memory(self, project: str, text: str, limit: int = 20) -> Sequence[Hit]:
        """Sections by words, best first."""

    def nearest_headings(self, project: str, text: str) -> Sequence[str]:
        """Sections whose names look most like a question that found nothing, as `DOCUMENT › HEADING`."""

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


class AccessCall(Protocol):
    """Run one closure over the keeper where its database lives, and wait for what it returns."""

    async def __call__(self, operation: Callable[[MissionAccess], T], /) -> T:
        """Whatever `operation` raises comes back to the caller."""
