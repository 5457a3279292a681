"""One change of a hosted project: what an operation reads and writes inside its transaction.

The project's row is locked first, by the statement that gives out the number of the change; so changes of one project
commit in the order of their numbers, and a reader of the feed never misses one. Every number is that of an event, and
the version of a record is the number of the event that told of it last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from ..missions.comments import LineComment, in_order
from ..missions.entities import (
    SYSTEM,
    Actor,
    Author,
    Flow,
    Json,
    JsonObject,
    ListName,
    MemoryDocument,
    Mission,
    Project,
    Relation,
    Session,
)
from ..missions.errors import InvalidValue, NotFound
from ..missions.history import recorded
from ..missions.ids import new_ulid
from ..missions.operations.port import AnyPart, Part
from ..missions.rules.dependencies import is_resolved
from ..missions.rules.order import between, renumbered
from ..missions.wire import to_wire
from .errors import Gone
from .journal import ProjectJournal
from .permissions import Right, missing
from .records import comments, history, links, memory, parts, placing
from .records import missions as records
from .unit_of_work import UnitOfWork

ELSEWHERE = "sessions and agents run on workstations; their own MCP server answers this"
UNTOLD = records.LOCAL - {"deletedAt"}
"""Fields of one machine, which no history shows."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A mission as it stands now, its JSON as it is sent, and its links; it is read once in a change."""

    mission: Mission
    text: str
    blocked_by: list[str]
    relates_to: list[str]


class Change:
    """An open change of one project by one caller; fulfils `missions.operations.port.Change`.

    Missions, parts and documents are named by their ids. A record is written with the number of the event that tells
    of it next; links stand in the missions at both ends, which are written anew by the events that tell of them.
    """

    def __init__(self, work: UnitOfWork, project_id: str, right: Right | None, *, by: Author | None = None) -> None:
        """Refused where the caller has no such right; None: the hub itself acts."""
        if right is not None:
            work.require(project_id, right)
        self.journal = ProjectJournal(work, project_id)
        self.work = work
        self.at = work.at
        self.project_id = project_id
        self.now = datetime.fromtimestamp(work.now, UTC)
        self.by = by or author_of(work)
        self._kept: dict[str, _Kept] = {}
        self._relinked: set[str] = set()

    def next_number(self) -> int:
        """The short number of a new mission."""
        return self.journal.next_mission_number()

    def new_id(self) -> str:
        return new_ulid()

    # ---- reads ---------------------------------------------------------------------------------------------------

    def project(self, ref: str) -> Project:
        """The project of this change; NotFound for any other."""
        if ref != self.project_id:
            raise missing("project", ref)
        return self.journal.project

    def mission(self, ref: str, *, deleted: bool = False) -> Mission:
        """A mission of this project; NotFound. Of a deleted one no more than its id and number is known."""
        kept = self._kept.get(ref) or self._read(ref)
        if kept.mission.deleted_at is not None and not deleted:
            raise missing("mission", ref)
        return kept.mission

    def text_of(self, mission_id: str) -> str:
        """A mission's JSON as it is sent, with this change in it."""
        self.mission(mission_id, deleted=True)
        return self._kept[mission_id].text

    def session(self, session_id: str) -> Session:
        """A hub has no sessions: NotFound."""
        raise NotFound(f"There is no session {session_id[:64]!r} here", why=ELSEWHERE)

    def flow_of(self, mission: Mission) -> Flow:
        """The flow the mission follows: its own, else the project's default."""
        own = parts.find(self.at, Flow, self.project_id, mission.flow_id) if mission.flow_id else None
        return own or parts.default_flow(self.at, self.journal.project)

    def part(self, cls: type[Part], ref: str, project_id: str | None = None) -> Part:
        """A flow, actor or repository of this project by id, or by name; NotFound."""
        return parts.one(self.at, cls, self.project_id, ref)

    def parts(self, cls: type[Part], project_id: str) -> list[Part]:
        """All of a project, oldest first."""
        return parts.of_project(self.at, cls, project_id)

    def missions_using(self, part: AnyPart) -> list[Mission]:
        """Missions that follow a flow, speak through an actor or work in a repository; deleted ones do not count."""
        return parts.missions_using(self.at, part)

    def document(self, project_id: str, name: str) -> MemoryDocument | None:
        """A document of the project memory; None when there is none."""
        return memory.find(self.at, project_id, name)

    def comments(self, mission_id: str) -> list[LineComment]:
        """The line comments of a mission, by file and line."""
        return in_order(comments.of_mission(self.at, mission_id))

    def comment(self, ref: str) -> LineComment:
        """A line comment by its id, or a unique beginning or end of it; NotFound."""
        return comments.one(self.at, self.project_id, ref)

    def conflicts_in_a_row(self, mission_id: str) -> int:
        """Landings that met conflicts since a person last did something with the mission."""
        return history.conflicts_in_a_row(self.at, mission_id)

    def order(
        self,
        project_id: str,
        in_list: ListName,
        *,
        before: str | None = None,
        after: str | None = None,
        top: bool = False,
        moving: str = "",
    ) -> float:
        """A `listOrder`: before or after a mission, at the top, or (default) at the end; makes room if needed."""
        for _ in range(2):
            found = between(*placing.neighbours(self.at, project_id, in_list, before, after, top, moving))
            if found is not None:
                return found
            standing = placing.in_order(self.at, project_id, in_list)
            for place, mission_id in zip(renumbered(len(standing)), standing, strict=True):
                mission = self.mission(mission_id)
                self.save(mission, replace(mission, list_order=place), "reordered", placed=True)
        raise InvalidValue("listOrder", "The list has no room left", todo="name another place")

    def edges(self, project_id: str) -> list[tuple[str, str]]:
        """(blocker, blocked) ids of the project."""
        return links.edges(self.at, project_id)

    def links(self, mission_id: str) -> tuple[list[str], list[str]]:
        """(ids that block a mission, ids it relates to), sorted."""
        kept = self._kept.get(mission_id)
        if kept is None or mission_id in self._relinked:
            return links.of_mission(self.at, mission_id)
        return kept.blocked_by, kept.relates_to

    # ---- writes --------------------------------------------------------------------------------------------------

    def save(
        self, before: Mission | None, after: Mission, kind: str, *, note: str = "", placed: bool = False
    ) -> Mission:
        """Write a mission that changed (or is new: before None) with its event; returns it as saved.

        Nothing is written when nothing changed and there is no note. A deleted mission stays deleted: Gone.
        `placed`: its place in the list is chosen already.
        """
        if before is not None and before.deleted_at is not None:
            raise Gone(before.id)
        if before is not None and after.list != before.list and not placed:
            order = self.order(self.project_id, after.list, top=after.list == "done", moving=after.id)
            after = replace(after, list_order=order)
        pairs = {} if before is None else recorded(before, after)
        found = {name: pair for name, pair in pairs.items() if name not in UNTOLD}
        if before is not None and not found and not note:
            return before
        self._check_actor(before, after)
        saved = replace(after, version=self.journal.next_seq(), updated_at=self.now, project_id=self.project_id)
        self._write(before, saved)
        self._append(kind, saved.version, mission_id=saved.id, changes=found, note=note)
        self.journal.tell(saved, kind, found)
        if (before is not None and is_resolved(before)) != is_resolved(saved):
            for waiting in links.blocked_by(self.at, saved.id):
                self.recount(waiting)
        return saved

    def save_session(self, session: Session) -> None:
        """A hub has no sessions: NotFound."""
        self.session(session.id)

    def event(
        self,
        project_id: str,
        kind: str,
        *,
        mission_id: str | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        by: Author | None = None,
    ) -> int:
        """Append an event; its number, which is the version of the records it tells of."""
        number = self.journal.take()
        if mission_id in self._relinked:
            self._relink(str(mission_id), number, kind)
        self._append(kind, number, mission_id=mission_id, changes=changes, note=note, by=by)
        return number

    def add_note(
        self, mission: Mission, kind: str, text: str, *, note_id: str | None = None, data: JsonObject | None = None
    ) -> str:
        """Append what somebody wrote to the mission's history, with an id of its own; its JSON."""
        more: JsonObject = {"noteId": note_id or self.new_id(), **({"data": data} if data is not None else {})}
        return self._append(kind, self.journal.next_seq(), mission_id=mission.id, note=text, more=more)

    def save_comment(self, comment: LineComment, kind: str, note: str, *, note_id: str | None = None) -> str:
        """Tell of a line comment as it is now: what was said of one last counts."""
        mission = self.mission(comment.mission_id, deleted=True)
        return self.add_note(mission, kind, note, note_id=note_id, data=to_wire(comment))

    def put_link(self, mission: Mission, other: Mission, relation: Relation) -> bool:
        """`mission` blocks (or relates to) `other` from now on; False when it did already."""
        return relink(self, mission.id, other.id, relation, there=True)

    def drop_link(self, mission: Mission, other: Mission, relation: Relation) -> bool:
        """Remove a link; False when there was none."""
        return relink(self, mission.id, other.id, relation, there=False)

    def recount(self, mission_id: str) -> None:
        """Bring `dependencyCount` of one mission up to date (domain.md, Dependencies)."""
        try:
            mission = self.mission(mission_id)
        except NotFound:
            return
        count = links.unresolved(self.at, self.links(mission_id)[0])
        if count != mission.dependency_count:
            author, self.by = self.by, SYSTEM
            self.save(mission, replace(mission, dependency_count=count), "blockers_changed")
            self.by = author

    def save_document(self, document: MemoryDocument, before: MemoryDocument | None) -> MemoryDocument:
        """Write the next version of a memory document; its version is the number of the event that tells of it."""
        saved = replace(document, version=self.journal.reserve())
        memory.put(self.at, saved, new=before is None)
        return saved

    def confirm_passage(self, document: MemoryDocument, text: str) -> None:
        """A hub has no worktree to doubt by."""

    def save_part(self, before: AnyPart | None, after: AnyPart) -> None:
        """Write a flow, actor or repository that changed (before None: it is new)."""
        parts.put(self.at, after, self.journal.bump_project(), new=before is None)

    def drop_part(self, part: AnyPart) -> None:
        """Remove a flow, actor or repository."""
        parts.drop(self.at, part)
        self.journal.bump_project()

    def save_project(self, before: Project, after: Project) -> Project:
        """Write a project that changed; its version grows."""
        saved = replace(after, version=self.journal.bump_project(), updated_at=self.now)
        self.journal.put_project(saved)
        return saved

    # ---- below ---------------------------------------------------------------------------------------------------

    def _read(self, mission_id: str) -> _Kept:
        row = row_of(self, mission_id)
        if row.deleted:
            kept = _Kept(records.buried(row, self.now), row.doc, [], [])
        else:
            mission, blocked_by, relates_to = records.mission_of(row.doc, row.number)
            kept = _Kept(mission, row.doc, blocked_by, relates_to)
        self._kept[mission_id] = kept
        return kept

    def _check_actor(self, before: Mission | None, after: Mission) -> None:
        """InvalidValue for an actor that is another project's."""
        wished = after.actor_id
        if wished is None or (before is not None and before.actor_id == wished):
            return
        if parts.is_of_another_project(self.at, Actor, self.project_id, wished):
            raise InvalidValue("actorId", f"The project has no actor {wished}", todo="choose one of its own")

    def _write(self, before: Mission | None, after: Mission) -> None:
        """The mission's row and text, with its links as they are now."""
        blocked_by, relates_to = ([], []) if after.deleted_at else self.links(after.id)
        self._relinked.discard(after.id)
        key = self.work.key
        text = records.put(self.at, before, after, blocked_by, relates_to, created_by=key.rpartition(".")[0] or key)
        self._kept[after.id] = _Kept(after, text, blocked_by, relates_to)

    def _relink(self, mission_id: str, number: int, kind: str) -> None:
        """Write a mission whose links changed, as the event of that number tells."""
        try:
            mission = self.mission(mission_id)
        except NotFound:  # deleted, or of another machine only
            self._relinked.discard(mission_id)
            return
        saved = replace(mission, version=number, updated_at=self.now)
        self._write(mission, saved)
        self.journal.tell(saved, kind, {})

    def _append(
        self,
        kind: str,
        number: int,
        *,
        mission_id: str | None,
        by: Author | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        more: Mapping[str, Json] | None = None,
    ) -> str:
        return self.journal.append(
            kind, number, by or self.by, self.now, mission_id=mission_id, changes=changes, note=note, more=more
        )


def author_of(work: UnitOfWork) -> Author:
    """How the history names a caller."""
    if work.caller.kind == "organization":
        return Author("system", f"organization {work.caller.organization_id}")
    return Author("user", work.caller.email or work.caller.user_id or "")


def new_id(wished: object = None) -> str:
    """The id a caller made, or a fresh one; InvalidValue for what is not a ULID."""
    if wished is None:
        return new_ulid()
    if not isinstance(wished, str) or len(wished) != 26 or not set(wished) <= _ULID or wished[0] > "7":
        raise InvalidValue("id", f"{str(wished)[:40]!r} is not a ULID", todo="send a ULID, or leave it out")
    return wished


_ULID = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def row_of(change: Change, mission_id: str) -> Row[Any]:
    """A mission's row, with who holds it; NotFound."""
    found = records.row(change.at, mission_id)
    if found is None or found.project_id != change.project_id:
        raise missing("mission", mission_id)
    return found


def relink(change: Change, mission_id: str, other_id: str, relation: Relation, *, there: bool) -> bool:
    """Put a link or drop it, also where the hub may not know one of the two; False when nothing changed."""
    changed = (links.put if there else links.drop)(change.at, change.project_id, mission_id, other_id, relation)
    change._relinked |= {mission_id, other_id} if changed else set()
    return changed
