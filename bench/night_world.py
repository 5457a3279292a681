"""What stands in the place of agents, their hosts and the clock in bench/night.py."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from solo_unicorn.agents import launch
from solo_unicorn.agents.handle import HostHandle
from solo_unicorn.agents.session_host.tape import entry
from solo_unicorn.missions.entities import Author, Session
from solo_unicorn.tests.simulated_time import SimulatedLoop
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workstation.composition import Composition
from solo_unicorn.workstation.session import runner
from solo_unicorn.workstation.upkeep import pressure

KINDS = ("claude", "codex", "gemini", "opencode")
RECORDINGS = Path(__file__).parent.parent / "tests" / "agents" / "recordings"
REFUSED_AFTER = timedelta(seconds=40)
"""An agent tries a few times by itself before it gives up."""
CONVERSATION = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Refusal:
    """A session that met trouble."""

    agent: str
    met: str
    at: datetime


@dataclass
class World:
    """Providers, accounts, the disk, and the agents that run."""

    loop: SimulatedLoop
    began: datetime
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    full_disk: tuple[datetime, datetime] | None = None
    work: dict[str, timedelta] = field(default_factory=dict)
    """What is left to do of each mission."""
    refusals: list[Refusal] = field(default_factory=list)
    parts: Composition | None = None
    _limits: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    _signed_out: dict[str, datetime] = field(default_factory=dict)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def now(self) -> datetime:
        """The simulated wall clock."""
        return self.began + timedelta(seconds=self.loop.now - 1000.0)

    def limit(self, agent: str, since: datetime, *, until: datetime) -> None:
        """Its account has used up its quota in that time."""
        self._limits[agent] = (since, until)

    def sign_out(self, agent: str, since: datetime) -> None:
        """Its sign-in is refused from then on."""
        self._signed_out[agent] = since

    def sign_in(self, agent: str) -> None:
        """Its person came."""
        del self._signed_out[agent]

    async def sleep_until(self, moment: datetime) -> None:
        """Let time pass."""
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))

    def reboot(self) -> None:
        """Everything that runs is gone without a word."""
        for task in self._running.values():
            task.cancel()
        self._running.clear()

    def is_full(self) -> bool:
        """Whether the disk is full now."""
        return self.full_disk is not None and self.full_disk[0] <= self.now() < self.full_disk[1]

    # ---- what the service calls

    def attach(self, run_dir: Path) -> Handle:
        """In the place of launch.attach."""
        return Handle(run_dir, self)

    def start(self, run_dir: Path, *, scope: bool = False) -> int:
        """In the place of launch.start: on a thread of the service."""
        (run_dir / "host.json").write_text('{"pid": 7, "socket": "", "processes": []}')
        asyncio.run_coroutine_threadsafe(self._begin(run_dir), self.loop).result()
        return 7

    def runs(self, run_dir: Path) -> bool:
        """Whether its host lives."""
        return run_dir.name in self._running

    def end(self, run_dir: Path, reason: str) -> None:
        """The service stops it."""
        if (task := self._running.pop(run_dir.name, None)) is not None:
            task.cancel()
            self._outcome(run_dir, 130, reason)

    # ---- an agent's course

    async def _begin(self, run_dir: Path) -> None:
        self._running[run_dir.name] = asyncio.create_task(self._course(run_dir))

    async def _course(self, run_dir: Path) -> None:
        assert self.parts is not None
        workspace = self.parts.context.workspace
        session = await workspace.run(lambda opened: opened.read(queries.sessions.get, run_dir.name))
        kind = session.agent_type.removeprefix("night-")
        begun = self.now()
        while True:
            met = self._trouble(session.agent_name)
            left = self.work[session.mission_id]
            if met or left <= timedelta(0):
                break
            if self.now() == begun:
                self._say(run_dir, working(kind))
            step = min(left, timedelta(minutes=5))
            await asyncio.sleep(step.total_seconds())
            if not self._trouble(session.agent_name):
                self.work[session.mission_id] = left - step
        if met:
            self.refusals.append(Refusal(session.agent_name, met, self.now()))
            await asyncio.sleep(REFUSED_AFTER.total_seconds())
            self._say(run_dir, refused(kind, met, self._limits.get(session.agent_name)))
            self._outcome(run_dir, 1)
        else:
            await self._finish(session)
            self._say(run_dir, finished(kind))
            self._outcome(run_dir, 0)
        self._running.pop(run_dir.name, None)

    async def _finish(self, session: Session) -> None:
        assert self.parts is not None
        workspace = self.parts.context.workspace
        mission = await workspace.run(lambda opened: opened.read(queries.missions.get, session.mission_id))
        await asyncio.to_thread(commit, Path(mission.worktree_path or ""), f"part-{mission.number}.txt")
        author = Author("agent", session.agent_name, session.id)
        await workspace.write_as(author, operations.review.complete_stage, mission.id, "done", None)

    def _trouble(self, agent: str) -> str:
        now = self.now()
        if any(since <= now < until for since, until in self.outages):
            return "outage"
        if agent in self._limits and self._limits[agent][0] <= now < self._limits[agent][1]:
            return "limit"
        if agent in self._signed_out and self._signed_out[agent] <= now:
            return "signed out"
        return "full disk" if self.is_full() else ""

    def _say(self, run_dir: Path, lines: list[str]) -> None:
        with (run_dir / "transcript.jsonl").open("ab") as file:
            for line in lines:
                file.write(entry(self.now().timestamp(), "out", line.encode()))

    def _outcome(self, run_dir: Path, code: int, stop: str = "") -> None:
        told: dict[str, Any] = {"exit_code": code, "started": self.now().timestamp(), "ended": self.now().timestamp()}
        told["stop"] = {"reason": stop, "signals": []} if stop else None
        (run_dir / "outcome.json").write_text(json.dumps(told))


class Handle(HostHandle):
    """A session whose host is the world."""

    def __init__(self, run_dir: Path, world: World) -> None:
        super().__init__(run_dir)
        self._world = world

    def alive(self) -> bool:
        return self._world.runs(self.run_dir)

    def stop(self, reason: str = "stop", *, grace: float | None = None) -> None:
        self._world.loop.call_soon_threadsafe(self._world.end, self.run_dir, reason)

    def wait(self, seconds: float) -> None:
        pass

    def end_leftovers(self) -> bool:
        return not self.alive()


def commit(worktree: Path, name: str) -> None:
    """The work of a mission."""
    (worktree / name).write_text("done\n")
    for command in (["add", "."], ["commit", "-qm", f"Add {name}"]):
        subprocess.run(["git", *command], cwd=worktree, check=True, capture_output=True)


# ---- what each kind prints, from its recordings


def recorded(name: str) -> list[str]:
    """The lines of a recording."""
    return (RECORDINGS / f"{name}.jsonl").read_text().splitlines()


def working(kind: str) -> list[str]:
    """It is up and its model has answered."""
    text = {
        "claude": {"type": "assistant", "message": {"content": [{"type": "text", "text": "Going on."}]}},
        "codex": {"type": "item.completed", "item": {"id": "1", "type": "agent_message", "text": "Going on."}},
        "gemini": {"type": "message", "role": "assistant", "content": "Going on."},
        "opencode": {"type": "text", "part": {"text": "Going on."}},
    }[kind]
    return [json.dumps(up(kind)), json.dumps(text)]


def up(kind: str) -> dict[str, Any]:
    """Its first line, with its conversation."""
    lines: dict[str, dict[str, Any]] = {
        "claude": {"type": "system", "subtype": "init", "session_id": CONVERSATION, "mcp_servers": []},
        "codex": {"type": "thread.started", "thread_id": CONVERSATION},
        "gemini": {"type": "init", "session_id": CONVERSATION},
        "opencode": {"type": "step_start", "sessionID": CONVERSATION},
    }
    return lines[kind]


def finished(kind: str) -> list[str]:
    """The end of a good turn."""
    return [
        json.dumps(
            {
                "claude": {
                    "type": "result",
                    "subtype": "success",
                    "is_error": False,
                    "result": "Done.",
                    "num_turns": 1,
                },
                "codex": {"type": "turn.completed", "usage": {"input_tokens": 1, "output_tokens": 1}},
                "gemini": {"type": "result", "status": "success", "stats": {}},
                "opencode": {"type": "step_finish", "part": {"reason": "stop"}},
            }[kind]
        )
    ]


def refused(kind: str, met: str, limit: tuple[datetime, datetime] | None) -> list[str]:
    """What it was recorded to say when its provider refused it; Gemini's and OpenCode's outages by their own shapes."""
    unavailable = '[API Error: {"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]'
    gemini = {"type": "result", "status": "error", "error": {"type": "unknown", "message": unavailable}, "stats": {}}
    opencode = {"type": "error", "error": {"name": "APIError", "data": {"message": "Overloaded", "statusCode": 529}}}
    match kind, met:
        case "claude", "limit":
            assert limit is not None
            lines = recorded("claude/usage_limit_five_hour")
            return [line.replace("1795371511", str(round(limit[1].timestamp()))) for line in lines]
        case "claude", "outage":
            return recorded("claude/error_529")
        case "codex", "outage":
            return recorded("codex/error_500")
        case "gemini", "outage":
            return [json.dumps(up(kind)), json.dumps(gemini)]
        case "opencode", "outage":
            return [json.dumps(opencode)]
        case "gemini", "signed out":
            return recorded("gemini/error_400_key")
    return [json.dumps(up(kind))]  # a full disk: it ends without a result


# ---- the clock


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


def settle_clocks(world: World) -> None:
    """Let the service's wall clock, its hosts and its disk be those of the world."""

    class Simulated(datetime, metaclass=_Kind):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return world.now().astimezone(tz)

    real = datetime
    for name, module in list(sys.modules.items()):
        if name.startswith("solo_unicorn.") and name != __name__ and getattr(module, "datetime", None) is real:
            vars(module)["datetime"] = Simulated
    launch.attach = world.attach
    launch.start = world.start
    pressure.disk_free_mb = lambda: 10.0 if world.is_full() else 10000.0
    runner.LOOK_SECONDS = 20.0
