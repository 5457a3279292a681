"""The hub's missions as the MCP tools see them: `missions.access.MissionAccess`, with the caller's rights.

One `HubAccess` lives as long as one transaction. Sessions, agents and permission questions belong to workstations:
asked for here, they are said to be elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import orjson
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from ...missions import editing, moving, review
from ...missions.board import DependencyView, Hit, ListCount, Page
from ...missions.comments import LineComment
from ...missions.creating import MissionDraft
from ...missions.dependencies import is_resolved
from ...missions.entities import (
    LISTS,
    USER,
    Author,
    CodeAgent,
    Decision,
    Flow,
    InboxItem,
    JsonObject,
    ListName,
    Mission,
    MissionEvent,
    NoteKind,
    Project,
    ProjectRepository,
    Relation,
    Session,
    Task,
)
from ...missions.errors import InvalidValue, NotAllowed, NotFound, VersionConflict
from ...missions.ids import short_id
from ...missions.wire import from_wire, to_wire
from ..api.endpoint import Call
from ..hub import Hub
from ..identity import Caller
from ..permissions import Right, load_access
from ..services import documents, facts, links, mission_writes
from ..services.change import Change
from ..services.internal import internal_call
from ..tables import dependencies, events, flows, missions, projects, repositories
from .memory import HubMemory

P = TypeVar("P")
NOTE_MAX = 20_000
TEXT_MAX = 100_000
ELSEWHERE = "sessions and agents live on workstations; their own MCP server answers this"


class HubAccess(HubMemory):
    """Implements `missions.access.MissionAccess` for one caller in one transaction."""

    def __init__(self, hub: Hub, at: Connection, caller: Caller) -> None:
        self._hub, self._at, self._caller = hub, at, caller
        self.call: Call = internal_call(hub, at, caller)
        """What its changes are done by; `call.after` is to be run after the commit."""

    # ---- projects ------------------------------------------------------------------------------------------------

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
            raise NotFound(f"There is no project {ref[:64]!r}", todo="list_projects shows those you may see")
        return found[0]

    def repositories(self, project: str | None = None) -> Sequence[ProjectRepository]:
        """Of one project or of all."""
        wanted = [self.project(project).id] if project else [one.id for one in self.projects()]
        readable = [one for one in wanted if self._access(one).may("read repositories")]
        return self._parts(repositories, ProjectRepository, readable)

    def flow(self, flow_id: str) -> Flow:
        """NotFound when there is none."""
        row = self._at.execute(select(flows.c.doc, flows.c.project_id).where(flows.c.id == flow_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no flow {flow_id[:64]!r}")
        self._need(row.project_id, "read missions")
        return from_wire(Flow, orjson.loads(row.doc))

    def flows(self, project: str) -> Sequence[Flow]:
        """Every flow of a project."""
        found = self.project(project)
        self._need(found.id, "read missions")
        return self._parts(flows, Flow, [found.id])

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
        start = int(cursor) if cursor and cursor.isdigit() else 0
        wanted = select(missions.c.doc, missions.c.number).where(and_(*conditions))
        rows = self._at.execute(
            wanted.order_by(missions.c.list, missions.c.list_order, missions.c.id).offset(start).limit(limit)
        ).all()
        items = tuple(documents.mission_of(row.doc, row.number)[0] for row in rows)
        return Page(items, total, str(start + limit) if start + limit < total else None)

    def search(self, text: str, project: str | None = None, limit: int = 20) -> Sequence[Hit]:
        """By words of the title and the texts."""
        words = [word for word in text.lower().split() if word][:8]
        if not words:
            return []
        here = and_(missions.c.project_id.in_(self._readable(project)), missions.c.deleted.is_(False))
        has = [func.lower(missions.c.doc).contains(word, autoescape=True) for word in words]
        rows = self._at.execute(select(missions.c.title, missions.c.number).where(here, *has).limit(limit))
        return [Hit("mission", short_id(row.number), row.title, row.title) for row in rows]

    def list_counts(self, project_id: str) -> Mapping[ListName, ListCount]:
        """Cards by list."""
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

    def create_mission(self, project: str, draft: MissionDraft, *, by: Author = USER) -> Mission:
        """A new mission at the end of its list."""
        body = _given(draft)
        self.call.body = body
        made = mission_writes.create(self.call, self.project(project).id)
        return self._stored(str(orjson.loads(made.body)["id"]))

    def edit_mission(
        self, ref: str, changes: Mapping[str, object], *, expected_version: int | None = None, by: Author = USER
    ) -> Mission:
        """Snake_case fields to their new values; VersionConflict."""
        change, before = self._open(ref, by)
        if expected_version is not None and expected_version != before.version:
            raise VersionConflict(f"{short_id(before.number)} has changed", current=before.version, todo="read it anew")
        wished: Any = dict(changes)
        flow_id = wished.get("flow_id") or before.flow_id
        repository = change.repository(wished.get("project_repository_id"))
        after = editing.edit(before, wished, flow=change.flow(flow_id), now=change.now, repository=repository)
        return self._saved(change, before, after, "edited")

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
        change, mission = self._open(ref, by)
        place = change.order(to_list, top=top, moving=mission.id)
        neighbour = before or after
        if neighbour is not None:
            beside = self.mission(neighbour)
            place = beside.list_order + (-0.5 if before else 0.5)
        moved = moving.move(mission, to_list, place, flow=change.flow(mission.flow_id), now=change.now)
        return self._saved(change, mission, moved, "moved", placed=True)

    def set_ready(self, ref: str, ready: bool, *, by: Author = USER) -> Mission:
        """Let agents start on it, or not."""
        change, before = self._open(ref, by)
        return self._saved(change, before, editing.set_ready(before, ready, now=change.now), "ready_changed")

    def link(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """`ref` blocks (or relates to) `other`; Conflict names a cycle."""
        return self._relate(ref, other, relation, add=True)

    def unlink(self, ref: str, other: str, relation: Relation, *, by: Author = USER) -> object:
        """The opposite of `link`."""
        return self._relate(ref, other, relation, add=False)

    def dependencies(self, ref: str) -> Sequence[DependencyView]:
        """Both directions."""
        here = self._id(ref)
        rows = self._at.execute(
            select(dependencies).where(or_(dependencies.c.mission_id == here, dependencies.c.other_id == here))
        )
        found = []
        for row in rows:
            other_id = row.other_id if row.mission_id == here else row.mission_id
            kept = self._at.execute(select(missions).where(missions.c.id == other_id)).one_or_none()
            other = None if kept is None or kept.deleted else documents.mission_of(kept.doc, kept.number)[0]
            blocks = "blocks" if row.mission_id == here else "blocked_by"
            direction: Any = "relates_to" if row.relation == "relates_to" else blocks
            found.append(
                DependencyView(row.relation, direction, other_id, other, other is not None and is_resolved(other))
            )
        return found

    def update_tasks(self, ref: str, titles: Sequence[str], current: int, *, by: Author = USER) -> Mission:
        """The whole plan and how many of its tasks are finished."""
        cleaned = [title.strip() for title in titles]
        if any(not title or len(title) > 500 for title in cleaned):
            raise InvalidValue("tasks", "A task needs a title of 1 to 500 characters", todo="give each task one line")
        if not 0 <= current <= len(cleaned):
            raise InvalidValue("current", f"{current} of {len(cleaned)} tasks cannot be finished", todo="count from 0")
        change, before = self._open(ref, by)
        after = replace(before, tasks=tuple(Task(title) for title in cleaned), tasks_current=current)
        return self._saved(change, before, after, "tasks_updated")

    def add_note(self, ref: str, kind: NoteKind, text: str, *, by: Author = USER) -> object:
        """Appended to the history."""
        said = _text("text", text, NOTE_MAX)
        change, mission = self._open(ref, by)
        change.event(f"noted_{kind}", mission_id=mission.id, note=said)
        return mission

    def attach_solution(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """Markdown; takes the place of the former one."""
        change, before = self._open(ref, by)
        return self._saved(change, before, replace(before, solution=_text("solution", text)), "solution_attached")

    def complete_stage(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """Review, next stage or landing, as the flow says."""
        return self._finish(review.complete_stage, "stage_completed", ref, summary, to_check, by)

    def request_review(self, ref: str, summary: str, to_check: str | None = None, *, by: Author = USER) -> Mission:
        """A person looks at the current stage whatever the flow says."""
        return self._finish(review.request_review, "review_requested", ref, summary, to_check, by)

    def ask_question(self, ref: str, text: str, *, by: Author = USER) -> Mission:
        """The mission waits for a person's answer."""
        change, before = self._open(ref, by)
        return self._saved(change, before, review.ask(before, _text("question", text), now=change.now), "asked")

    def comments(self, ref: str, *, open_only: bool = False) -> Sequence[LineComment]:
        """None: line comments stay with the checkout they are about."""
        self.mission(ref)
        return ()

    def history(self, ref: str, limit: int = 200) -> Sequence[MissionEvent]:
        """Newest last."""
        wanted = select(events.c.doc).where(events.c.mission_id == self._id(ref))
        docs = self._at.execute(wanted.order_by(events.c.seq.desc()).limit(limit)).scalars().all()
        return [from_wire(MissionEvent, _event(orjson.loads(doc))) for doc in reversed(docs)]

    def why_not(self, ref: str) -> str | None:
        """Why it is not running, in one sentence."""
        return facts.why_not(self._at, self.mission(ref))

    # ---- what workstations have ----------------------------------------------------------------------------------

    def agents(self) -> Sequence[CodeAgent]:
        """None of the hub's own."""
        return ()

    def set_agent_limit(self, name: str, until: datetime | None, *, by: Author = USER) -> object:
        """Not here."""
        _elsewhere("limits of agents")

    def session(self, session_id: str) -> Session:
        """Not here."""
        raise NotFound(f"There is no session {session_id[:64]!r} here", why=ELSEWHERE)

    def session_for_token(self, digest: str, /) -> Session | None:
        """The hub's callers carry tokens of people."""
        return None

    def ask_permission(
        self, session_id: str, tool: str, given: JsonObject, *, call_id: str | None = None, by: Author = USER
    ) -> InboxItem:
        """Not here."""
        _elsewhere("permission questions")

    def permission(self, item_id: int, /) -> InboxItem:
        """Not here."""
        _elsewhere("permission questions")

    def answer_permission(self, item_id: int, decision: Decision, message: str = "", *, by: Author = USER) -> InboxItem:
        """Not here."""
        _elsewhere("permission questions")

    def meta(self, key: str) -> str | None:
        """Nothing is kept."""
        return None

    def set_meta(self, key: str, value: str) -> object:
        """Nothing is kept."""
        _elsewhere("settings of a workspace")

    # ---- below ---------------------------------------------------------------------------------------------------

    def _access(self, project_id: str) -> Any:
        return self._hub.permissions.access(self._at, self._caller, project_id)

    def _need(self, project_id: str, right: Right) -> None:
        self._hub.permissions.require(self._at, self._caller, project_id, right)

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
        project_id = mission_writes.project_of(self.call, mission_id)
        self._need(project_id, "read missions")
        row = self._at.execute(select(missions.c.doc, missions.c.number).where(missions.c.id == mission_id)).one()
        return documents.mission_of(row.doc, row.number)[0]

    def _open(self, ref: str, by: Author) -> tuple[Change, Mission]:
        mission_id = self._id(ref)
        change = Change(self.call, mission_writes.project_of(self.call, mission_id), "write missions")
        change.by = Author("agent", f"{by.name} for {self._caller.email or self._caller.name}")
        return change, change.mission(mission_id)

    def _saved(self, change: Change, before: Mission, after: Mission, kind: str, *, placed: bool = False) -> Mission:
        if after != before:
            change.save(before, after, kind, placed=placed, relinked=True)
        return self._stored(before.id)

    def _finish(self, rule: Any, kind: str, ref: str, summary: str, to_check: str | None, by: Author) -> Mission:
        change, before = self._open(ref, by)
        flow = change.flow(before.flow_id)
        after = rule(before, flow, summary=_text("summary", summary), to_check=to_check, now=change.now)
        return self._saved(change, before, after, kind)

    def _relate(self, ref: str, other: str, relation: Relation, *, add: bool) -> object:
        mission_id, other_id = self._id(ref), self._id(other)
        project_id = mission_writes.project_of(self.call, mission_id)
        if add:
            self.call.body = {"missionId": other_id, "relation": relation}
            return links.link(self.call, project_id, mission_id)
        return links.unlink(self.call, project_id, mission_id, other_id, relation)

    def _parts(self, table: Any, cls: type[P], project_ids: Sequence[str]) -> list[P]:
        docs = self._at.execute(select(table.c.doc).where(table.c.project_id.in_(project_ids)).order_by(table.c.id))
        return [from_wire(cls, orjson.loads(doc)) for doc in docs.scalars()]


def _given(draft: MissionDraft) -> dict[str, Any]:
    """What a draft says, as the wire has it."""
    found = to_wire(draft)
    return {name: value for name, value in found.items() if value is not None}


def _event(doc: JsonObject) -> JsonObject:
    return {**doc, "id": doc["seq"]} if "id" not in doc else doc


def _text(field: str, text: str, longest: int = TEXT_MAX) -> str:
    if not text.strip() or len(text) > longest:
        raise InvalidValue(field, f"The {field} has 1 to {longest} characters", todo="say it in a few sentences")
    return text.strip()


def _elsewhere(what: str) -> NoReturn:
    raise NotAllowed(f"The hub has no {what}", why=ELSEWHERE)
