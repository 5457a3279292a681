"""The command `solo-unicorn mcp` with the real workstation service, which is killed in the middle of a call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import SYSTEM, CodeAgent
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.system import locks
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client, lock

from .running_session import token_of_a_session

AGENT = CodeAgent("rehearsal", "rehearsal", slots=1, binary="/bin/true", state="ready")
ALLOWED = {"tool_name": "Bash", "input": {"command": "make"}, "tool_use_id": "toolu_1"}


class Bridge:
    """`solo-unicorn mcp` as a client starts it, with a few variables only."""

    def __init__(self, token: str) -> None:
        kept = {name: os.environ[name] for name in ("HOME", "PATH", "SOLO_UNICORN_HOME", "SOLO_UNICORN_RUNTIME_DIR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "solo_unicorn", "mcp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=kept | {"SOLO_UNICORN_TOKEN": token},
        )
        self._number = 0

    def send(self, method: str, params: dict[str, Any]) -> None:
        """One request, without waiting."""
        assert self.process.stdin is not None
        self._number += 1
        self.process.stdin.write(
            json.dumps({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}) + "\n"
        )
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """The next answer."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            answer: dict[str, Any] = json.loads(line)
            if "id" in answer and "method" not in answer:
                return answer
        raise AssertionError("the bridge ended")

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One call and its result."""
        self.send("tools/call", {"name": tool, "arguments": arguments})
        result: dict[str, Any] = self.read()["result"]
        return result


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    """A workspace whose service, if there is one at the end, is ended."""
    with Workspace.open() as opened:
        yield opened
    with suppress(Exception):
        client.stop(force=True, timeout=20)
    kill_service()


def kill_service() -> None:
    """SIGKILL, as a crash would; the lock proves whose pid it is."""
    owner = lock.owner(paths.service_lock())
    if owner is not None and locks.is_held(paths.service_lock()):
        os.kill(owner.pid, signal.SIGKILL)


def running(workspace: Workspace) -> str:
    """The token of a session on M-1 that the service leaves alone: it belongs to another workstation."""
    workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
    project = workspace.write(operations.projects.create, "Shop").id
    workspace.write(operations.projects.add_repository, project, "shop", local_path="/src/shop")
    mission = workspace.write(operations.missions.create, project, MissionDraft("Retry payments", ready=True))
    return token_of_a_session(workspace, mission.id, AGENT, session_id="S1")


def test_a_killed_service_is_told_of_and_the_next_call_brings_it_back(workspace: Workspace) -> None:
    """The call in question is one that waits for a person; its answer outlives the service."""
    bridge = Bridge(running(workspace))
    with bridge.process:
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        bridge.send("initialize", hello)
        assert bridge.read()["result"]["serverInfo"]["name"] == "solo-unicorn"
        first = client.status()["pid"]
        bridge.send("tools/call", {"name": "approve", "arguments": ALLOWED})
        while not (asked := workspace.read(queries.inbox.items)):
            assert bridge.process.poll() is None
        kill_service()
        error = bridge.read()["error"]
        assert error["code"] == -32001
        assert error["data"] == {"code": "offline", "retryable": True}
        workspace.write(operations.inbox.answer, asked[0].id, "allow")
        again = bridge.call("approve", ALLOWED)
        assert json.loads(again["content"][0]["text"])["behavior"] == "allow"
        assert client.status()["pid"] != first
        assert not bridge.call("add_note", {"text": "went on"}).get("isError")
        assert bridge.process.stdin is not None
        bridge.process.stdin.close()
        assert bridge.process.wait(20) == 0
    assert [
        event.note for event in workspace.read(queries.missions.history, "M-1") if event.kind == "noted_progress"
    ] == ["went on"]
