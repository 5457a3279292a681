"""The two stores that operations run on, and what can be seen of them afterwards, in the same words."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import orjson
from sqlalchemy import Connection, select

from solo_unicorn.hub.change import Change as HubChange
from solo_unicorn.hub.identity import SCOPES, Caller
from solo_unicorn.hub.storage import tables
from solo_unicorn.hub.unit_of_work import UnitOfWork
from solo_unicorn.missions.entities import Actor, Author, Flow, ProjectRepository
from solo_unicorn.missions.errors import InvalidValue, NotFound, SoloUnicornError, VersionConflict
from solo_unicorn.missions.operations.port import AnyPart, Change
from solo_unicorn.missions.wire import to_wire
from solo_unicorn.workspace import operations, rows
from solo_unicorn.workspace.saving import MACHINE_FIELDS
from solo_unicorn.workspace.workspace import Workspace

from ..hub.rest.world import World

P = ParamSpec("P")
T = TypeVar("T")
ANN = Author("user", "ann")
AGENT = Author("agent", "claude")
START = datetime(2026, 5, 1, 10, tzinfo=UTC)
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_OF_A_STORE = frozenset({"version", "updatedAt", "worktreePath"})
"""Fields in which two stores may differ."""
MACHINE = MACHINE_FIELDS | {"worktreePath"}


class Carrier(Protocol):
    """A store with one project in it."""

    project: str

    async def run(self, now: datetime, by: Author, operation: Callable[[Any], T]) -> T:
        """An operation in a transaction of its own."""
        ...

    async def events(self) -> list[dict[str, Any]]:
        """All events of the project, oldest first, with the fields of `_told`."""
        ...


class Local:
    """The workspace of a machine."""

    def __init__(self, path: Path) -> None:
        self._now = START
        self.workspace = Workspace.open(path, clock=lambda: self._now)
        self.project = self.workspace.write(operations.projects.create, "Shop").id

    async def run(self, now: datetime, by: Author, operation: Callable[[Any], T]) -> T:
        self._now = now
        return self.workspace.write_as(by, operation)

    async def events(self) -> list[dict[str, Any]]:
        def read(connection: sqlite3.Connection) -> list[dict[str, Any]]:
            found = connection.execute(f"SELECT {rows.EVENT_COLUMNS} FROM event ORDER BY seq")
            return [to_wire(rows.event_of(row)) for row in found]

        return [_told(event) for event in self.workspace.read(read)]


class Hosted:
    """A hub; it is on SQLite or PostgreSQL."""

    def __init__(self, world: World, project: str, change: type[HubChange] = HubChange) -> None:
        self.project = project
        self._hub, self._change = world.hub, change
        self._caller = Caller(
            "personal", user_id=world.ids["owner"], email="owner@example.com", scopes=frozenset(SCOPES)
        )

    async def run(self, now: datetime, by: Author, operation: Callable[[Any], T]) -> T:
        def work(at: Connection) -> T:
            open_work = UnitOfWork(hub=self._hub, at=at, caller=self._caller, now=now.timestamp())
            return operation(self._change(open_work, self.project, "manage project", by=by))

        return await self._hub.database.write(work)

    async def events(self) -> list[dict[str, Any]]:
        def read(at: Connection) -> list[dict[str, Any]]:
            here = select(tables.events.c.doc).where(tables.events.c.project_id == self.project)
            return [orjson.loads(doc) for doc in at.execute(here.order_by(tables.events.c.seq)).scalars()]

        found = await self._hub.database.read(read)
        written = [event for event in found if event["kind"].startswith(("noted_", "comment"))]
        assert all(_ULID.fullmatch(event.get("noteId", "")) for event in written), "mirrors know notes by their ids"
        await self._check_numbers({event["seq"] for event in found})
        return [_told(event) for event in found]

    async def _check_numbers(self, known: set[int]) -> None:
        """The version of every record is the number of an event: a feed says by it what has happened."""

        def read(at: Connection) -> set[int]:
            kept = (tables.missions, tables.flows, tables.actors, tables.repositories, tables.memory_versions)
            versions = [table.c.seq if table is tables.missions else table.c.version for table in kept]
            return {
                version
                for table, column in zip(kept, versions, strict=True)
                for version in at.execute(select(column).where(table.c.project_id == self.project)).scalars()
            }

        assert await self._hub.database.read(read) - known <= {1}, "a version that no event has (1: of a new project)"


def _told(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as both stores have it."""
    changes = {name: pair for name, pair in event.get("changes", {}).items() if name not in _OF_A_STORE}
    mission, author = event.get("missionId"), {"kind": event["author"]["kind"], "name": event["author"].get("name", "")}
    return {"kind": event["kind"], "mission": mission, "author": author, "changes": changes, "note": event["note"]}


@dataclass(frozen=True)
class Step:
    """What one operation did: its refusal, or its events and the missions whose version grew."""

    name: str
    refused: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)


@dataclass
class Play:
    """One case on one carrier: what it did, what was refused, and what is there afterwards."""

    carrier: Carrier
    number: int
    by: Author = ANN
    steps: list[Step] = field(default_factory=list)
    ran: list[Callable[..., object]] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _now: datetime = START

    def id_of(self, name: str) -> str:
        """The id of a mission of this case; the same on every carrier."""
        if name not in self._names:
            self._names.append(name)
        return f"01J00000000000000{self.number:04d}{name.rjust(5, '0')}"

    async def __call__(self, operation: Callable[Concatenate[Any, P], T], *args: P.args, **more: P.kwargs) -> T | None:
        """Run an operation in a transaction of its own; None when it is refused."""
        self._now += timedelta(minutes=1)
        self.ran.append(operation)
        before = await self._versions()
        known = len(await self.carrier.events())
        try:
            result: T | None = await self.carrier.run(
                self._now, self.by, lambda change: operation(change, *args, **more)
            )
        except SoloUnicornError as error:
            self.steps.append(Step(operation.__name__, _refusal(error)))
            return None
        told = (await self.carrier.events())[known:]
        after = await self._versions()
        said = {one["mission"] for one in told if one["kind"] == "created" or not one["changes"].keys() <= MACHINE}
        grown = sorted(name for name in after if after[name] > before.get(name, 0) and self.id_of(name) in said)
        self.steps.append(Step(operation.__name__, [], told, grown))
        return result

    async def seen(self) -> object:
        """All that can be seen of the carrier, with ids by the order in which they come."""
        end = await self.carrier.run(
            self._now, self.by, lambda change: _seen(change, self.carrier.project, self._ids())
        )
        return _renamed({"steps": [asdict(step) for step in self.steps], "end": end})

    def _ids(self) -> dict[str, str]:
        return {name: self.id_of(name) for name in self._names}

    async def _versions(self) -> dict[str, int]:
        def read(change: Change) -> dict[str, int]:
            found = {}
            for name, mission_id in self._ids().items():
                try:
                    found[name] = change.mission(mission_id, deleted=True).version
                except NotFound:
                    continue
            return found

        return await self.carrier.run(self._now, self.by, read)


def _refusal(error: SoloUnicornError) -> list[str]:
    """What is the same of a refusal everywhere: what was not found is named in the words of the place."""
    if isinstance(error, NotFound):
        return [type(error).__name__]
    field_name = error.field if isinstance(error, InvalidValue) else ""
    why = "" if isinstance(error, InvalidValue | VersionConflict) else error.why
    return [type(error).__name__, field_name, error.what, why]


def _by_name(parts: Sequence[AnyPart]) -> list[Any]:
    return sorted((_plain(to_wire(part)) for part in parts), key=lambda part: str(part["name"]))


def _seen(change: Change, project: str, ids: Mapping[str, str]) -> dict[str, Any]:
    missions: dict[str, Any] = {}
    for name, mission_id in ids.items():
        try:
            mission = change.mission(mission_id)
        except NotFound:
            continue
        kept = {key: value for key, value in to_wire(mission).items() if key not in _OF_A_STORE}
        missions[name] = [kept, change.links(mission_id), [to_wire(one) for one in change.comments(mission_id)]]
    lists: dict[str, list[tuple[float, str]]] = {}
    for name, (kept, *_) in missions.items():
        lists.setdefault(str(kept["list"]), []).append((float(kept["listOrder"]), name))
    return {
        "missions": missions,
        "lists": {name: [title for _, title in sorted(found)] for name, found in lists.items()},
        "parts": {
            "Flow": _by_name(change.parts(Flow, project)),
            "Actor": _by_name(change.parts(Actor, project)),
            "ProjectRepository": _by_name(change.parts(ProjectRepository, project)),
        },
        "memory": {
            name: None if (found := change.document(project, name)) is None else found.text
            for name in ("notes", "plan")
        },
        "default": change.project(project).default_actor_id,
    }


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in {*_OF_A_STORE, "createdAt", "isManagedClone"}}


def _renamed(found: object) -> object:
    names: dict[str, str] = {}
    text = json.dumps(found, sort_keys=True, default=list)
    return json.loads(_ULID.sub(lambda match: names.setdefault(match[0], f"#{len(names) + 1}"), text))
