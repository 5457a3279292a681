"""The real Gemini CLI and OpenCode take our prompt and our server as their catalogue entries say; no model answers.

Run by `make test-agents`, with the programs in the cache folder of the repository.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from solo_unicorn.agents import catalogue, detection, launch
from solo_unicorn.config.settings import AgentSettings, Settings

from ..real_agents.installing import CACHE, WANTED, Package, installed
from .acp.acp_person import answer_rpc
from .conftest import RunningSession, eventually

pytestmark = pytest.mark.real_agent

PROGRAMS = {
    "gemini": (Package("@google/gemini-cli", "0.61.0", "gemini"), "gemini-2.5-flash"),
    "opencode": (Package("opencode-ai", "1.18.33", "opencode"), "openai/gpt-4o"),
}
ASKED_FOR = bool(os.environ.get(WANTED))
"""Read before the test's home takes our variables away."""
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def asked() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """An MCP server that only notes what it is asked and with which Authorization."""
    seen: list[tuple[str, str | None]] = []

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.append((request["method"], self.headers.get("authorization")))
            server = {"name": "s", "version": "1"}
            told = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server}
            result = told if request["method"] == "initialize" else {"tools": []}
            answer_rpc(self, request, result)

        def do_GET(self) -> None:
            self.send_response(405)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mcp", seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def directory() -> Iterator[Path]:
    """Not below /tmp: Gemini CLI reads no settings from where everybody may write."""
    CACHE.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=CACHE))
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_found_reads_its_input_and_reaches_our_server_with_its_token(
    home: Path,
    directory: Path,
    asked: tuple[str, list[tuple[str, str | None]]],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, seen = asked
    package, model = PROGRAMS[name]
    program = installed(package, ASKED_FOR)
    environment = {
        "HTTPS_PROXY": NOWHERE,
        "HTTP_PROXY": NOWHERE,
        "GEMINI_API_KEY": "none",
        "OPENAI_API_KEY": "none",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "NO_PROXY": "",
    }
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    for variable in [variable for variable in os.environ if variable.startswith("XDG_")]:
        monkeypatch.delenv(variable)
    settings = Settings(agents={name: AgentSettings(command=str(program), model=model)})
    [agent] = detection.scan(settings, 30.0, entries={name: catalogue.entry(name)})
    assert (agent.state, agent.agent_version) == ("ready", package.version)
    worktree, run_dir = directory / "worktree", directory / "run"
    subprocess.run(["git", "init", "--quiet", str(worktree)], check=True)
    launch.prepare(
        run_dir,
        agent,
        prompt="Say hello to M-1",
        worktree=worktree,
        mcp=launch.McpEntry(url, "tok-12345678"),
        resume=None,
        settings=settings,
        correlation="c",
        mission="M-1",
    )
    one = RunningSession(run_dir).start()
    try:
        eventually(lambda: ("tools/list", "Bearer tok-12345678") in seen, "our server is asked for its tools", 60)
        if name == "gemini":
            assert "Say hello to M-1" in one.line('{"type":"message"')
    finally:
        one.handle.stop(grace=2)
        outcome = one.ended()
    assert outcome.stop is not None
