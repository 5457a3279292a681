"""A project's own sequence of numbers and its history, under the lock of its row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson
from sqlalchemy import BigInteger, bindparam, case, insert, update

from ..missions.entities import Author, Json, JsonObject, Mission, Project
from ..missions.wire import from_wire, to_wire
from .records import projects as records
from .storage import epoch
from .storage.statements import Statement
from .storage.tables import events, projects
from .unit_of_work import UnitOfWork

# Made once: to build a statement costs more than to run it.
_LOCK = Statement(
    update(projects)
    .where(projects.c.id == bindparam("wanted"))
    .values(
        seq=case((projects.c.seq > bindparam("clock", type_=BigInteger), projects.c.seq), else_=bindparam("clock"))
        + bindparam("step", type_=BigInteger)
    )
    .returning(projects.c.seq, projects.c.doc, projects.c.mission_number, projects.c.version)
)
_PROJECT = Statement(update(projects).where(projects.c.id == bindparam("wanted")))
_EVENT = Statement(insert(events))


class ProjectJournal:
    """The numbers that one change gives out, and the events it appends; the project's row is locked until its end."""

    def __init__(self, work: UnitOfWork, project_id: str) -> None:
        row = _LOCK.one(work.at, wanted=project_id, clock=epoch.clock(work.now), step=epoch.step())
        self.project_version: int = row.version
        self._work = work
        self._project_id = project_id
        self._project_doc: str = row.doc
        self._mission_number: int = row.mission_number
        self._seq: int = row.seq
        self._used = False
        self._reserved: int | None = None
        work.after.append(lambda: work.hub.bus.changed(project_id, self._seq))

    @property
    def project(self) -> Project:
        """As this change sees it."""
        return from_wire(Project, orjson.loads(self._project_doc))

    @property
    def newest(self) -> int:
        """The number of the newest event of this change, once it has one."""
        return self._seq

    def next_seq(self) -> int:
        """A number of the project's own sequence; the first came with the lock."""
        if self._used:
            self._seq += epoch.step()
            _PROJECT.run(self._work.at, wanted=self._project_id, seq=self._seq)
        self._used = True
        return self._seq

    def reserve(self) -> int:
        """The number of the next event, as the version of the records it will tell of."""
        if self._reserved is None:
            self._reserved = self.next_seq()
        return self._reserved

    def take(self) -> int:
        """The number that was reserved, or a new one, for the event that is told now."""
        number, self._reserved = self.reserve(), None
        return number

    def next_mission_number(self) -> int:
        """The short number of a new mission."""
        self._mission_number += 1
        _PROJECT.run(self._work.at, wanted=self._project_id, mission_number=self._mission_number)
        return self._mission_number

    def bump_project(self) -> int:
        """Say that the project itself, its flows, actors or repositories changed; its new version."""
        self.project_version = self.reserve()
        _PROJECT.run(self._work.at, wanted=self._project_id, version=self.project_version)
        self._work.after.append(self._work.hub.permissions.forget)
        return self.project_version

    def put_project(self, project: Project) -> None:
        """Write the project itself."""
        self._project_doc = records.put(self._work.at, project)

    def append(
        self,
        kind: str,
        number: int,
        author: Author,
        at: datetime,
        *,
        mission_id: str | None = None,
        changes: Mapping[str, tuple[Json, Json]] | None = None,
        note: str = "",
        more: Mapping[str, Json] | None = None,
    ) -> str:
        """Append an event, with what a note says of itself in `more`; its JSON."""
        doc: dict[str, object] = {
            "seq": number,
            "projectId": self._project_id,
            "missionId": mission_id,
            "kind": kind,
            "author": to_wire(author),
            "at": at.isoformat()[:-6] + "Z",
            "changes": {name: list(pair) for name, pair in (changes or {}).items()},
            "note": note,
            "correlationId": self._work.correlation,
            **(more or {}),
        }
        text = orjson.dumps(doc).decode()
        place = {"project_id": self._project_id, "seq": number, "mission_id": mission_id}
        _EVENT.run(self._work.at, **place, kind=kind, at=self._work.now, doc=text)
        return text

    def tell(self, after: Mission, kind: str, found: Mapping[str, tuple[Json, Json]]) -> None:
        """A hint for those that look at the mission, once this is committed."""
        payload: JsonObject = {
            "missionId": after.id,
            "projectId": after.project_id,
            "version": after.version,
            **({"deleted": True} if after.deleted_at else {"list": after.list}),
            "kind": kind,
            "changed": list[Json](found),
        }
        bus, channel = self._work.hub.bus, f"mission:{after.id}"
        self._work.after.append(lambda: bus.post(channel, "mission.update", payload))
