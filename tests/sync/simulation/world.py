"""Three machines, one hub and everything that can go wrong between them, decided by one seed.

The engine's and the workspace's real code runs here; only the network, the clock and chance are the simulation's. After
each step the view must be what the hub said plus what was done since (I5) and no version may have gone back (I4); at
the end the network heals, and all must be equal (I2), drained (I7), nothing lost (I1), nothing done twice (I3) and
nothing overwritten unseen (I6). A resync must not have touched the outbox (I9).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from solo_unicorn.missions.entities import LISTS, USER, Actor, Attachment, Mission, ProjectRepository
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.wire import to_wire
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import Capabilities
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.exchange import detect, pull, push
from solo_unicorn.sync.replica.files import PIECE
from solo_unicorn.sync.replica.messages import Answer, NoAnswer, Request, Response, server_time
from solo_unicorn.sync.replica.trouble import Trouble
from solo_unicorn.workspace import operations, outgoing, queries
from solo_unicorn.workspace.outbox import Entry
from solo_unicorn.workspace.rows import dump

from .hub import Effect, SimulatedHub
from .store import Crash, MemoryStore, SilentWorkspace

PROJECT = "01J00000000000000000000000"
VERSIONS = "SELECT id, version FROM base WHERE kind = 'mission'"
ROUNDS = 40


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Edit:
    """Something that was acknowledged to a person."""

    machine: str
    mission: str
    field: str
    value: str
    shown: str
    """What stood there when it was changed."""


@dataclass
class Machine:
    """One workspace with the exchanges that run on it now."""

    name: str
    workspace: SilentWorkspace
    store: MemoryStore
    can: Capabilities | None = None
    running: dict[str, tuple[Generator[Request, Answer, Any], Request]] = field(default_factory=dict)
    server_now: float | None = None
    versions: dict[str, int] = field(default_factory=dict)
    epoch: int = 0
    checked: int = -1
    """Rows that had been changed when it was looked at last."""


@dataclass
class Trail:
    """What a run did, to see that it did enough."""

    edits: int = 0
    crashes: int = 0
    faults: int = 0
    late: int = 0
    restores: int = 0
    conflicts: int = 0
    settled: int = 0


class World:
    """One seed's run."""

    def __init__(self, seed: int, *, plain: bool = False, restores: bool = False, steps: int = 120) -> None:
        self.random = Random(f"{seed} {plain} {restores}")
        self.steps = steps
        self.plain = plain
        self.restores = restores
        self.trail = Trail()
        self.hub = SimulatedHub(PROJECT, plain=plain)
        self.hub.on_effect = self._judge
        self.clock = datetime(2026, 5, 1, tzinfo=UTC)
        self.ids = 0
        self.edits: list[Edit] = []
        self.made: dict[str, str] = {}
        self.mission_of: dict[str, str] = {}
        """Files -> the mission they were attached to; they go with it."""
        self.deleted: list[tuple[str, str]] = []
        self.late: list[Request] = []
        self.unseen: str | None = None
        self.machines = [self._machine(name) for name in "abc"]

    # -- making

    def _id(self) -> str:
        self.ids += 1
        mixed = (self.ids * 2_654_435_761) % 10**9  # ids of one machine are not in the order of their making
        return f"01J{mixed:09d}{self.ids:014d}"

    def _now(self) -> datetime:
        self.clock += timedelta(milliseconds=7)
        return self.clock

    def _machine(self, name: str) -> Machine:
        store = MemoryStore()
        workspace = SilentWorkspace(store, clock=self._now, new_id=self._id)
        account = Account(f"{name}@hub", "hub", "https://hub", name, f"{name}@x", "session", True, {})
        replica.connecting.put_account(workspace, account)
        flows: list[dict[str, Any]] = [
            {
                "id": "01JF0000000000000000000000",
                "name": "Standard",
                "isDefault": True,
                "isSystem": True,
                "stageSequence": [{"stage": "plan", "requireReview": True}, {"stage": "code", "requireReview": True}],
            }
        ]
        workspace.write(replica.connecting.connect, account, {"id": PROJECT, "name": "Shared"}, {"flows": flows})
        self.hub.state.parts["flows"] = {one["id"]: {**one, "version": 0} for one in flows}
        return Machine(name, workspace, store)

    # -- running

    def run(self) -> Trail:
        """All steps, then peace, then the judgement; raises Broken naming the invariant."""
        with patch.object(queries.attachments, "queued_content", lambda entry: "bytes are counted here, not kept"):
            return self._run()

    def _run(self) -> Trail:
        for _ in range(self.steps):
            self.hub.now += self.random.random() * 3
            machine = self.random.choice(self.machines)
            try:
                if self.random.random() < 0.06:
                    machine.store.connection.left = self.random.randrange(30)
                self._step(machine)
            except Crash:
                self.trail.crashes += 1
                machine.running.clear()
                machine.can = None
            finally:
                machine.store.connection.left = -1
            self._check_now(machine)
        self._heal()
        for machine in self.machines:
            for _ in machine.workspace.read(replica.settling.list_open, PROJECT):
                self._settle(machine)
            self._check_now(machine)
        self._heal()
        self._check_end()
        return self.trail

    def _step(self, machine: Machine) -> None:
        chance = self.random.random()
        if chance < 0.30:
            self._edit(machine)
        elif chance < 0.83:
            self._exchange(machine)
        elif chance < 0.89:
            self._settle(machine)
        else:
            self._misfortune()

    def _misfortune(self) -> None:
        kind = self.random.randrange(12)
        if kind < 6 and self.late:
            self.trail.late += 1
            self.hub.handle(self.late.pop(self.random.randrange(len(self.late))))
        elif kind == 6 and not self.plain:
            self.hub.prune()
        elif kind == 7 and not self.plain and self.random.random() < 0.5:
            self.hub.forget_keys()
        elif kind == 8 and self.restores:
            self.hub.back_up()
        elif kind == 9 and self.restores and self.hub.restore():
            self.trail.restores += 1

    # -- people

    def _edit(self, machine: Machine) -> None:
        workspace, draw = machine.workspace, self.random
        missions = list(workspace.read(queries.missions.page, PROJECT, limit=50).items)
        value = f"{machine.name}{len(self.edits)}"
        kind = draw.random()
        if not missions or (kind < 0.16 and len(missions) < 6):
            made = workspace.write(
                operations.missions.create,
                PROJECT,
                MissionDraft(title=f"new {value}", description=f"top\nmiddle {value}\nend"),
            )
            self.made[made.id] = machine.name
            self.edits.append(Edit(machine.name, made.id, "made", made.title, ""))
            self.trail.edits += 1
            return
        if kind > 0.80 and not self.plain and draw.random() < 0.7:
            self._edit_part(machine, value)
            return
        mission = draw.choice(missions)
        if kind < 0.50:
            workspace.write(operations.missions.edit, mission.id, {"title": value})
            self._said(machine, mission, "title", value, mission.title)
        elif kind < 0.65:
            lines = (mission.description or "").split("\n")
            lines.insert(draw.randrange(len(lines) + 1), f"line {value}")
            workspace.write(operations.missions.edit, mission.id, {"description": "\n".join(lines)})
            self._said(machine, mission, "description", f"line {value}", "")
        elif kind < 0.72:
            workspace.write(operations.missions.edit, mission.id, {"priority": draw.randint(1, 5)})
        elif kind < 0.84:
            self._move(machine, mission, [one for one in missions if one.id != mission.id])
        elif kind < 0.90:
            self._review(machine, mission, value)
        elif kind < 0.94 and len(missions) > 1:
            other = draw.choice([one for one in missions if one.id != mission.id])
            self._quietly(
                lambda: workspace.write(
                    operations.missions.link, mission.id, other.id, draw.choice(("blocks", "relates_to"))
                )
            )
        elif kind < 0.97:
            workspace.write(operations.missions.delete, mission.id)
            self.deleted.append((machine.name, mission.id))
        else:
            self._undo(machine, {one.id: one for one in missions})

    def _said(self, machine: Machine, mission: Mission, name: str, value: str, shown: str) -> None:
        self._changed(machine, mission.id, name, value, shown)

    def _changed(self, machine: Machine, entity_id: str, name: str, value: str, shown: str) -> None:
        self.edits.append(Edit(machine.name, entity_id, name, value, shown))
        self.trail.edits += 1

    def _edit_part(self, machine: Machine, value: str) -> None:
        """Settings, personas, flows, repositories and the memory of the project."""
        workspace, draw = machine.workspace, self.random
        kind = draw.randrange(11)
        actors, repositories = (
            workspace.read(queries.projects.actors, PROJECT),
            workspace.read(queries.projects.repositories, PROJECT),
        )
        own_flows = [one for one in workspace.read(queries.projects.flows, PROJECT) if not one.is_system]
        if kind == 0:
            shown = workspace.read(queries.projects.get, PROJECT).name
            workspace.write(operations.projects.edit, PROJECT, {"name": value})
            self._changed(machine, PROJECT, "name", value, shown)
        elif kind == 1 or not actors:
            name = draw.choice((value, "same"))
            self._quietly(
                lambda: self._made_part(
                    machine, workspace.write(operations.projects.create_actor, PROJECT, name, focus=value), value
                )
            )
        elif kind in (2, 3):
            actor = draw.choice(actors)
            if kind == 2:
                workspace.write(operations.parts.edit, Actor, actor.id, {"focus": value})
                self._changed(machine, actor.id, "focus", value, actor.focus)
            else:
                self._quietly(lambda: workspace.write(operations.parts.remove, Actor, actor.id))
                self.deleted.append((machine.name, actor.id))
        elif kind == 4:
            documents = workspace.read(queries.memory.list_all, PROJECT)
            workspace.write(operations.memory.append, PROJECT, draw.choice(("decisions", "notes")), f"line {value}")
            assert len(workspace.read(queries.memory.list_all, PROJECT)) >= len(documents)
            self._changed(machine, "memory", "text", f"line {value}", "")
        elif kind == 9:
            missions = list(workspace.read(queries.missions.page, PROJECT, limit=50).items)
            if missions:
                mission = draw.choice(missions)
                workspace.write(operations.missions.add_note, mission.id, "progress", f"did {value}")
                self._changed(machine, mission.id, f"note {value}", f"did {value}", "")
        elif kind == 10:
            self._file(machine, value)
        elif kind == 5 or not repositories:
            made = workspace.write(operations.projects.add_repository, PROJECT, value)
            self.edits.append(Edit(machine.name, made.id, "made part", value, ""))
        elif kind == 6:
            repository = draw.choice(repositories)
            if draw.random() < 0.3:
                self._quietly(lambda: workspace.write(operations.parts.remove, ProjectRepository, repository.id))
                self.deleted.append((machine.name, repository.id))
            else:
                workspace.write(operations.parts.edit, ProjectRepository, repository.id, {"default_branch": value})
                self._changed(machine, repository.id, "defaultBranch", value, repository.default_branch)
        elif kind == 7 or not own_flows:
            stages = workspace.read(queries.projects.flows, PROJECT)[0].stage_sequence
            made_flow = workspace.write(operations.projects.create_flow, PROJECT, f"flow {value}", stages)
            self.edits.append(Edit(machine.name, made_flow.id, "made part", f"flow {value}", ""))
        else:
            flow = draw.choice(own_flows)
            workspace.write(operations.projects.describe_flow, flow.id, description=f"words {value}")
            self._changed(machine, flow.id, "description", f"words {value}", flow.description or "")

    def _file(self, machine: Machine, value: str) -> None:
        """A file attached (its bytes are not there), or taken off."""
        workspace, draw = machine.workspace, self.random
        missions = list(workspace.read(queries.missions.page, PROJECT, limit=50).items)
        if not missions:
            return
        mission = draw.choice(missions)
        files = workspace.read(queries.attachments.of_mission, mission.id)
        if files and draw.random() < 0.3:
            gone = draw.choice(files)
            with workspace._change(USER) as change:
                change.connection.execute("DELETE FROM attachment WHERE id = ?", (gone.id,))
                outgoing.queue_file_removal(change, gone)
            self.deleted.append((machine.name, gone.id))
            return
        size = draw.choice((1, PIECE, PIECE * 2 + 7))
        with workspace._change(USER) as change:
            made = Attachment(
                self._id(), PROJECT, mission.id, f"{value}.txt", "text/plain", size, f"{size:064x}", change.now, USER
            )
            change.connection.execute(
                "INSERT INTO attachment (id, project_id, mission_id, name, sha256, doc) VALUES (?, ?, ?, ?, ?, ?)",
                (made.id, PROJECT, mission.id, made.name, made.sha256, dump(to_wire(made))),
            )
            outgoing.queue_file(change, made)
        self.edits.append(Edit(machine.name, made.id, "name", made.name, ""))
        self.mission_of[made.id] = mission.id

    def _made_part(self, machine: Machine, actor: Any, value: str) -> None:
        self._changed(machine, actor.id, "focus", value, "")

    def _move(self, machine: Machine, mission: Mission, others: list[Mission]) -> None:
        to_list = self.random.choice(LISTS[:4])
        there = [one for one in others if one.list == to_list]
        before = self.random.choice(there).id if there and self.random.random() < 0.6 else None
        machine.workspace.write(operations.missions.move, mission.id, to_list, before=before)

    def _review(self, machine: Machine, mission: Mission, value: str) -> None:
        workspace = machine.workspace
        if mission.review_status != "pending":
            self._quietly(lambda: workspace.write(operations.review.request_review, mission.id, f"did {value}"))
        elif self.random.random() < 0.5:
            self._quietly(lambda: workspace.write(operations.review.approve, mission.id))
        else:
            workspace.write(operations.review.reject, mission.id, f"no {value}")
            self._said(machine, mission, "reviewFeedback", f"no {value}", "")

    def _undo(self, machine: Machine, before: dict[str, Mission]) -> None:
        self._quietly(lambda: machine.workspace.write(operations.undo.undo, PROJECT))
        machine.store.connection.left = -1
        after = {one.id: one for one in machine.workspace.read(queries.missions.page, PROJECT, limit=50).items}
        for mission_id in before.keys() | after.keys():
            was, now = before.get(mission_id), after.get(mission_id)
            if was == now:
                continue
            for edit in self.edits:  # taken back on purpose
                if edit.machine == machine.name and edit.mission == mission_id:
                    edit.field = "given up"
            if was is None and now is not None:
                self.made[now.id] = machine.name
                self.edits.append(Edit(machine.name, now.id, "made", now.title, ""))
            elif was is not None and now is None:
                self.deleted.append((machine.name, mission_id))
            elif was is not None and now is not None and was.title != now.title:
                self._said(machine, now, "title", now.title, was.title)

    def _settle(self, machine: Machine) -> None:
        found = machine.workspace.read(replica.settling.list_open, PROJECT)
        if not found:
            return
        self.trail.settled += 1
        conflict = self.random.choice(found)
        if self.random.random() < 0.5:
            machine.workspace.write(replica.settling.keep_theirs, conflict.id)
            self._given_up(machine, conflict)
            return
        if conflict.part:
            self._settle_part(machine, conflict)
            return
        shown = ""
        if conflict.field == "title":
            shown = next(
                (
                    one.title
                    for one in machine.workspace.read(queries.missions.page, PROJECT).items
                    if one.id == conflict.mission_id
                ),
                "",
            )
        try:
            made = machine.workspace.write(replica.settling.keep_mine, conflict.id)
        except SoloUnicornError:
            return
        if conflict.kind == "field" and conflict.field == "title" and made is not None:
            self._said(machine, made, "title", str(conflict.mine), shown)
            self._said(machine, made, "title", str(conflict.mine), str(conflict.theirs))  # and that was decided on
        elif conflict.kind == "field":
            self._given_up(machine, conflict)  # replaced by what was decided
        elif conflict.kind in ("deleted_remotely", "id_taken") and made is not None:
            self.made[made.id] = machine.name
            self.edits.append(Edit(machine.name, made.id, "made", made.title, ""))
            self._given_up(machine, conflict)
        elif conflict.kind == "deleted_locally":
            self.deleted.append((machine.name, conflict.mission_id))
        elif conflict.kind in ("outcome_unknown", "progress"):
            mine: Any = conflict.mine
            theirs: Any = conflict.theirs or {}
            for name, value in mine.items():
                if made is not None and name in ("title", "reviewFeedback") and value:
                    self._said(machine, made, name, value, str(theirs.get(name) or made.title))
            self._given_up(machine, conflict)

    def _settle_part(self, machine: Machine, conflict: Any) -> None:
        try:
            machine.workspace.write(replica.settling.keep_mine, conflict.id)
        except SoloUnicornError:
            return
        if conflict.kind == "field" and conflict.part != "memory":
            for shown in (str(conflict.theirs or ""), _shown_of(machine, conflict)):
                self._changed(machine, conflict.mission_id, conflict.field, str(conflict.mine), shown)
        elif conflict.kind == "deleted_locally":
            self.deleted.append((machine.name, conflict.mission_id))
        elif conflict.kind == "deleted_remotely":
            for name in ("focus", "defaultBranch", "description"):
                if conflict.mine.get(name):
                    self._changed(machine, conflict.mission_id, name, conflict.mine[name], "")
            self.edits.append(Edit(machine.name, conflict.mission_id, "made part", conflict.mine["name"], ""))

    def _given_up(self, machine: Machine, conflict: Any) -> None:
        """What a person let go of on purpose need not be found again."""
        for edit in self.edits:
            same = edit.machine == machine.name and edit.mission == _entity(conflict)
            if same and conflict.field in ("", "progress", edit.field):
                edit.field = "given up"

    @staticmethod
    def _quietly(action: Any) -> None:
        """A rule may refuse it; a person would see why."""
        try:
            action()
        except SoloUnicornError:
            return

    # -- the network

    def _exchange(self, machine: Machine) -> None:
        if "detect" in machine.running:
            self._answered(machine, "detect")
        elif machine.can is None:
            self._advance(machine, "detect", detect(machine.workspace, "https://hub"))
        elif machine.running and self.random.random() < 0.7:
            self._answered(machine, self.random.choice(sorted(machine.running)))
        else:
            self._begin(machine)

    def _begin(self, machine: Machine) -> None:
        assert machine.can is not None
        alone = self.plain and bool(machine.running)  # without versions, one exchange at a time
        if alone:
            return
        if self.random.random() < 0.4:
            if "pull" not in machine.running:
                self._advance(machine, "pull", pull(machine.workspace, PROJECT, machine.can))
            return
        due = [one for one in self._due(machine) if one.entity_id not in machine.running]
        if due:
            one = self.random.choice(due[:6])
            self._advance(machine, one.entity_id, push(machine.workspace, one, machine.can, machine.server_now))

    @staticmethod
    def _due(machine: Machine) -> list[Entry]:
        account = f"{machine.name}@hub"
        return [
            *machine.workspace.read(replica.mirroring.due, account),
            *machine.workspace.read(replica.mirroring.due, account, files=True),
        ]

    def _answered(self, machine: Machine, name: str) -> None:
        exchange, request = machine.running.pop(name)
        self._advance(machine, name, exchange, self._answer(machine, request))

    def _advance(self, machine: Machine, name: str, exchange: Any, answer: Answer | None = None) -> None:
        try:
            request = exchange.send(answer)
        except StopIteration as end:
            if isinstance(end.value, Capabilities):
                machine.can = end.value
            return
        machine.running[name] = (exchange, request)

    def _answer(self, machine: Machine, request: Request, *, peace: bool = False) -> Answer:
        chance = 1.0 if peace else self.random.random()
        write = request.method != "GET"
        if chance < 0.07:
            self.trail.faults += 1
            return NoAnswer("request lost")
        if chance < 0.10:
            self.trail.faults += 1
            return Response(self.random.choice((500, 502, 503, 429)), {}, None)
        if chance < 0.20:
            self.trail.faults += 1
            if write and self.random.random() < 0.4:
                self.late.append(request)  # it sits in some queue, and arrives much later
            else:
                self.hub.handle(request)
            return NoAnswer("answer lost")
        if chance < 0.26 and write:
            self.late.append(request)
        answer = self.hub.handle(request)
        machine.server_now = server_time(answer.headers)
        return answer

    # -- judging

    def _judge(self, effect: Effect) -> None:
        """I6: a value is replaced only by somebody who saw it (or a value of their own on top of it)."""
        if effect.kind == "patch":
            self._judge_field(effect, "title")
        elif effect.kind == "part" and effect.before and effect.after:
            for name in ("name", "focus", "defaultBranch", "description"):
                self._judge_field(effect, name)

    def _judge_field(self, effect: Effect, name: str) -> None:
        before, after = effect.before.get(name), effect.after.get(name)
        if before == after or not before:
            return
        seen, grown = {after}, -1
        while len(seen) != grown:  # edits on top of one's own edits may go out as one
            grown = len(seen)
            seen |= {e.shown for e in self.edits if e.mission == effect.mission and e.value in seen and e.shown}
        if not self.plain and before not in seen and any(e.value == after and e.shown for e in self.edits):
            self.unseen = f"{effect.mission}: {after!r} replaced {before!r}, which nobody had seen"

    def _check_now(self, machine: Machine) -> None:
        if self.unseen:
            raise Broken(f"I6 {self.unseen}")
        if machine.store.connection.total_changes == machine.checked:
            return
        machine.checked = machine.store.connection.total_changes
        wrong = machine.workspace.read(replica.mirroring.verify_mirror, PROJECT)
        if wrong:
            raise Broken(f"I5 {machine.name} shows something else than base and outbox for {wrong}")
        mirror = machine.workspace.read(replica.mirroring.mirrored, PROJECT)
        if mirror.epoch == machine.epoch:
            for mission_id, version in machine.store.connection.execute(VERSIONS):
                if version < machine.versions.get(mission_id, 0):
                    raise Broken(f"I4 {machine.name}: {mission_id} went back to {version}")
        machine.epoch = mirror.epoch
        machine.versions = dict(machine.store.connection.execute(VERSIONS))

    def _heal(self) -> None:
        """The network works; everything drains within bounded rounds (I7)."""
        for machine in self.machines:
            machine.running.clear()
        for request in self.late:
            self.hub.handle(request)
        self.late.clear()
        for _ in range(ROUNDS):
            for machine in self.machines:
                self._calm(machine, detect(machine.workspace, "https://hub"))
                self._calm(machine, pull(machine.workspace, PROJECT, machine.can or Capabilities()))
                can = machine.can or Capabilities()
                for one in self._due(machine):
                    workspace, now = machine.workspace, machine.server_now
                    self._calm(machine, push(workspace, one, can, now))
            if not any(
                machine.workspace.read(replica.mirroring.queued, PROJECT, parked=False) for machine in self.machines
            ):
                break
        else:
            left = {
                m.name: [e.kind for e in m.workspace.read(replica.mirroring.queued, PROJECT)] for m in self.machines
            }
            raise Broken(f"I7 the outbox does not drain: {left}")
        for machine in self.machines:
            self._calm(machine, pull(machine.workspace, PROJECT, machine.can or Capabilities()))
            self._check_now(machine)

    def _calm(self, machine: Machine, exchange: Any) -> None:
        answer: Answer | None = None
        while True:
            try:
                request = exchange.send(answer)
            except StopIteration as end:
                if isinstance(end.value, Capabilities):
                    machine.can = end.value
                if isinstance(end.value, Trouble) and end.value.kind not in ("busy", "gone"):
                    raise Broken(f"I7 {machine.name}: {end.value.kind} {end.value.reason} in peace") from None
                return
            answer = self._answer(machine, request, peace=True)

    def _check_end(self) -> None:
        truth = {one["id"]: _facts(one) for one in self.hub.state.missions.values()}
        for machine in self.machines:
            self.trail.conflicts += len(machine.workspace.read(replica.settling.list_open, PROJECT))
            shown = {}
            for mission in machine.workspace.read(queries.missions.page, PROJECT, limit=500).items:
                shown[mission.id] = _facts(to_wire(mission))
            parked = {one.entity_id for one in machine.workspace.read(replica.mirroring.queued, PROJECT, parked=True)}
            differing = {one for one in truth.keys() | shown.keys() if truth.get(one) != shown.get(one)} - parked
            if differing:
                one = min(differing)
                raise Broken(f"I2 {machine.name} differs at {one}: hub {truth.get(one)}, here {shown.get(one)}")
            self._check_parts(machine)
        self._check_effects()
        for index, edit in enumerate(self.edits):
            self._check_edit(index, edit)

    def _check_parts(self, machine: Machine) -> None:
        """I2 for what belongs to the project beside its missions."""
        if self.plain:
            return
        workspace, state = machine.workspace, self.hub.state
        parked = {one.entity_id for one in workspace.read(replica.mirroring.queued, PROJECT, parked=True)}
        shown: dict[str, Any] = {PROJECT: workspace.read(queries.projects.get, PROJECT).name}
        shown |= {one.id: one.focus for one in workspace.read(queries.projects.actors, PROJECT)}
        shown |= {one.id: one.default_branch for one in workspace.read(queries.projects.repositories, PROJECT)}
        shown |= {one.id: one.description for one in workspace.read(queries.projects.flows, PROJECT)}
        shown |= {f"{PROJECT}/{one.name}": one.text for one in workspace.read(queries.memory.list_all, PROJECT)}
        truth: dict[str, Any] = {PROJECT: state.project["name"]}
        truth |= {one["id"]: one.get("focus", "") for one in state.parts["actors"].values()}
        truth |= {one["id"]: one.get("defaultBranch") for one in state.parts["repositories"].values()}
        truth |= {one["id"]: one.get("description") for one in state.parts["flows"].values()}
        truth |= {f"{PROJECT}/{name}": one["text"] for name, one in state.memory.items()}
        differing = {one for one in truth.keys() | shown.keys() if truth.get(one) != shown.get(one)} - parked
        self._check_notes(machine)
        self._check_files(machine)
        if self.restores:  # a restored hub may have lost a document that is still here
            differing = {one for one in differing if one in truth or "/" not in one}
        if differing:
            one = min(differing)
            raise Broken(f"I2 {machine.name} differs at {one}: hub {truth.get(one)!r}, here {shown.get(one)!r}")

    def _check_notes(self, machine: Machine) -> None:
        """Each note of a mission that is here stands in its history, once."""
        here = {one.id for one in machine.workspace.read(queries.missions.page, PROJECT, limit=500).items}
        for mission_id in here:
            told = [one for one in self.hub.state.history if one["missionId"] == mission_id]
            wanted = sorted(one["note"] for one in told if one["kind"].startswith("noted_"))
            events = machine.workspace.read(queries.missions.history, mission_id, 10_000)
            shown = sorted(event.note for event in events if event.kind.startswith("noted_"))
            missing = [note for note in wanted if note not in shown]
            if missing or len(shown) != len(set(shown)):
                raise Broken(f"I2 {machine.name}: notes of {mission_id} are {shown}, the hub has {wanted}")

    def _check_files(self, machine: Machine) -> None:
        """I2 for files: those of missions that are here; what a restored hub lost is still here."""
        here = [one.id for one in machine.workspace.read(queries.missions.page, PROJECT, limit=500).items]
        shown = {
            file.id
            for mission_id in here
            for file in machine.workspace.read(queries.attachments.of_mission, mission_id)
        }
        complete = [one for one in self.hub.state.files.values() if one["state"] == "complete"]
        truth = {one["id"] for one in complete if one["missionId"] in here}
        if truth != shown and not self.restores:
            raise Broken(f"I2 {machine.name} has the files {sorted(shown)}, the hub {sorted(truth)}")

    def _check_effects(self) -> None:
        seen: dict[tuple[str, str], Effect] = {}
        for effect in self.hub.effects:
            key = (effect.mutation, effect.mission)
            if key in seen and effect.mutation != "none":
                raise Broken(f"I3 {effect.mutation} took effect twice: {seen[key].kind} and {effect.kind}")
            seen[key] = effect

    def _check_edit(self, index: int, edit: Edit) -> None:
        if edit.field == "given up":
            return
        later = self.edits[index + 1 :]
        if any(e.machine == edit.machine and e.mission == edit.mission and e.field == edit.field for e in later):
            return
        about = (edit.mission, self.mission_of.get(edit.mission))
        if any(name == edit.machine and mission in about for name, mission in self.deleted):
            return
        name = {"made": "title", "made part": "name"}.get(edit.field, edit.field).split(" ")[0]
        for effect in (*self.hub.effects, *self.hub.lost):
            same = effect.mission == edit.mission or (edit.mission == "memory" and "/" in effect.mission)
            if same and edit.value in str(effect.after.get(name) or ""):
                return
        if edit.field == "made" and any(e.machine == edit.machine and e.mission == edit.mission for e in later):
            return  # made and changed before it was sent: the later edit is looked for
        machine = next(one for one in self.machines if one.name == edit.machine)
        rows = machine.store.connection.execute(
            "SELECT mine FROM conflict WHERE mission_id = ?1 OR part = ?1 UNION ALL "
            "SELECT patch FROM outbox WHERE entity_id = ?1 OR json_extract(patch, '$.table') = ?1",
            (edit.mission,),
        ).fetchall()
        if any(edit.value in row[0] for row in rows):
            return
        if self.restores and any(edit.mission in (e.mission) for e in self.hub.lost):
            return
        raise Broken(f"I1 {edit.machine}'s {edit.field} {edit.value!r} of {edit.mission} is nowhere")


def _facts(document: dict[str, Any]) -> dict[str, Any]:
    names = (
        "title",
        "description",
        "priority",
        "list",
        "listOrder",
        "stage",
        "reviewStatus",
        "reviewFeedback",
        "ready",
    )
    return {name: document.get(name) for name in names}


def _entity(conflict: Any) -> str:
    return "memory" if conflict.part == "memory" else str(conflict.mission_id)


def _shown_of(machine: Machine, conflict: Any) -> str:
    """What stands there now on the machine."""
    workspace, part_id = machine.workspace, conflict.mission_id
    found: list[Any] = [
        *workspace.read(queries.projects.actors, PROJECT),
        *workspace.read(queries.projects.repositories, PROJECT),
        *workspace.read(queries.projects.flows, PROJECT),
    ]
    names = {"focus": "focus", "defaultBranch": "default_branch", "description": "description", "name": "name"}
    entity = next((one for one in found if one.id == part_id), workspace.read(queries.projects.get, PROJECT))
    return str(getattr(entity, names.get(conflict.field, "id"), "") or "")


__all__ = ["Broken", "World"]
