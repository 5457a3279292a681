"""What an operation needs of the store it changes: one open transaction, as a Protocol.

`workspace.change.Change` fulfils it on a machine, `hub.change.Change` at a hub. An operation checks with the rules of
`missions`, then writes through `Change.save` and its neighbours; the store keeps versions, numbers of events, and
whatever hangs on a record (dependency counts, an outbox).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from ..comments import LineComment
from ..entities import (
    Actor,
    Author,
    Flow,
    Json,
    ListName,
    MemoryDocument,
    Mission,
    Project,
    ProjectRepository,
    Relation,
    Session,
)

Part = TypeVar("Part", Flow, Actor, ProjectRepository)
AnyPart = Flow | Actor | ProjectRepository


class Change(Protocol):
    """An open write transaction with its author and time."""

    by: Author

    @property
    def now(self) -> datetime:
        """When the change is made, in UTC."""

    def new_id(self) -> str:
        """A fresh ULID."""

    def next_number(self) -> int:
        """The short number of a new mission; none is given out twice."""

    # ---- reads

    def mission(self, ref: str, /, *, deleted: bool = False) -> Mission:
        """The mission that answers to `ref`, also a deleted one where wished; NotFound."""

    def project(self, ref: str, /) -> Project:
        """The project that answers to `ref`; NotFound."""

    def session(self, session_id: str, /) -> Session:
        """The session with that id; NotFound."""

    def flow_of(self, mission: Mission, /) -> Flow:
        """The flow the mission follows: its own, else the project's default."""

    def part(self, cls: type[Part], ref: str, project_id: str | None = None, /) -> Part:
        """A flow, actor or repository by id, or by name within a project; NotFound."""

    def parts(self, cls: type[Part], project_id: str, /) -> Sequence[Part]:
        """All of a project, oldest first."""

    def missions_using(self, part: AnyPart, /) -> Sequence[Mission]:
        """Missions that follow a flow, speak through an actor or work in a repository; deleted ones do not count."""

    def document(self, project_id: str, name: str, /) -> MemoryDocument | None:
        """A document of the project memory; None when there is none."""

    def comments(self, mission_id: str, /) -> Sequence[LineComment]:
        """The line comments of a mission, by file and line."""

    def comment(self, ref: str, /) -> LineComment:
        """A line comment by its id, or a unique beginning or end of it; NotFound."""

    def conflicts_in_a_row(self, mission_id: str, /) -> int:
        """Landings that met conflicts since a person last did something with the mission."""

    def order(
        self,
        project_id: str,
        in_list: ListName,
        /,
        *,
        before: str | None = None,
        after: str | None = None,
        top: bool = False,
        moving: str = "",
    ) -> float:
        """A `listOrder`: before or after a mission of the list, at its top, or (default) at its end.

        `moving` is not counted among its neighbours. The list is numbered anew when it has no room.
        """

    def edges(self, project_id: str, /) -> Iterable[tuple[str, str]]:
        """(blocker, blocked) ids: of all dependencies that the project's missions could be in a cycle with."""

    def links(self, mission_id: str, /) -> tuple[list[str], list[str]]:
        """(ids that block a mission, ids it relates to), sorted."""

    # ---- writes

    def save(
        self, before: Mission | None, after: Mission, kind: str, /, *, note: str = "", placed: bool = False
    ) -> Mission:
        """Write a mission that changed (or is new: before None) with its event; returns it as saved.

        Nothing is written when nothing changed and there is no note. `placed`: its place in the list is chosen
        already; else one that came to another list goes to the end there, to the top of `done`.
        """

    def save_session(self, session: Session, /) -> object:
        """Write a session; its mission's events tell what it meant."""

    def event(
        self,
        project_id: str,
        kind: str,
        /,
        *,
        mission_id: str | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        by: Author | None = None,
    ) -> object:
        """Append an event."""

    def add_note(self, mission: Mission, kind: str, text: str, /, *, note_id: str | None = None) -> object:
        """Append what somebody wrote to the mission's history, with an id of its own, so that all mirrors get it."""

    def save_comment(self, comment: LineComment, kind: str, note: str, /) -> object:
        """Keep a line comment as it is now (kind `comment_deleted`: no longer), and tell of it as `add_note` does."""

    def put_link(self, mission: Mission, other: Mission, relation: Relation, /) -> bool:
        """`mission` blocks (or relates to) `other` from now on; False when it did already."""

    def drop_link(self, mission: Mission, other: Mission, relation: Relation, /) -> bool:
        """Remove a link; False when there was none."""

    def recount(self, mission_id: str, /) -> None:
        """Bring the mission's count of unresolved blockers up to date; the system tells of it where it changed."""

    def save_document(self, document: MemoryDocument, before: MemoryDocument | None, /) -> MemoryDocument:
        """Write the next version of a document (before None: it is new); every version is kept. As it was saved."""

    def confirm_passage(self, document: MemoryDocument, text: str, /) -> object:
        """Somebody says that the sections with this text hold, where the store keeps doubts about them."""

    def save_part(self, before: AnyPart | None, after: AnyPart, /) -> object:
        """Write a flow, actor or repository that changed (before None: it is new)."""

    def drop_part(self, part: AnyPart, /) -> object:
        """Remove a flow, actor or repository."""

    def save_project(self, before: Project, after: Project, /) -> object:
        """Write a project that changed; its version grows."""
