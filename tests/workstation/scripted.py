"""A code agent whose work is a shell script: it does what the script says in its worktree, then finishes its stage."""

from __future__ import annotations

import sys
from pathlib import Path

from solo_unicorn.config import paths

_PROGRAM = r"""
import http.client, json, os, pathlib, subprocess, sys, urllib.parse
if "--version" in sys.argv:
    print("9.9.9"); sys.exit(0)
me = pathlib.Path(__file__)
me.with_suffix(".env").write_bytes(b"\n".join(k + b"=" + v for k, v in sorted(os.environb.items())))
if "--open" in sys.argv:
    me.with_suffix(".opened").write_text(" ".join(sys.argv[1:]) + "\n" + os.getcwd())
    sys.exit(0)
server = json.load(open(sys.argv[sys.argv.index("--mcp-config") + 1]))["mcpServers"]["solo"]
with me.with_suffix(".prompt").open("a") as told:
    told.write(sys.stdin.readline())
own = {"session_id": "11111111-1111-4111-8111-111111111111"}
def say(**line):
    print(json.dumps(line | own), flush=True)
if "--resume" in sys.argv and me.with_suffix(".forgot").exists():
    error = "No conversation found with session ID: " + own["session_id"]
    say(type="result", subtype="error_during_execution", is_error=True, num_turns=0, errors=[error], usage={})
    sys.exit(1)
say(type="system", subtype="init", tools=[], mcp_servers=[{"name": "solo", "status": "connected"}])
done = subprocess.run(["bash", str(me.with_suffix(".sh"))], stdin=subprocess.DEVNULL, capture_output=True)
me.with_suffix(".out").write_bytes(done.stdout + done.stderr)
session = None
def ask(method, params, **more):
    global session
    url = urllib.parse.urlsplit(server["url"])
    line = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    head = server["headers"] | {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    head |= {"Mcp-Session-Id": session} if session else {}
    line.request("POST", url.path, json.dumps({"jsonrpc": "2.0", "method": method, "params": params} | more), head)
    answer = line.getresponse()
    answer.read()
    session = answer.getheader("Mcp-Session-Id") or session
about = {"clientInfo": {"name": "t", "version": "1"}, "capabilities": {}}
ask("initialize", {"protocolVersion": "2025-06-18"} | about, id=1)
ask("notifications/initialized", {})
ask("tools/call", {"name": "complete_stage", "arguments": {"summary": "done by script"}}, id=2)
say(type="result", subtype="success", is_error=False, result="ok", num_turns=1, total_cost_usd=0, usage={})
"""

_ENTRY = """
title = "Scripted"
command = ["{python}", "{program}"]
parser = "claude"
[version]
arguments = ["--version"]
[turn]
arguments = ["--output-format", "stream-json"]
resume = ["--resume", "{{conversation}}"]
mcp = ["--mcp-config", "{{mcp_file}}"]
mcp_format = "claude"
open = ["--open", "{{conversation}}"]
prompt = "claude"
result_types = ["result"]
"""


class Scripted:
    """The agent `scripted`; what it was told and given lies beside its script."""

    def __init__(self, directory: Path, script: str) -> None:
        self._own = directory / "scripted"
        self._own.with_suffix(".py").write_text(_PROGRAM)
        self._own.with_suffix(".sh").write_text(script)
        entries = paths.home() / "agents"
        entries.mkdir(exist_ok=True)
        entry = _ENTRY.format(python=sys.executable, program=self._own.with_suffix(".py"))
        (entries / "scripted.toml").write_text(entry)

    @property
    def environment(self) -> dict[str, str]:
        """What its last run was given."""
        lines = self._own.with_suffix(".env").read_text(errors="surrogateescape").splitlines()
        return {name: value for name, found, value in (line.partition("=") for line in lines) if found}

    @property
    def opened(self) -> list[str]:
        """How it was opened in a terminal, and where."""
        return self._own.with_suffix(".opened").read_text().splitlines()

    def rewrite(self, script: str) -> None:
        """What its next run does."""
        self._own.with_suffix(".sh").write_text(script)

    def forget(self) -> None:
        """From now on it knows none of its conversations."""
        self._own.with_suffix(".forgot").touch()

    @property
    def output(self) -> str:
        """What its last run printed."""
        return self._own.with_suffix(".out").read_text(errors="replace")

    @property
    def prompts(self) -> list[str]:
        """What its runs were told, oldest first."""
        return self._own.with_suffix(".prompt").read_text().splitlines()
