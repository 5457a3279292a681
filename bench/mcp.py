"""What an agent waits for at the MCP door, with the real service and 10,000 missions.

    python bench/mcp.py [--missions 10000] [--seconds 60] [--only cold|spawn|calls|memory|crowd]

    cold     the same without a service: initialize and tools/list answered (aim: 350 ms)
    spawn    process start → tools/list answered, against a standard-library JSON-RPC script (aim: at most 3×)
    calls    median tools/call over the bridge: reads (aim: 3 ms), writes (aim: 8 ms)
    memory   resident size of the bridge (aim: 20 MB)
    crowd    20 agents at once over bridges, each with its run's token (aim: no error, p99 under 100 ms, nothing lost)

Exit code 1 when an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from solo_unicorn.mcp_server.caller import digest, new_token
from solo_unicorn.missions.entities import LISTS, SYSTEM, CodeAgent, Task, service_of
from solo_unicorn.missions.ids import new_ulid
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries, rows
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client

AGENTS = 20
ROUNDS = 15
CALLS = 120
COLD_AIM = 350.0
SPAWN_AIM, READ_AIM, WRITE_AIM, MEMORY_AIM, CROWD_AIM = 3.0, 3.0, 8.0, 20.0, 100.0
SCRIPT = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "initialize":
        about = {"name": "script", "version": "1"}
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": about}
    elif message.get("method") == "tools/list":
        result = {"tools": [{"name": "t", "description": "d", "inputSchema": {"type": "object"}}]}
    else:
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""
READS: dict[str, dict[str, Any]] = {
    "get_context": {},
    "get_mission": {},
    "list_missions": {},
    "search_missions": {"query": "mission 4711"},
    "memory_read": {"document": "index"},
    "memory_search": {"query": "payments"},
}
WRITES: dict[str, dict[str, Any]] = {
    "add_note": {"text": "Half of it works"},
    "update_tasks": {"titles": ["Read", "Write", "Test"], "finished": 1},
    "memory_append": {"document": "log", "text": "One more line"},
    "create_mission": {"title": "Found on the way"},
}


class Peer:
    """One client of the handshake era over a process's pipes."""

    def __init__(self, command: list[str], token: str | None = None) -> None:
        env = os.environ | ({"SOLO_UNICORN_TOKEN": token} if token else {})
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self._last = 0

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request and its result; AssertionError for an error."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self._last += 1
        message = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params or {}}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError("the server closed its side")

    def greet(self) -> None:
        """The handshake."""
        info = {"name": "bench", "version": "1"}
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info})
        assert self.process.stdin is not None
        self.process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        self.process.stdin.flush()

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """tools/call; AssertionError for a refusal."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result
        return result

    def close(self) -> None:
        """End of file, then wait."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


@dataclass(frozen=True)
class Bench:
    """The filled workspace with its service."""

    project: str
    tokens: list[str]
    """One running session each, on missions M-1 …"""
    bridge: list[str]


def main() -> int:
    """Measure what was asked for; print a line for each aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missions", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", choices=["cold", "spawn", "calls", "memory", "crowd"])
    options = parser.parse_args()
    wanted = [options.only] if options.only else ["spawn", "calls", "memory", "crowd", "cold"]
    with board(options.missions) as bench:
        met = [
            {
                "cold": cold,
                "spawn": spawn,
                "calls": calls,
                "memory": memory,
                "crowd": lambda b: crowd(b, options.seconds),
            }[one](bench)
            for one in wanted
        ]
    return 0 if all(met) else 1


def spawn(bench: Bench) -> bool:
    """Ours and the script's in turn, so that the machine's mood meets both."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(listed(bench.bridge))
        theirs.append(listed([sys.executable, "-c", SCRIPT]))
    ratio = statistics.median(ours) / statistics.median(theirs)
    detail = f"{statistics.median(ours) * 1000:.0f} ms / {statistics.median(theirs) * 1000:.0f} ms"
    return report("spawn → tools/list, against a standard-library script", ratio, SPAWN_AIM, "×", detail)


def cold(bench: Bench) -> bool:
    """The service is stopped before each round; the first call of a tool, which waits for it, is shown beside."""
    ours, called = [], []
    for _ in range(ROUNDS):
        client.stop(force=True)
        ours.append(listed(bench.bridge))
        client.stop(force=True)
        began = time.perf_counter()
        peer = Peer(bench.bridge)
        peer.greet()
        peer.call("get_context", {})
        called.append(time.perf_counter() - began)
        peer.close()
    detail = f"first tools/call after {statistics.median(called) * 1000:.0f} ms"
    return report("cold → tools/list", statistics.median(ours) * 1000, COLD_AIM, " ms", detail)


def listed(command: list[str]) -> float:
    """Seconds from the start of the process to its list of tools."""
    began = time.perf_counter()
    peer = Peer(command)
    peer.greet()
    assert peer.ask("tools/list")["tools"]
    took = time.perf_counter() - began
    peer.close()
    return took


def calls(bench: Bench) -> bool:
    """Each tool by itself; the aim is for the median of all reads and of all writes, and each is shown."""
    peer = Peer(bench.bridge, bench.tokens[0])
    peer.greet()
    met = []
    for kind, tools, aim in (("read", READS, READ_AIM), ("write", WRITES, WRITE_AIM)):
        every: list[float] = []
        for tool, arguments in tools.items():
            took = []
            for _ in range(CALLS):
                began = time.perf_counter()
                peer.call(tool, arguments)
                took.append((time.perf_counter() - began) * 1000)
            print(f"    {tool:<16} {statistics.median(took):6.2f} ms   p95 {quantile(took, 0.95):6.2f} ms")
            every += took
        met.append(report(f"tools/call, {kind}, median", statistics.median(every), aim, " ms"))
    peer.close()
    return all(met)


def memory(bench: Bench) -> bool:
    """After it has carried every read once."""
    peer = Peer(bench.bridge, bench.tokens[0])
    peer.greet()
    for tool, arguments in READS.items():
        peer.call(tool, arguments)
    megabytes = resident(peer.process.pid)
    peer.close()
    return report("bridge, resident", megabytes, MEMORY_AIM, " MB")


def crowd(bench: Bench, seconds: float) -> bool:
    """Agents work as agents do, without the pauses of a model; then the workspace is asked whether all arrived."""
    with Workspace.open() as workspace:
        before = {n: noted(workspace, n) for n in range(1, AGENTS + 1)}
    took: list[float] = []
    failures: list[str] = []
    written = [0] * AGENTS
    deadline = time.monotonic() + seconds

    def work(agent: int) -> None:
        mine: list[float] = []
        peer = Peer(bench.bridge, bench.tokens[agent])
        try:
            peer.greet()
            while time.monotonic() < deadline:
                for tool, arguments in (
                    ("get_context", {}),
                    ("list_missions", {}),
                    ("add_note", {"text": f"{agent} {written[agent]}"}),
                    ("update_tasks", {"titles": ["Read", "Write"], "finished": written[agent] % 3}),
                    ("memory_search", {"query": "payments"}),
                ):
                    began = time.perf_counter()
                    peer.call(tool, arguments)
                    mine.append((time.perf_counter() - began) * 1000)
                    written[agent] += tool == "add_note"
        except Exception as error:
            failures.append(f"agent {agent}: {error}")
        finally:
            took.extend(mine)
            peer.close()

    threads = [threading.Thread(target=work, args=(agent,)) for agent in range(AGENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Workspace.open() as workspace:
        lost = sum(before[n] + written[n - 1] - noted(workspace, n) for n in range(1, AGENTS + 1))
    for failure in failures:
        print(f"    {failure}", file=sys.stderr)
    detail = f"{len(took)} calls, median {statistics.median(took):.1f} ms, {len(failures)} errors, {lost} lost"
    p99 = report(f"{AGENTS} agents for {seconds:.0f} s, p99", quantile(took, 0.99), CROWD_AIM, " ms", detail)
    return p99 and not failures and not lost


def noted(workspace: Workspace, number: int) -> int:
    """How many progress notes a mission has."""
    return sum(
        event.kind == "noted_progress"
        for event in workspace.read(queries.missions.history, f"M-{number}", limit=1_000_000)
    )


@contextmanager
def board(missions: int) -> Iterator[Bench]:
    """A home of its own with so many missions, twenty of them running, and the real service."""
    with tempfile.TemporaryDirectory(prefix="solo-unicorn-bench-") as top:
        runtime = tempfile.mkdtemp(prefix="su-")
        for name in [name for name in os.environ if name.startswith("SOLO_UNICORN_")]:
            del os.environ[name]
        os.environ |= {"HOME": top, "SOLO_UNICORN_HOME": f"{top}/home", "SOLO_UNICORN_RUNTIME_DIR": runtime}
        try:
            project, tokens = fill(missions)
            client.ensure_running(stay=True)
            script = Path(sys.executable).with_name("solo-unicorn")
            started = [str(script)] if script.exists() else [sys.executable, "-m", "solo_unicorn"]
            yield Bench(project, tokens, [*started, "mcp"])
        finally:
            with suppress(Exception):
                client.stop(force=True)
            shutil.rmtree(runtime, ignore_errors=True)


def fill(missions: int) -> tuple[str, list[str]]:
    """The workspace; returns its project and the tokens of the sessions on M-1, M-2 …"""
    agent = CodeAgent("rehearsal", "bench", slots=AGENTS, binary="/bin/true", state="ready")
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.workstation.set_agents, [agent])
        project = workspace.write(operations.projects.create, "Shop").id
        workspace.write(
            operations.projects.add_repository, project, "shop", local_path="/src/shop", max_concurrent_missions=0
        )
        first = workspace.write(
            operations.missions.create, project, MissionDraft("Mission 1", description="Retry failed payments. " * 20)
        )
        for name in ("index", "decisions", "log"):
            workspace.write(
                operations.memory.append, project, name, "## Payments\n\nPayments are retried three times.\n" * 20
            )
        copies(workspace, first, missions)
        tokens = []
        for number in range(1, AGENTS + 1):
            workspace.write(operations.missions.set_ready, f"M-{number}", True)
            session = workspace.write_as(
                SYSTEM,
                operations.dispatch.claim,
                f"M-{number}",
                session_id=new_ulid(),
                agent=agent,
                workstation_id="bench",
            )
            workspace.write_as(
                service_of(session.id),
                operations.sessions.begin,
                session.id,
                host_pid=os.getpid(),
                worktree_path=top_of(number),
                branch=f"m-{number}",
                base_commit="abc",
            )
            tokens.append(new_token())
            workspace.write_as(SYSTEM, operations.dispatch.set_token, session.id, digest(tokens[-1]))
    return project, tokens


def copies(workspace: Workspace, first: Any, missions: int) -> None:
    """The rest in one transaction: a real import would do the same writes, one by one."""
    with workspace._store.writing() as connection:
        for number in range(2, missions + 1):
            mission = replace(
                first,
                id=new_ulid(),
                number=number,
                title=f"Mission {number}",
                list="todo" if number <= AGENTS else LISTS[number % 5],
                list_order=1024.0 * number,
                is_loop=number > AGENTS and LISTS[number % 5] == "loop",
                tasks=(Task("Read"), Task("Write")),
                priority=1 + number % 5,
            )
            rows.put_mission(connection, mission, 3)
    workspace.set_meta("mission.number", str(missions))


def top_of(number: int) -> str:
    """A worktree's path, for show."""
    return f"/trees/shop-{number}"


def resident(pid: int) -> float:
    """Megabytes."""
    import psutil

    return float(psutil.Process(pid).memory_info().rss) / 1_000_000


def quantile(values: list[float], share: float) -> float:
    """The value that so many do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def report(what: str, value: float, aim: float, unit: str, detail: str = "") -> bool:
    """One line; whether the aim is met."""
    met = value <= aim
    more = f"; {detail}" if detail else ""
    print(f"{'met   ' if met else 'MISSED'}  {what}: {value:.2f}{unit} (aim {aim:g}{unit}){more}", flush=True)
    return met


if __name__ == "__main__":
    raise SystemExit(main())
