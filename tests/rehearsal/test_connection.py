"""The agent outlives its MCP server, and no call is carried out twice."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from solo_unicorn.agents.mcp_client import McpClient, McpServerEntry
from solo_unicorn.missions.errors import Offline
from solo_unicorn.workspace import queries

from .conftest import DEADLINE, Stage, finish, next_event

Fault = Literal["lose the request", "lose the answer"]


def test_a_restart_of_the_server_in_mid_run_is_survived(stage: Stage) -> None:
    mission = stage.mission("Greet", description="rehearsal: pace 0.02")
    _, agent = stage.start(mission)
    assert agent.stdin
    agent.stdin.write(b"go")
    agent.stdin.close()
    next_event(agent, _committed)
    os.kill(agent.pid, signal.SIGSTOP)  # else it might have finished before the server is gone
    stage.service.stop()
    os.kill(agent.pid, signal.SIGCONT)
    gone = next_event(agent, lambda event: event.get("subtype") == "mcp_retry")
    assert gone["give_up_after_seconds"] == 60
    stage.service.start()
    result = next_event(agent, lambda event: event["type"] == "result")
    assert result["is_error"] is False
    assert agent.wait(DEADLINE) == 0
    assert stage.read(mission).landing_status == "queued"
    assert len(stage.notes(mission)) == 1


@pytest.mark.parametrize("fault", ["lose the request", "lose the answer"])
@pytest.mark.parametrize("tool", ["add_note", "update_tasks", "complete_stage", "request_review", "ask_user"])
def test_a_call_whose_connection_breaks_is_carried_out_once(stage: Stage, tool: str, fault: Fault) -> None:
    cue = {"request_review": "review", "ask_user": "ask Formal?"}.get(tool, "plain")
    mission = stage.mission("Greet", description=f"rehearsal: {cue}")
    session, config = stage.claim(mission)
    with _proxy(stage.service.url, tool, fault) as proxy:
        config.write_text(config.read_text().replace(stage.service.url, proxy.url))
        ran = finish(stage.start_with(config, stage.worktree(mission)), "go")
    assert proxy.broken == 1
    assert ran.code == 0, ran.text
    history = [one.kind for one in stage.workspace.read(queries.missions.history, mission.id)]
    for kind in {"noted_progress", "stage_completed", "review_requested", "asked"}.intersection(history):
        assert history.count(kind) == 1
    expected = {"request_review": "review_requested", "ask_user": "asked"}.get(tool, "stage_completed")
    assert expected in history
    assert stage.workspace.read(queries.sessions.get, session.id).stage_finished is (tool != "ask_user")


@pytest.mark.slow
def test_a_killed_server_that_comes_back_on_its_port_is_found_again(stage: Stage) -> None:
    stage.service.stop()
    first, url = _server_process()
    mission = stage.mission("Greet", description="rehearsal: pace 0.02")
    session, config = stage.claim_at(mission, url)
    agent = stage.start_with(config, stage.worktree(mission))
    assert agent.stdin
    agent.stdin.write(b"go")
    agent.stdin.close()
    next_event(agent, _committed)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=DEADLINE)
    second, again = _server_process()
    try:
        assert again == url
        result = next_event(agent, lambda event: event["type"] == "result")
        assert result["is_error"] is False, result
        assert agent.wait(DEADLINE) == 0
        assert stage.workspace.read(queries.sessions.get, session.id).stage_finished
        assert len(stage.notes(mission)) == 1
        assert len(stage.commits(mission)) == 3
    finally:
        second.kill()
        second.communicate(timeout=DEADLINE)


def test_a_refused_token_ends_the_run_with_the_reason(stage: Stage) -> None:
    mission = stage.mission("Greet")
    _, config = stage.claim(mission)
    config.write_text(config.read_text().replace("Bearer ", "Bearer x"))
    ran = finish(stage.start_with(config, stage.worktree(mission)), "go")
    assert ran.code == 1
    assert ran.of_type("system", "init")[0]["mcp_servers"] == [{"name": "solo", "status": "failed"}]
    assert "refuses this run's token" in ran.result["result"]


def test_a_server_that_never_comes_is_given_up() -> None:
    told: list[tuple[str, float]] = []
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(0.01)  # the patience itself is what is tested

    client = McpClient(
        McpServerEntry("solo", "http://127.0.0.1:9/mcp", {}),
        version="0",
        wait=wait,
        retrying=lambda reason, seconds: told.append((reason, seconds)),
        patience=0.2,
    )
    with pytest.raises(Offline, match="does not answer"):
        client.connect()
    assert len(told) == 1
    assert waited[:4] == [0.05, 0.1, 0.2, 0.4]


class _Proxy(ThreadingHTTPServer):
    """Passes everything on, and breaks the connection of the first call of one tool."""

    daemon_threads = True

    def __init__(self, target: str, tool: str, fault: Fault) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target)
        self.tool = tool
        self.fault = fault
        self.broken = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/mcp"


class _Handler(BaseHTTPRequestHandler):
    server: _Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        called = json.loads(body).get("params", {}).get("name")
        breaks = called == self.server.tool and not self.server.broken
        if breaks:
            self.server.broken += 1
            if self.server.fault == "lose the request":
                self.close_connection = True
                return
        target = self.server.target
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        with closing(http.client.HTTPConnection(str(target.hostname), target.port)) as onward:
            onward.request(self.command, target.path, body, headers | {"Host": target.netloc})
            answer = onward.getresponse()
            content = answer.read()
        if breaks:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _proxy(target: str, tool: str, fault: Fault) -> Iterator[_Proxy]:
    proxy = _Proxy(target, tool, fault)
    serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    yield proxy
    proxy.shutdown()
    serving.join()
    proxy.server_close()


def _server_process() -> tuple[subprocess.Popen[str], str]:
    """The MCP server in a process of its own, and where it listens."""
    script = Path(__file__).with_name("serving.py")
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, process.stdout.readline().strip()


def _committed(event: dict[str, Any]) -> bool:
    return event["type"] == "user" and "[solo-unicorn/" in str(event["message"])
