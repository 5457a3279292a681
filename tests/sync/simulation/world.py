"""Three machines, one hub and everything that can go wrong between them, decided by one seed.

The engine's and the workspace's real code runs here; only the network, the clock and chance are the simulation's. After
each step the view must be what the hub said plus what was done since (I5) and no version may have gone back (I4); at
the end the network heals, and all must be equal (I2), drained (I7), nothing lost (I1), nothing done twice (I3) and
nothing overwritten unseen (I6). A resync must not have touched the outbox (I9).
"""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest.mock import patch

from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.capabilities import Capabilities
from solo_unicorn.sync.replica.exchange import detect, pull, push
from solo_unicorn.sync.replica.messages import Answer, NoAnswer, Request, Response, server_time
from solo_unicorn.sync.replica.trouble import Trouble
from solo_unicorn.workspace import queries
from solo_unicorn.workspace.sync_state.outbox import OutboxEntry

from . import judging, people
from .run import PROJECT, ROUNDS, Broken, Machine, Run, Trail
from .store import Crash


class World(Run):
    """One seed's run."""

    def __init__(self, seed: int, *, plain: bool = False, restores: bool = False, steps: int = 120) -> None:
        super().__init__(seed, plain=plain, restores=restores, steps=steps)
        self.hub.on_effect = partial(judging.judge, self)

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
            judging.check_now(self, machine)
        self._heal()
        for machine in self.machines:
            for _ in machine.workspace.read(replica.resolving.list_open, PROJECT):
                people.settle(self, machine)
            judging.check_now(self, machine)
        self._heal()
        judging.check_end(self)
        return self.trail

    def _step(self, machine: Machine) -> None:
        chance = self.random.random()
        if chance < 0.30:
            people.edit(self, machine)
        elif chance < 0.83:
            self._exchange(machine)
        elif chance < 0.89:
            people.settle(self, machine)
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
    def _due(machine: Machine) -> list[OutboxEntry]:
        account = f"{machine.name}@hub"
        return [
            *machine.workspace.read(replica.sync_steps.due, account),
            *machine.workspace.read(replica.sync_steps.due, account, files=True),
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
                machine.workspace.read(replica.sync_steps.queued, PROJECT, parked=False) for machine in self.machines
            ):
                break
        else:
            left = {
                m.name: [e.kind for e in m.workspace.read(replica.sync_steps.queued, PROJECT)] for m in self.machines
            }
            raise Broken(f"I7 the outbox does not drain: {left}")
        for machine in self.machines:
            self._calm(machine, pull(machine.workspace, PROJECT, machine.can or Capabilities()))
            judging.check_now(self, machine)

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


__all__ = ["Broken", "Trail", "World"]
