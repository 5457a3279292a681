"""One change of the workspace: what a domain operation reads and writes inside its transaction.

A change is validated by `missions`, then written with its event in the same transaction. Everything an operation
saves goes through `Change.save`, so that versions, events and the counts of other missions are right by construction.
"""

from __future__ import annotations

from dataclasses import replace

from ..missions.comments import LineComment, in_order
from ..missions.entities import (
    Actor,
    Flow,
    ListName,
    MemoryDocument,
    Mission,
    Project,
    ProjectRepository,
    Relation,
    Session,
)
from ..missions.history import recorded
from ..missions.rules.flows import enabled_stages
from . import line_comments, links, lookup, memory_documents, passages, placing, rows, saving
from .mission_view import MissionView
from .sync_state import outbox, outgoing
from .transaction import Transaction

Part = Flow | Actor | ProjectRepository


class Change(Transaction):
    """One change of the workspace; fulfils `missions.operations.port.Change`."""

    __slots__ = ()

    # ---- reads

    def mission(self, ref: str, *, deleted: bool = False) -> Mission:
        """The mission that answers to `ref`, also a deleted one where wished; NotFound."""
        return lookup.mission(self.connection, ref, deleted=deleted)

    def project(self, ref: str) -> Project:
        """The project that answers to `ref`; NotFound."""
        return lookup.project(self.connection, ref)

    def session(self, session_id: str) -> Session:
        """The session with that id; NotFound."""
        return lookup.session(self.connection, session_id)

    def flow_of(self, mission: Mission) -> Flow:
        """The flow the mission follows: its own, else the project's default."""
        return lookup.flow_of(self.connection, mission)

    def part(self, cls: type[lookup.Part], ref: str, project_id: str | None = None) -> lookup.Part:
        """A flow, actor or repository by id, or by name within a project; NotFound."""
        return lookup.part(self.connection, cls, ref, project_id)

    def parts(self, cls: type[lookup.Part], project_id: str) -> list[lookup.Part]:
        """All of a project, oldest first."""
        return lookup.parts(self.connection, cls, project_id)

    def missions_using(self, part: Part) -> list[Mission]:
        """Missions that follow a flow, speak through an actor or work in a repository; deleted ones do not count."""
        field = {Flow: "flowId", Actor: "actorId", ProjectRepository: "projectRepositoryId"}[type(part)]
        docs = self.connection.execute(
            f"SELECT doc FROM mission WHERE project_id = ? AND json_extract(doc, '$.{field}') = ? AND deleted = 0",
            (part.project_id, part.id),
        ).fetchall()
        return [rows.load(Mission, doc) for (doc,) in docs]

    def document(self, project_id: str, name: str) -> MemoryDocument | None:
        """A document of the project memory; None when there is none."""
        return memory_documents.find(self.connection, project_id, name)

    def comments(self, mission_id: str) -> list[LineComment]:
        """The line comments of a mission, by file and line."""
        return in_order(line_comments.of_mission(self.connection, mission_id))

    def comment(self, ref: str) -> LineComment:
        """A line comment by its id, or a unique beginning or end of it; NotFound."""
        return line_comments.one(self.connection, ref)

    def conflicts_in_a_row(self, mission_id: str) -> int:
        """Landings that met conflicts since a person last did something with the mission."""
        row = self.connection.execute(
            "SELECT count(*) FROM event WHERE mission_id = ?1 AND kind = 'landing_conflicted' AND seq > "
            "(SELECT coalesce(max(seq), 0) FROM event WHERE mission_id = ?1 AND author_kind = 'user')",
            (mission_id,),
        ).fetchone()
        return int(row[0])

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
        return placing.place(self, project_id, in_list, before, after, top, moving)

    def edges(self, project_id: str) -> list[tuple[str, str]]:
        """(blocker, blocked) ids of all dependencies: a cycle may go through several projects."""
        return links.edges(self.connection)

    def links(self, mission_id: str) -> tuple[list[str], list[str]]:
        """(ids that block a mission, ids it relates to), sorted."""
        return links.of_mission(self.connection, mission_id)

    # ---- writes

    def save(
        self, before: Mission | None, after: Mission, kind: str, *, note: str = "", placed: bool = False
    ) -> Mission:
        """Write a mission that changed (or is new: before None) with its event; returns it as saved.

        Nothing is written when nothing changed and there is no note. The version grows unless only
        `saving.MACHINE_FIELDS` changed. `placed`: its place in the list is chosen already.
        """
        found = {} if before is None else recorded(before, after)
        if before is not None and not found and not note:
            return before
        if before is not None and after.list != before.list and not placed:
            # the rules decide on a list, the place in it is given here: at the end, but what is done goes on top
            order = self.order(after.project_id, after.list, top=after.list == "done", moving=after.id)
            after = replace(after, list_order=order)
        revived = "deletedAt" in found and after.deleted_at is None
        if revived and outbox.hub_forgot(self.connection, after.project_id, after.id):
            return self._made_again(after, kind, note)
        saved = saving.keep(self, before, after, kind, note=note)
        outgoing.queue_mission(self, before, saved)
        if revived and outgoing.is_connected(self, saved.project_id):  # the hub spoke of it meanwhile
            MissionView(self, saved.project_id).refold(saved.id)
            return self.mission(saved.id, deleted=True)
        return saved

    def _made_again(self, after: Mission, kind: str, note: str) -> Mission:
        """A mission that the hub has deleted comes back as a new one: ids of deleted missions are never used again."""
        return self.save(None, replace(after, id=self.new_id(), number=self.next_number()), kind, note=note)

    def save_session(self, session: Session) -> Session:
        """Write a session; its mission's events tell what it meant."""
        rows.put_session(self.connection, session)
        return session

    def recount_blocked_by(self, blocker_id: str) -> None:
        """Bring `dependencyCount` up to date for every mission that waits for `blocker_id`."""
        saving.recount_blocked_by(self, blocker_id)

    def recount(self, mission_id: str) -> None:
        """Bring `dependencyCount` of one mission up to date (domain.md, Dependencies)."""
        saving.recount(self, mission_id)

    def add_note(self, mission: Mission, kind: str, text: str, *, note_id: str | None = None) -> None:
        """Append what somebody wrote to the mission's history; a hub gets it with an id of its own."""
        self.event(mission.project_id, kind, mission_id=mission.id, note=text)
        outgoing.queue_note(self, mission, kind, text, note_id=note_id)

    def save_comment(self, comment: LineComment, kind: str, note: str) -> None:
        """Keep a line comment as it is now (kind `comment_deleted`: no longer), and tell of it."""
        if kind == "comment_deleted":
            line_comments.drop(self.connection, comment.id)
        else:
            line_comments.put(self.connection, comment)
        mission = self.mission(comment.mission_id, deleted=True)
        self.event(mission.project_id, kind, mission_id=mission.id, note=note)
        outgoing.queue_note(self, mission, kind, note, comment)

    def put_link(self, mission: Mission, other: Mission, relation: Relation) -> bool:
        """`mission` blocks (or relates to) `other` from now on; False when it did already."""
        return links.change(self, mission, other, relation, links.put)

    def drop_link(self, mission: Mission, other: Mission, relation: Relation) -> bool:
        """Remove a link; False when there was none."""
        return links.change(self, mission, other, relation, links.drop)

    def save_document(self, document: MemoryDocument, before: MemoryDocument | None) -> MemoryDocument:
        """Write the next version of a memory document; every version is kept."""
        memory_documents.put(self.connection, document)
        outgoing.queue_document(self, document, before)
        return document

    def confirm_passage(self, document: MemoryDocument, text: str) -> None:
        """Somebody says that the sections with this text hold: they are as if they were written now."""
        passages.confirm(self.connection, document, text, rows.stamp(self.now) or "")

    def save_part(self, before: Part | None, after: Part) -> None:
        """Write a flow, actor or repository that changed (before None: it is new)."""
        table = lookup.TABLES[type(after)]
        rows.put_part(self.connection, table, after)
        if before is None:
            outgoing.queue_part(self, table, after)
        else:
            outgoing.queue_part_change(self, table, before, after)
        if isinstance(after, Flow) and before is not None:  # how many stages a mission has stands in its row
            for mission in self.missions_using(after):
                rows.put_mission(self.connection, mission, len(enabled_stages(after, mission.flow_config)))

    def drop_part(self, part: Part) -> None:
        """Remove a flow, actor or repository."""
        table = lookup.TABLES[type(part)]
        self.connection.execute(f"DELETE FROM {table} WHERE id = ?", (part.id,))
        outgoing.queue_part_removal(self, table, part)

    def save_project(self, before: Project, after: Project) -> Project:
        """Write a project that changed; its version grows."""
        saved = replace(after, version=before.version + 1, updated_at=self.now)
        rows.put_project(self.connection, saved)
        outgoing.queue_part_change(self, "project", before, saved)
        return saved
