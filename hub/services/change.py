"""One change of a project: what a service reads and writes inside its transaction.

The project's row is locked first, by the statement that gives out the number of the change; so changes of one project
commit in the order of their numbers, and a reader of the feed never misses one. Every number is that of an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import orjson
from sqlalchemy import BigInteger, Connection, Row, Table, and_, bindparam, case, func, insert, or_, select, update

from ...missions import dependencies as rules
from ...missions.entities import Author, Flow, Json, JsonObject, Mission, Project, ProjectRepository
from ...missions.errors import InvalidValue
from ...missions.ids import new_ulid
from ...missions.wire import changes, from_wire, to_wire
from .. import epoch
from ..api.endpoint import Call
from ..permissions import Right, missing
from ..statements import Statement
from ..tables import actors, dependencies, events, flows, missions, projects, repositories
from . import documents, ordering

P = TypeVar("P")
UNRECORDED = frozenset({"updatedAt", "version", "agentSessionStatusChangedAt", *documents.LOCAL})

# Made once: to build a statement costs more than to run it.
_NEXT = Statement(
    update(projects)
    .where(projects.c.id == bindparam("wanted"))
    .values(
        seq=case((projects.c.seq > bindparam("clock", type_=BigInteger), projects.c.seq), else_=bindparam("clock"))
        + bindparam("step", type_=BigInteger)
    )
    .returning(projects.c.seq, projects.c.doc, projects.c.mission_number, projects.c.version)
)
_ROW = Statement(select(missions).where(missions.c.id == bindparam("wanted")))
_LINKS = Statement(
    select(dependencies.c.mission_id, dependencies.c.other_id, dependencies.c.relation).where(
        or_(dependencies.c.mission_id == bindparam("wanted"), dependencies.c.other_id == bindparam("wanted"))
    )
)
_SAVE = Statement(update(missions).where(missions.c.id == bindparam("wanted")))
_EVENT = Statement(insert(events))
_PARTS = {
    table: Statement(
        select(table.c.doc).where(and_(table.c.id == bindparam("wanted"), table.c.project_id == bindparam("here")))
    )
    for table in (flows, repositories)
}


class Change:
    """An open change of one project by one caller."""

    def __init__(self, call: Call, project_id: str, right: Right) -> None:
        call.hub.permissions.require(call.at, call.caller, project_id, right)
        row = _NEXT.one(call.at, wanted=project_id, clock=epoch.clock(call.now), step=epoch.step())
        self.call = call
        self.at: Connection = call.at
        self.project_id = project_id
        self.now = datetime.fromtimestamp(call.now, UTC)
        self.by = author_of(call)
        self.project_version: int = row.version
        self._project_doc: str = row.doc
        self._number: int = row.mission_number
        self._next: int = row.seq
        self._used = False
        call.after.append(lambda: call.hub.bus.changed(project_id, self.seq))

    @property
    def seq(self) -> int:
        """The last number given out."""
        return self._next

    def next_seq(self) -> int:
        """A number of the project's own sequence; the first came with the lock."""
        if self._used:
            self._next += epoch.step()
            self.at.execute(update(projects).where(projects.c.id == self.project_id).values(seq=self._next))
        self._used = True
        return self._next

    def next_number(self) -> int:
        """The short number of a new mission."""
        self._number += 1
        self.at.execute(update(projects).where(projects.c.id == self.project_id).values(mission_number=self._number))
        return self._number

    # ---- reads ---------------------------------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        """The project as it is stored."""
        return from_wire(Project, orjson.loads(self._project_doc))

    def mission(self, mission_id: str) -> Mission:
        """A mission of this project; NotFound, or `gone`."""
        return self.row(mission_id)[1]

    def row(self, mission_id: str) -> tuple[Row[Any], Mission]:
        """A mission of this project with its row."""
        found = _ROW.first(self.at, wanted=mission_id)
        if found is None or found.project_id != self.project_id or found.deleted:
            raise missing("mission", mission_id)
        return found, documents.mission_of(found.doc, found.number)[0]

    def part(self, table: Table, cls: type[P], part_id: str | None) -> P | None:
        """A flow, actor or repository of this project; None when it has none of that id."""
        if part_id is None:
            return None
        row = _PARTS[table].first(self.at, wanted=part_id, here=self.project_id)
        return None if row is None else cast("P", _decoded(cast("Any", cls), row.doc))

    def flow(self, flow_id: str | None) -> Flow:
        """The flow of that id, else the project's default; InvalidValue for one the project does not have."""
        found = self.part(flows, Flow, flow_id or self.project.default_flow_id)
        if found is None and flow_id is None:
            found = next(iter(self.all_flows()), None)
        if found is None:
            raise InvalidValue("flowId", f"the project has no flow {flow_id}")
        return found

    def all_flows(self) -> list[Flow]:
        """Every flow of the project."""
        docs = self.at.execute(
            select(flows.c.doc).where(flows.c.project_id == self.project_id).order_by(flows.c.id)
        ).scalars()
        return [from_wire(Flow, orjson.loads(doc)) for doc in docs]

    def repository(self, repository_id: str | None) -> ProjectRepository | None:
        """A repository of the project; InvalidValue for one it does not have."""
        found = self.part(repositories, ProjectRepository, repository_id)
        if found is None and repository_id is not None:
            raise InvalidValue("projectRepositoryId", f"the project has no repository {repository_id}")
        return found

    def check_actor(self, actor_id: str | None) -> None:
        """InvalidValue for an actor that is another project's."""
        if actor_id is None:
            return
        owner = self.at.execute(select(actors.c.project_id).where(actors.c.id == actor_id)).scalar()
        if owner is not None and owner != self.project_id:
            raise InvalidValue("actorId", f"the project has no actor {actor_id}")

    def only_repository(self) -> ProjectRepository | None:
        """The project's repository when it has exactly one."""
        docs = list(
            self.at.execute(
                select(repositories.c.doc).where(repositories.c.project_id == self.project_id).limit(2)
            ).scalars()
        )
        return from_wire(ProjectRepository, orjson.loads(docs[0])) if len(docs) == 1 else None

    # ---- links ---------------------------------------------------------------------------------------------------

    def links(self, mission_id: str) -> tuple[list[str], list[str]]:
        """(ids that block a mission, ids it relates to), sorted."""
        rows = _LINKS.all(self.at, wanted=mission_id)
        blocked_by = sorted(row.mission_id for row in rows if row.relation == "blocks" and row.other_id == mission_id)
        relates = {
            row.other_id if row.mission_id == mission_id else row.mission_id
            for row in rows
            if row.relation == "relates_to"
        }
        return blocked_by, sorted(relates)

    def unresolved(self, blocked_by: Sequence[str]) -> int:
        """How many of these blockers still block: all but those that are done."""
        if not blocked_by:
            return 0
        done = self.at.execute(
            select(func.count())
            .select_from(missions)
            .where(and_(missions.c.id.in_(blocked_by), missions.c.list == "done", missions.c.deleted.is_(False)))
        ).scalar_one()
        return len(blocked_by) - int(done)

    # ---- writes --------------------------------------------------------------------------------------------------

    def save(
        self,
        before: Mission | None,
        after: Mission,
        kind: str,
        *,
        note: str = "",
        placed: bool = False,
        relinked: bool = False,
        columns: Mapping[str, object] | None = None,
    ) -> str:
        """Write a mission that changed (or is new: before None) with its event; its JSON text as it is sent.

        `placed`: its place in the list is chosen already. `relinked`: its links changed. `columns`: of the lease.
        """
        if before is not None and after.list != before.list and not placed:
            after = replace(after, list_order=self.order(after.list, top=after.list == "done", moving=after.id))
        blocked_by, relates_to = ([], []) if before is None and not relinked else self.links(after.id)
        blocking = self.unresolved(blocked_by)
        if blocking != after.dependency_count:
            after = replace(after, dependency_count=blocking)
        found = {} if before is None else _recorded(before, after)
        seq = self.next_seq()
        after = replace(after, version=seq, updated_at=self.now, project_id=self.project_id)
        text = orjson.dumps(documents.mission_doc(after, blocked_by, relates_to)).decode()
        shown = {} if before is None else _columns(before)
        fresh = {name: value for name, value in _columns(after).items() if before is None or shown[name] != value}
        values: dict[str, object] = {**fresh, "seq": seq, "doc": text, **(columns or {})}
        if before is None:
            made = {"id": after.id, "project_id": self.project_id, "number": after.number, "deleted": False, "fence": 0}
            creator = self.call.key.rpartition(".")[0] or self.call.key or None
            self.at.execute(insert(missions), {**made, "created_by": creator, **values})
        else:
            _SAVE.run(self.at, wanted=after.id, **values)
        self.event(kind, mission_id=after.id, changes=found, note=note, seq=seq)
        self._tell(after, kind, found)
        if before is not None and rules.is_resolved(before) != rules.is_resolved(after):
            self.recount_blocked_by(after.id)
        return text

    def bury(self, row: Row[Any]) -> None:
        """Delete a mission: its id stays for ever, its text goes, and whom it blocked is counted anew."""
        seq = self.next_seq()
        self.at.execute(
            update(missions)
            .where(missions.c.id == row.id)
            .values(deleted=True, seq=seq, doc=documents.tombstone(row.id, seq), title="", ready=False)
        )
        self.event("deleted", mission_id=row.id, seq=seq)
        self.recount_blocked_by(row.id)
        mission_id, project_id = row.id, self.project_id
        payload: JsonObject = {"missionId": mission_id, "projectId": project_id, "version": seq, "deleted": True}
        self.call.after.append(lambda: self.call.hub.bus.post(f"mission:{mission_id}", "mission.update", payload))

    def event(
        self,
        kind: str,
        *,
        mission_id: str | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        seq: int | None = None,
    ) -> int:
        """Append an event; its number."""
        number = self.next_seq() if seq is None else seq
        self.event_document(kind, mission_id=mission_id, changes=changes, note=note, seq=number)
        return number

    def event_document(
        self,
        kind: str,
        *,
        mission_id: str | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        seq: int | None = None,
        more: Mapping[str, Json] | None = None,
    ) -> str:
        """Append an event, with what a note says of itself in `more`; its JSON."""
        number = self.next_seq() if seq is None else seq
        doc: dict[str, object] = {
            "seq": number,
            "projectId": self.project_id,
            "missionId": mission_id,
            "kind": kind,
            "author": to_wire(self.by),
            "at": self.now.isoformat()[:-6] + "Z",
            "changes": {name: list(pair) for name, pair in (changes or {}).items()},
            "note": note,
            "correlationId": self.call.correlation,
            **(more or {}),
        }
        values = {"project_id": self.project_id, "seq": number, "mission_id": mission_id, "kind": kind}
        text = orjson.dumps(doc).decode()
        _EVENT.run(self.at, **{**values, "at": self.call.now, "doc": text})
        return text

    def recount_blocked_by(self, blocker_id: str) -> None:
        """Bring `dependencyCount` up to date for every mission that waits for `blocker_id`."""
        waiting = self.at.execute(
            select(dependencies.c.other_id).where(
                and_(dependencies.c.mission_id == blocker_id, dependencies.c.relation == "blocks")
            )
        ).scalars()
        for mission_id in list(waiting):
            self.resave(mission_id)

    def resave(self, mission_id: str, kind: str = "unblocked") -> None:
        """Write a mission anew after something around it changed."""
        row = self.at.execute(select(missions).where(missions.c.id == mission_id)).one_or_none()
        if row is None or row.deleted or row.project_id != self.project_id:
            return
        mission = documents.mission_of(row.doc, row.number)[0]
        self.save(mission, mission, kind, placed=True, relinked=True)

    def bump_project(self) -> int:
        """Say that the project itself, its flows, actors or repositories changed; its new version."""
        self.project_version = self.next_seq()
        self.at.execute(update(projects).where(projects.c.id == self.project_id).values(version=self.project_version))
        self.call.after.append(self.call.hub.permissions.forget)
        return self.project_version

    def order(
        self, in_list: str, *, before: str | None = None, after: str | None = None, top: bool = False, moving: str = ""
    ) -> float:
        """A place in a list: before or after a mission there, at the top, or (default) at its end."""
        return ordering.place(self, in_list, before=before, after=after, top=top, moving=moving)

    def _tell(self, after: Mission, kind: str, found: Mapping[str, tuple[Json, Json]]) -> None:
        payload: JsonObject = {
            "missionId": after.id,
            "projectId": self.project_id,
            "version": after.version,
            "list": after.list,
            "kind": kind,
            "changed": list[Json](found),
        }
        channel = f"mission:{after.id}"
        self.call.after.append(lambda: self.call.hub.bus.post(channel, "mission.update", payload))


def author_of(call: Call) -> Author:
    """How the history names a caller."""
    if call.caller.kind == "organization":
        return Author("system", f"organization {call.caller.organization_id}")
    return Author("user", call.caller.email or call.caller.user_id or "")


def new_id(wished: object = None) -> str:
    """The id a caller made, or a fresh one; InvalidValue for what is no ULID."""
    if wished is None:
        return new_ulid()
    if not isinstance(wished, str) or len(wished) != 26 or not set(wished) <= _ULID or wished[0] > "7":
        raise InvalidValue("id", f"{str(wished)[:40]!r} is no ULID", todo="make the id as a ULID, or leave it out")
    return wished


@lru_cache(2_000)
def _decoded(cls: Any, doc: str) -> object:
    """An entity that is frozen, from its text: most changes of a project need the same flow."""
    found: object = from_wire(cls, orjson.loads(doc))
    return found


_ULID = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def _columns(mission: Mission) -> dict[str, object]:
    return {
        "list": mission.list,
        "list_order": mission.list_order,
        "priority": mission.priority,
        "ready": mission.ready,
        "session_status": mission.agent_session_status,
        "stage": mission.stage,
        "title": mission.title,
        "flow_id": mission.flow_id,
        "repository_id": mission.project_repository_id,
    }


def _recorded(before: Mission, after: Mission) -> dict[str, tuple[Json, Json]]:
    return {name: pair for name, pair in changes(before, after).items() if name not in UNRECORDED}
