"""What the MCP tools read at the hub, with the caller's rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, select, tuple_

from ...missions.access import FolderPlace
from ...missions.board import DependencyView, Hit, ListCount, Page
from ...missions.comments import LineComment
from ...missions.entities import (
    LISTS,
    Flow,
    JsonObject,
    ListName,
    MemoryDocument,
    Mission,
    MissionEvent,
    Project,
    ProjectRepository,
)
from ...missions.errors import NotFound
from ...missions.paging import cursor_after, place_of
from ...missions.rules.dependencies import is_resolved
from ...missions.search import hits, ranking
from ...missions.search.sources import Source, by_versions
from ...missions.wire import from_wire
from ..hub import Hub
from ..identity import Caller
from ..permissions import Right, load_access, missing
from ..records import comments, memory, parts, passages
from ..records import missions as records
from ..services import eligibility_facts
from ..services.missions import project_of
from ..storage.tables import dependencies, events, flows, missions, projects
from ..unit_of_work import UnitOfWork
from ..uploads.attachments import attachments


class HubReads:
    """The reading half of `missions.access.MissionAccess`, for one caller in one transaction."""

    def __init__(self, hub: Hub, at: Connection, caller: Caller) -> None:
        self._hub, self._at, self._caller = hub, at, caller
        self.work = UnitOfWork(hub=hub, at=at, caller=caller)
        """What its changes are done by; `work.after` is to be run after the commit."""

    # ---- projects ------------------------------------------------------------------------------------------------

    def place_of(self, directory: str) -> FolderPlace:
        """A hub knows no directory of its callers."""
        return FolderPlace()

    def projects(self) -> Sequence[Project]:
        """Those the caller belongs to; what is merely public is not listed."""
        rows = self._at.execute(select(projects.c.id, projects.c.doc).where(projects.c.status == "active"))
        mine = []
        for row in rows:
            role = load_access(self._at, self._caller, row.id).role
            if role not in (None, "public"):
                mine.append(from_wire(Project, orjson.loads(row.doc)))
        return mine

    def project(self, ref: str) -> Project:
        """By id, slug or name; NotFound."""
        doc = self._at.execute(select(projects.c.doc).where(projects.c.id == ref)).scalar_one_or_none()
        if doc is not None:
            self._need(ref, "see project")
            return from_wire(Project, orjson.loads(doc))
        found = [one for one in self.projects() if ref in (one.slug, one.name)]
        if len(found) != 1:
            raise NotFound(f"There is no project {ref[:64]!r}", todo="list_projects shows the ones you may see")
        return found[0]

    def repositories(self, project: str | None = None) -> Sequence[ProjectRepository]:
        """Of one project or of all."""
        wanted = [self.project(project).id] if project else [one.id for one in self.projects()]
        readable = [one for one in wanted if self._access(one).may("read repositories")]
        return [part for one in readable for part in parts.of_project(self._at, ProjectRepository, one)]

    def flow(self, flow_id: str) -> Flow:
        row = self._at.execute(select(flows.c.doc, flows.c.project_id).where(flows.c.id == flow_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no flow {flow_id[:64]!r}")
        self._need(row.project_id, "read missions")
        return from_wire(Flow, orjson.loads(row.doc))

    def flows(self, project: str) -> Sequence[Flow]:
        found = self.project(project)
        self._need(found.id, "read missions")
        return parts.of_project(self._at, Flow, found.id)

    # ---- missions ------------------------------------------------------------------------------------------------

    def mission(self, ref: str) -> Mission:
        """By id, or by number in the only project where it is one; NotFound."""
        return self._stored(self._id(ref))

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
        readable = self._readable(project)
        conditions: list[ColumnElement[bool]] = [missions.c.project_id.in_(readable), missions.c.deleted.is_(False)]
        if lists:
            conditions.append(missions.c.list.in_(list(lists)))
        if ready is not None:
            conditions.append(missions.c.ready.is_(ready))
        if text:
            conditions.append(func.lower(missions.c.title).contains(text.lower(), autoescape=True))
        total = int(self._at.execute(select(func.count()).select_from(missions).where(and_(*conditions))).scalar_one())
        rank = case({name: place for place, name in enumerate(LISTS)}, value=missions.c.list)
        order = (missions.c.project_id, rank, missions.c.list_order, missions.c.id)
        if cursor is not None:
            conditions.append(tuple_(*order) > tuple_(*map(literal, place_of(cursor).key)))
        wanted = select(missions.c.doc, missions.c.number).where(and_(*conditions)).order_by(*order)
        rows = self._at.execute(wanted.limit(limit + 1)).all()
        items = tuple(records.mission_of(row.doc, row.number)[0] for row in rows[:limit])
        return Page(items, total, cursor_after(items[-1]) if len(rows) > limit else None)

    def search(self, text: str, project: str | None = None, limit: int = 20) -> Sequence[Hit]:
        """Those that answer the question with their titles or texts, best first."""
        index = passages.Passages(self._at, "mission", self._readable(project))
        matches = ranking.search(index, text, limit, one_each=True)
        return hits.of_missions(matches, {match.ref: self._stored(match.ref) for match in matches})

    def list_counts(self, project_id: str) -> Mapping[ListName, ListCount]:
        self._need(project_id, "read missions")
        limits = self.project(project_id).wip_limits
        rows = self._at.execute(
            select(missions.c.list, missions.c.ready, missions.c.session_status, func.count().label("cards"))
            .where(missions.c.project_id == project_id, missions.c.deleted.is_(False))
            .group_by(missions.c.list, missions.c.ready, missions.c.session_status)
        ).all()
        counts: dict[ListName, ListCount] = {}
        for name in LISTS:
            here = [row for row in rows if row.list == name]
            counts[name] = ListCount(
                sum(row.cards for row in here),
                sum(row.cards for row in here if row.ready),
                sum(row.cards for row in here if row.session_status != "INACTIVE"),
                limits.get(name),
            )
        return counts

    def dependencies(self, ref: str) -> Sequence[DependencyView]:
        """In both directions."""
        here = self._id(ref)
        rows = self._at.execute(
            select(dependencies).where(or_(dependencies.c.mission_id == here, dependencies.c.other_id == here))
        )
        found = []
        for row in rows:
            other_id = row.other_id if row.mission_id == here else row.mission_id
            kept = self._at.execute(select(missions).where(missions.c.id == other_id)).one_or_none()
            other = None if kept is None or kept.deleted else records.mission_of(kept.doc, kept.number)[0]
            blocks = "blocks" if row.mission_id == here else "blocked_by"
            direction: Any = "relates_to" if row.relation == "relates_to" else blocks
            found.append(
                DependencyView(row.relation, direction, other_id, other, other is not None and is_resolved(other))
            )
        return found

    def comments(self, ref: str, *, open_only: bool = False) -> Sequence[LineComment]:
        """What people wrote on lines of its diff, as their machines last said it."""
        found = comments.of_mission(self._at, self.mission(ref).id)
        return [comment for comment in found if comment.open or not open_only]

    def files(self, ref: str) -> Sequence[str]:
        """Names of the mission's files."""
        wanted = select(attachments.c.doc).where(attachments.c.mission_id == self._id(ref))
        docs = self._at.execute(wanted.where(attachments.c.state == "complete").order_by(attachments.c.at)).scalars()
        return [str(orjson.loads(doc)["name"]) for doc in docs]

    def history(self, ref: str, limit: int = 200) -> Sequence[MissionEvent]:
        """Newest last."""
        wanted = select(events.c.doc).where(events.c.mission_id == self._id(ref))
        docs = self._at.execute(wanted.order_by(events.c.seq.desc()).limit(limit)).scalars().all()
        return [from_wire(MissionEvent, _event(orjson.loads(doc))) for doc in reversed(docs)]

    def why_not(self, ref: str) -> str | None:
        """Why it is not running, in one sentence."""
        return eligibility_facts.why_not(self._at, self.mission(ref))

    # ---- memory --------------------------------------------------------------------------------------------------

    def memory_documents(self, project: str) -> Sequence[MemoryDocument]:
        docs = memory.texts(self._at, self._readable_memory(project))
        return [one for doc in docs if (one := from_wire(MemoryDocument, orjson.loads(doc))).text]

    def memory(self, project: str, name: str) -> MemoryDocument:
        found = memory.find(self._at, self._readable_memory(project), name)
        if found is None or not found.text:
            raise NotFound(f"The project memory has no document {name[:64]!r}", todo="memory_list shows them")
        return found

    def search_memory(self, project: str, text: str, limit: int = 20) -> Sequence[Hit]:
        """Sections that answer the question, best first."""
        here = self._readable_memory(project)
        matches = ranking.search(passages.Passages(self._at, "memory", [here]), text, limit)
        read = {match.ref: memory.find(self._at, here, match.ref) for match in matches}
        known = {place: source for name in read for place, source in self._sources(here, name).items()}
        return hits.of_documents(matches, {name: one for name, one in read.items() if one}, known)

    def nearest_headings(self, project: str, text: str) -> Sequence[str]:
        """Sections whose names look most like a question that found nothing."""
        return ranking.nearest(text, passages.headings(self._at, self._readable_memory(project)))

    # ---- below ---------------------------------------------------------------------------------------------------

    def _access(self, project_id: str) -> Any:
        """A member's: the tools show nothing of a project that is merely public."""
        found = self._hub.permissions.access(self._at, self._caller, project_id)
        if found.role == "public":
            raise missing("project", project_id)
        return found

    def _need(self, project_id: str, right: Right) -> None:
        self._access(project_id)
        self._hub.permissions.require(self._at, self._caller, project_id, right)

    def _readable_memory(self, project: str) -> str:
        here = self.project(project).id
        self._need(here, "read memory")
        return here

    def _sources(self, project_id: str, name: str) -> dict[tuple[str, int], Source]:
        docs = memory.versions(self._at, project_id, name)
        return by_versions([from_wire(MemoryDocument, orjson.loads(doc)) for doc in docs])

    def _readable(self, project: str | None) -> list[str]:
        wanted = [self.project(project).id] if project else [one.id for one in self.projects()]
        return [one for one in wanted if self._access(one).may("read missions")]

    def _id(self, ref: str) -> str:
        plain = ref.strip()
        number = plain[2:] if plain[:2].upper() == "M-" else plain
        if not (number.isdigit() and len(number) < 10):
            return plain
        rows = self._at.execute(
            select(missions.c.id).where(
                missions.c.number == int(number),
                missions.c.project_id.in_(self._readable(None)),
                missions.c.deleted.is_(False),
            )
        ).scalars()
        found = list(rows)
        if len(found) > 1:
            raise NotFound(f"{ref} is a mission in {len(found)} projects", todo="name it by its id")
        return found[0] if found else plain

    def _stored(self, mission_id: str) -> Mission:
        self._need(project_of(self.work, mission_id), "read missions")
        row = records.row(self._at, mission_id)
        assert row is not None  # else `project_of` had refused
        return records.mission_of(row.doc, row.number)[0]


def _event(doc: JsonObject) -> JsonObject:
    return {**doc, "id": doc["seq"]} if "id" not in doc else doc
