"""The catalogue's entries of agents that need an account to run: started as the entry says, behind the real host.

Those over ACP are played by the echoing agent of the SDK, put under the program's own name; Amp by a script that
prints the lines its published reference shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from solo_unicorn.agents import catalogue, detection, launch, parsers
from solo_unicorn.agents.events import Event, MessageText, SessionStarted, SignInAsked, ToolCall
from solo_unicorn.agents.transcript_view import TranscriptView
from solo_unicorn.agents.verdict import Judgement, Verdict
from solo_unicorn.config import paths
from solo_unicorn.config.settings import Settings
from solo_unicorn.missions.entities import CodeAgent

from .conftest import RunningSession, eventually

ECHO = Path(__file__).with_name("acp") / "acp_agent.py"
OVER_ACP = {
    "copilot": ("copilot", ["--acp"], "GitHub Copilot CLI 1.0.102."),
    "qwen": ("qwen", ["--acp", "--allowed-tools", "mcp__solo"], "0.15.10"),
    "cursor": ("cursor-agent", ["acp"], "2026.09.18-7ae6800"),
    "goose": ("goose", ["acp"], " 1.9.2"),
}
AMP = """
import json, os, signal, sys
arguments = sys.argv[1:]
if arguments == ["--version"]:
    print("0.0.1790142911-g7618fb (released 2026-09-23T05:55:11.000Z, 2mo ago)")
    raise SystemExit
print(json.dumps(arguments), file=sys.stderr)
if not os.environ.get("AMP_API_KEY"):
    print("No API key found. Starting login flow...", flush=True)
    sys.stdin.read()
    signal.pause()
prompt = sys.stdin.read().strip()
session = arguments[arguments.index("continue") + 1] if "continue" in arguments else "T-0001"
server = json.load(open(arguments[arguments.index("--mcp-config") + 1]))["solo"]
say = lambda **line: print(json.dumps({**line, "session_id": session}), flush=True)
servers = [{"name": "solo", "status": "connected"}]
say(type="system", subtype="init", cwd=os.getcwd(), tools=["Bash"], mcp_servers=servers)
use = {"type": "tool_use", "id": "u1", "name": "Bash", "input": {"cmd": "git status"}}
words = {"type": "text", "text": prompt}
say(type="assistant", message={"type": "message", "role": "assistant", "content": [words, use]})
say(type="user", message={"role": "user", "content": [
    {"type": "tool_result", "tool_use_id": "u1", "content": server["headers"]["Authorization"], "is_error": False}]})
say(type="result", subtype="success", duration_ms=5, is_error=False, num_turns=1, result="done")
"""

Begin = Callable[..., RunningSession]


@pytest.fixture
def bin_directory(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the PATH."""
    made = tmp_path / "bin"
    made.mkdir()
    monkeypatch.setenv("PATH", f"{made}:/usr/bin:/bin")
    return made


def put(directory: Path, name: str, body: str) -> None:
    (directory / name).write_text(f"#!{sys.executable}\n{body}")
    (directory / name).chmod(0o755)


@pytest.fixture
def begin(tmp_path: Path, bin_directory: Path) -> Iterator[Begin]:
    """Finds the agent of a type as a scan does and starts it on a prompt."""
    made: list[RunningSession] = []
    worktree = tmp_path / "worktree"
    worktree.mkdir()

    def start(type_: str, prompt: str, resume: str | None = None) -> RunningSession:
        run_dir = paths.run_dir(f"{type_}-{len(made)}-{tmp_path.name[-20:]}")
        launch.prepare(
            run_dir,
            found(type_),
            prompt=prompt,
            worktree=worktree,
            resume=resume,
            correlation="c",
            mission="M-1",
            mcp=launch.McpEntry("http://127.0.0.1:9/mcp", "tok-99-secret"),
            settings=Settings(),
        )
        made.append(RunningSession(run_dir))
        return made[-1].start()

    yield start
    for one in made:
        if one.handle.alive():
            one.handle.kill()
            one.ended()


def found(type_: str) -> CodeAgent:
    [agent] = detection.scan(Settings(), entries={type_: catalogue.entry(type_)})
    assert agent.state == "ready", agent.detail
    return agent


def events_of(one: RunningSession) -> list[Event]:
    parse = parsers.parser(one.handle.parser)
    return [event for line in one.lines() for event in parse(line)]


def judged(one: RunningSession) -> Judgement:
    outcome = one.ended()
    verdict = Verdict()
    for event in events_of(one):
        verdict.feed(event)
    return verdict.decide(outcome, stage_finished=False)


@pytest.mark.parametrize("type_", OVER_ACP)
def test_an_agent_over_acp_takes_its_turn(begin: Begin, bin_directory: Path, tmp_path: Path, type_: str) -> None:
    name, arguments, version = OVER_ACP[type_]
    state = tmp_path / "state"
    state.mkdir()
    put(
        bin_directory,
        name,
        f"import os, sys\nif sys.argv[1:] == ['--version']: print({version!r}); raise SystemExit\n"
        f"if sys.argv[1:] == ['status']: print('Logged in as you'); raise SystemExit\n"
        f"assert sys.argv[1:] == {arguments!r}, sys.argv\n"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, {str(ECHO)!r}, {str(state)!r}])\n",
    )
    one = begin(type_, "Hello")
    found = judged(one)
    assert (found.outcome, found.reason, found.hold) == ("completed", "", None)
    view = TranscriptView(parsers.parser(one.handle.parser))
    view.feed(one.entries())
    assert "echo: Hello" in [entry.text for entry in view.entries]


def test_cursor_is_told_signed_out_by_its_own_status(bin_directory: Path) -> None:
    answer = "print('2026.09.18-x' if '--version' in sys.argv else 'Not logged in')"
    put(bin_directory, "cursor-agent", f"import sys\n{answer}")
    [agent] = detection.scan(Settings(), entries={"cursor": catalogue.entry("cursor")})
    assert agent.state == "signed_out" and "cursor-agent login" in (agent.detail or "")


def test_amp_takes_its_turn_and_goes_on_with_its_thread(
    begin: Begin, bin_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMP_API_KEY", "none")
    put(bin_directory, "amp", AMP)
    one = begin("amp", "Say hello")
    found = judged(one)
    assert (found.outcome, found.reason, found.hold) == ("completed", "", None)
    events = events_of(one)
    assert [event.conversation_id for event in events if isinstance(event, SessionStarted)] == ["T-0001"]
    assert "Say hello" in [event.text for event in events if isinstance(event, MessageText)]
    assert [event.name for event in events if isinstance(event, ToolCall)] == ["Bash"]
    assert "tok-99-secret" not in json.dumps(one.lines("err")), "the token is never an argument"
    assert any("Bearer tok-99-secret" in line for line in one.lines()), "it reached our server's entry"

    again = begin("amp", "Go on", resume="T-0001")
    found = judged(again)
    assert (found.outcome, found.reason, found.hold) == ("completed", "", None)
    assert json.loads(again.lines("err")[0])[-3:] == ["threads", "continue", "T-0001"]


def test_amp_without_an_account_is_signed_out_and_not_waited_for(
    begin: Begin, bin_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMP_API_KEY", raising=False)
    put(bin_directory, "amp", AMP)
    one = begin("amp", "Say hello")
    verdict = Verdict()
    [asked] = eventually(lambda: [e for e in events_of(one) if isinstance(e, SignInAsked)], "it asks for a sign-in")
    verdict.feed(asked)
    assert "signed out" in str(verdict.abort_reason), "who follows the session ends it at once"
    one.handle.stop("mcp")
    told = verdict.decide(one.ended(), stage_finished=False)
    assert told.outcome == "auth_failed" and "No API key found" in told.reason
