"""What a simulated run knows: its machines, its clock, and everything that was acknowledged to people."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import Capabilities
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.messages import Answer, Request

from .hub import SimulatedHub
from .store import MemoryStore, SilentWorkspace

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


class Run:
    """The state of one seed's run."""

    def __init__(self, seed: int, *, plain: bool = False, restores: bool = False, steps: int = 120) -> None:
        self.random = Random(f"{seed} {plain} {restores}")
        self.steps = steps
        self.plain = plain
        self.restores = restores
        self.trail = Trail()
        self.hub = SimulatedHub(PROJECT, plain=plain)
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

    def new_id(self) -> str:
        self.ids += 1
        mixed = (self.ids * 2_654_435_761) % 10**9  # ids of one machine are not in the order of their making
        return f"01J{mixed:09d}{self.ids:014d}"

    def now(self) -> datetime:
        self.clock += timedelta(milliseconds=7)
        return self.clock

    def _machine(self, name: str) -> Machine:
        store = MemoryStore()
        workspace = SilentWorkspace(store, clock=self.now, new_id=self.new_id)
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
