"""Two machines and a hub in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import FULL, Capabilities
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.exchange import parts, pull, push
from solo_unicorn.sync.replica.messages import Answer, NoAnswer
from solo_unicorn.sync.replica.trouble import Trouble

from .simulation.hub import SimulatedHub
from .simulation.store import MemoryStore, SilentWorkspace

PROJECT = "01J00000000000000000000000"
FLOW: dict[str, Any] = {
    "id": "01JF0000000000000000000000",
    "name": "Standard",
    "isDefault": True,
    "isSystem": True,
    "version": 0,
    "stageSequence": [{"stage": "plan", "requireReview": True}],
}


class Machine:
    """One workspace that talks with the hub in memory."""

    def __init__(self, hub: SimulatedHub, name: str) -> None:
        self.hub = hub
        self.workspace = SilentWorkspace(MemoryStore())
        self.account = Account(f"{name}@hub", "hub", "https://hub", name, "", "token", True, {})
        replica.connecting.put_account(self.workspace, self.account)
        flows = {} if hub.plain else {"flows": [FLOW]}
        self.workspace.write(replica.connecting.connect, self.account, {"id": PROJECT, "name": "Shared"}, flows)
        self.can = Capabilities() if hub.plain else FULL

    def read(self) -> None:
        if self.workspace.read(replica.sync_steps.mirrored, PROJECT).parts is None:
            self._talk(parts(self.workspace, PROJECT, self.can))
        assert not isinstance(self._talk(pull(self.workspace, PROJECT, self.can)), Trouble)

    def send(self) -> list[Any]:
        """Send until nothing is due, and tell what became of each row."""
        outcomes = []
        while due := self.workspace.read(replica.sync_steps.due, self.account.id):
            for one in due:
                outcomes.append(self._talk(push(self.workspace, one, self.can, self.hub.now)))
            assert len(outcomes) < 50
        assert self.workspace.read(replica.sync_steps.verify_mirror, PROJECT) == []
        return outcomes

    def send_files(self) -> None:
        """Send every file that waits."""
        for one in self.workspace.read(replica.sync_steps.due, self.account.id, files=True):
            assert self._talk(push(self.workspace, one, self.can, self.hub.now)) == "done"

    def send_unanswered(self) -> None:
        """Everything arrives at the hub, and no answer comes back."""
        for one in self.workspace.read(replica.sync_steps.due, self.account.id):
            exchange = push(self.workspace, one, self.can, self.hub.now)
            request = next(exchange)
            while request.method == "GET":
                request = exchange.send(self.hub.handle(request))
            self.hub.handle(request)
            with pytest.raises(StopIteration):
                exchange.send(NoAnswer("answer lost"))

    def sync(self) -> None:
        self.read()
        self.send()
        self.read()

    def _talk(self, exchange: Any) -> Any:
        answer: Answer | None = None
        while True:
            try:
                answer = self.hub.handle(exchange.send(answer))
            except StopIteration as end:
                return end.value


@pytest.fixture
def hub() -> SimulatedHub:
    made = SimulatedHub(PROJECT)
    made.state.parts["flows"] = {FLOW["id"]: dict(FLOW)}
    return made


@pytest.fixture
def both(home: Path, hub: SimulatedHub) -> Iterator[tuple[Machine, Machine]]:
    machines = Machine(hub, "ann"), Machine(hub, "bob")
    yield machines
    for one in machines:
        one.workspace.close()
