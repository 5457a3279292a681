"""Any agent that speaks ACP, by its command line: a real one of the SDK behind the real adapter and session host."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.agents import catalogue, launch, parsers
from solo_unicorn.agents.acp.rules import DENIED, inside, keeps_records, placed, ruling
from solo_unicorn.agents.events import (
    Event,
    MessageText,
    PermissionAsked,
    PermissionDenied,
    PlanUpdate,
    Raw,
    ToolCall,
    UsageMeter,
)
from solo_unicorn.agents.session_host.processes import identify
from solo_unicorn.agents.transcript_view import TranscriptView
from solo_unicorn.agents.verdict import Judgement, Verdict
from solo_unicorn.config import paths
from solo_unicorn.config.settings import AgentSettings, Settings
from solo_unicorn.missions.entities import CodeAgent
from solo_unicorn.missions.rules.permissions import Effect, PermissionRule

from .conftest import RunningSession, eventually

AGENT = Path(__file__).with_name("acp_agent.py")
TOKEN = "tok-99-secret"


class Acp(RunningSession):
    """A session with the echoing agent."""

    def events(self) -> list[Event]:
        parse = parsers.parser(self.handle.parser)
        return [event for line in self.lines() for event in parse(line)]

    def judged(self, *, stage_finished: bool = False) -> Judgement:
        outcome = self.ended()
        verdict = Verdict()
        for event in self.events():
            verdict.feed(event)
        return verdict.decide(outcome, stage_finished=stage_finished)


Begin = Callable[..., Acp]


@pytest.fixture
def worktree(tmp_path: Path) -> Path:
    made = tmp_path / "worktree"
    made.mkdir()
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir()
    return made


@pytest.fixture
def begin(home: Path, worktree: Path, state: Path) -> Iterator[Begin]:
    """Starts a session on a prompt; whatever still runs is ended with the test."""
    entry = f'title = "Echo"\ntransport = "acp"\nbinaries = [{json.dumps(sys.executable)}]\n'
    turn = f"[turn]\narguments = {json.dumps([str(AGENT), str(state)])}\n"
    (paths.agents_dir() / "echo.toml").write_text(entry + turn)
    agent = CodeAgent("echo", "echo", binary=sys.executable, state="ready")
    made: list[Acp] = []

    def start(
        prompt: str,
        *,
        resume: str | None = None,
        mcp_url: str = "http://127.0.0.1:9/mcp",
        rules: Sequence[PermissionRule] = (),
        **settings: object,
    ) -> Acp:
        run_dir = paths.run_dir(f"acp-{len(made)}-{worktree.parent.name[-20:]}")
        launch.prepare(
            run_dir,
            agent,
            prompt=prompt,
            worktree=worktree,
            resume=resume,
            correlation="c",
            mission="M-1",
            mcp=launch.McpEntry(mcp_url, TOKEN),
            rules=rules,
            settings=Settings(agents={"echo": AgentSettings(**settings)}),  # type: ignore[arg-type]
        )
        made.append(Acp(run_dir))
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        if one.handle.alive():
            one.handle.kill()
            one.ended()


def test_a_turn_is_told_and_the_server_is_handed_over(begin: Begin, state: Path) -> None:
    one = begin("Hello, plan it")
    found = one.judged()
    assert (found.outcome, found.reason, found.hold) == ("completed", "", None)
    view = TranscriptView(parsers.parser("acp"))
    view.feed(one.entries())
    assert "echo: Hello, plan it" in [entry.text for entry in view.entries], "pieces are put together"
    (plan,) = [event for event in one.events() if isinstance(event, PlanUpdate)]
    assert [(step.title, step.state) for step in plan.steps] == [("One", "done"), ("Two", "pending")]
    meter = UsageMeter()
    for event in one.events():
        meter.feed(event)
    assert (meter.total.input_tokens, meter.total.output_tokens, meter.total.turns) == (7, 5, 1)
    (server,) = json.loads((state / "servers.json").read_text())
    assert (server["type"], server["name"], server["url"]) == ("http", "solo", "http://127.0.0.1:9/mcp")
    assert server["headers"][0]["value"] == f"Bearer {TOKEN}"
    started = (one.run_dir / "launch.json").read_text()
    assert TOKEN not in started
    assert not [event for event in one.events() if isinstance(event, Raw)]


def test_an_agent_without_http_gets_a_bridge_that_reads_the_file(
    begin: Begin, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO_NO_HTTP", "1")
    one = begin("Hello")
    assert one.judged().outcome == "completed"
    (server,) = json.loads((state / "servers.json").read_text())
    assert server["args"][-2:] == ["--token-file", str(one.run_dir / "mcp.json")]
    assert {"name", "value"} <= set(server["env"][0]) and TOKEN not in json.dumps(server)


def test_it_writes_in_its_worktree_and_is_refused_outside(begin: Begin, worktree: Path, tmp_path: Path) -> None:
    (worktree / "out").symlink_to(tmp_path)
    one = begin("write=a.txt write=../b.txt write=out/c.txt write=.git run=git+commit+-m+x")
    assert one.judged().outcome == "completed"
    asked = [event for event in one.events() if isinstance(event, PermissionAsked)]
    denied = [event for event in one.events() if isinstance(event, PermissionDenied)]
    assert [event.tool for event in asked] == ["Write a.txt", "git commit -m x"]
    assert [event.tool for event in denied] == ["Write ../b.txt", "Write out/c.txt", "Write .git"]
    assert (worktree / "a.txt").read_text() == "new\n"
    assert not [name for name in ("b.txt", "c.txt") if (tmp_path / name).exists()]
    calls = [event for event in one.events() if isinstance(event, ToolCall)]
    assert [call.kind for call in calls] == ["edit"] * 4 + ["run"]


class Person(ThreadingHTTPServer):
    """An MCP server whose `approve` answers as a person did, and notes what was asked."""

    daemon_threads = True

    def __init__(self, behavior: str) -> None:
        super().__init__(("127.0.0.1", 0), _PersonHandler)
        self.behavior = behavior
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mcp"


class _PersonHandler(BaseHTTPRequestHandler):
    server: Person
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.headers["authorization"] == f"Bearer {TOKEN}"
        result: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "solo"}}
        if request["method"] == "tools/call":
            self.server.asked.append(request["params"]["arguments"])
            answer = {"behavior": self.server.behavior, "message": "Not here", "updatedInput": {}}
            result = {"content": [{"type": "text", "text": json.dumps(answer)}]}
        body = json.dumps({"jsonrpc": "2.0", "id": request.get("id"), "result": result}).encode()
        self.send_response(200 if "id" in request else 202)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body) if "id" in request else 0))
        self.end_headers()
        if "id" in request:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def person() -> Iterator[Callable[[str], Person]]:
    """Starts one that answers so."""
    made: list[tuple[Person, threading.Thread]] = []

    def start(behavior: str) -> Person:
        server = Person(behavior)
        made.append((server, threading.Thread(target=server.serve_forever)))
        made[-1][1].start()
        return server

    yield start
    for server, thread in made:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("behavior", ["allow", "deny"])
def test_a_command_is_asked_of_a_person_who_decides(
    begin: Begin, person: Callable[[str], Person], behavior: str
) -> None:
    inbox = person(behavior)
    one = begin("run=npm+test write=../b.txt", mcp_url=inbox.url)
    assert one.judged().outcome == "completed"
    [asked] = inbox.asked  # what is outside the worktree is refused and nobody is asked
    assert (asked["tool_name"], asked["input"]["command"]) == ("Bash", "npm test")
    denied = [(event.tool, event.reason) for event in one.events() if isinstance(event, PermissionDenied)]
    assert [tool for tool, _ in denied] == [*(["npm test"] if behavior == "deny" else []), "Write ../b.txt"]
    assert behavior == "allow" or denied[0][1] == "Not here"


def rule(effect: Effect, tool: str, about: str = "") -> PermissionRule:
    return PermissionRule(1, "p", tool, about, datetime(2026, 5, 4, tzinfo=UTC), effect, True)


def test_a_rule_holds_for_what_an_agent_does_in_its_worktree(
    begin: Begin, person: Callable[[str], Person], worktree: Path
) -> None:
    """Its own edits and files written through us, by their names and by links to them."""
    (worktree / "migrations").mkdir()
    (worktree / "to-them").symlink_to("migrations")
    inbox = person("deny")
    rules = [rule("deny", "Write", "migrations/*"), rule("ask", "Edit", "docs/*")]
    one = begin(
        "write=a.txt write=migrations/1.sql write=to-them/2.sql write=docs/b.md", rules=rules, mcp_url=inbox.url
    )
    assert one.judged().outcome == "completed"
    denied = [(event.tool, event.reason) for event in one.events() if isinstance(event, PermissionDenied)]
    assert denied == [
        ("Write migrations/1.sql", DENIED),
        ("Write to-them/2.sql", DENIED),
        ("Write docs/b.md", "Not here"),
    ]
    [asked] = inbox.asked
    assert (asked["tool_name"], asked["input"]) == ("Edit", {"file_path": str(worktree / "docs/b.md")})
    assert sorted(path.name for path in worktree.rglob("*")) == ["a.txt", "migrations", "to-them"]
    found = begin("look=migrations/3.sql save=to-them/3.sql", rules=rules).judged()  # to read it is not to write it
    assert found.outcome == "failed" and DENIED in found.reason
    assert not list((worktree / "migrations").iterdir())


def test_a_file_that_a_rule_asks_about_is_written_through_us_once_a_person_allowed_it(
    begin: Begin, person: Callable[[str], Person], worktree: Path
) -> None:
    (worktree / "docs").mkdir()
    inbox = person("allow")
    rules = [rule("ask", "*", "docs/*")]
    assert begin("write=docs/a.md save=docs/a.md save=docs/b.md", rules=rules, mcp_url=inbox.url).judged().outcome
    assert [Path(asked["input"]["file_path"]).name for asked in inbox.asked] == ["a.md", "b.md"], "not twice for one"
    assert (worktree / "docs" / "a.md").read_text() == "saved" and (worktree / "docs" / "b.md").exists()
    assert len({asked["tool_use_id"] for asked in inbox.asked}) == 2


def test_an_id_that_an_agent_uses_again_is_another_question(begin: Begin, person: Callable[[str], Person]) -> None:
    inbox = person("allow")
    assert begin("run=npm+test run=npm+publish", mcp_url=inbox.url).judged().outcome == "completed"
    assert len({asked["tool_use_id"] for asked in inbox.asked}) == 2


@pytest.mark.parametrize(
    ("call", "effect", "tool", "about", "allowed"),
    [
        ({"kind": "delete", "locations": [{"path": "a/b"}]}, "deny", "Edit", "a/b/*", False),
        ({"kind": "delete", "locations": [{"path": "a"}]}, "deny", "*", "a/b/*", False),
        ({"kind": "move", "locations": [{"path": "x"}, {"path": "a/b/1"}]}, "deny", "Write", "a/b/*", False),
        ({"kind": "edit", "content": [{"path": "x"}, {"path": "a/b/1"}]}, "ask", "Edit", "a/b/*", False),
        ({"kind": "read", "locations": [{"path": ".env"}]}, "deny", "*", "*.env", False),
        ({"kind": "read", "locations": [{"path": "a/b/1"}]}, "deny", "Edit", "a/b/*", True),
        ({"kind": "execute", "rawInput": {"command": "git rm a/b/1"}}, "deny", "Edit", "a/b/*", False),
        ({"kind": "execute", "rawInput": {"command": "git add a/b/1"}}, "deny", "*", "*", True),
        ({"kind": "other", "title": "solo_get_context"}, "deny", "*", "*", True),
    ],
)
def test_what_rules_hold_for(
    tmp_path: Path, call: dict[str, Any], effect: Effect, tool: str, about: str, allowed: bool
) -> None:
    assert ruling(call, tmp_path).allowed
    assert ruling(call, tmp_path, [rule(effect, tool, about)]).allowed is allowed


def test_who_ends_its_turn_over_a_refusal_is_told_to_go_on(begin: Begin, worktree: Path) -> None:
    one = begin("write=../x")
    assert one.judged().outcome == "completed"
    told = "".join(event.text for event in one.events() if isinstance(event, MessageText))
    assert told == f"echo: write=../xecho: That was refused: {worktree}/../x is outside the worktree. " + (
        "Nothing else is wrong: go on without it, and stay inside the worktree."
    )
    assert len([line for line in one.lines() if '"result"' in line]) == 1


def test_files_written_through_us_are_of_the_worktree_alone(begin: Begin, worktree: Path, tmp_path: Path) -> None:
    assert begin("save=new/a.txt").judged().outcome == "completed"
    assert (worktree / "new" / "a.txt").read_text() == "saved"
    found = begin("save=../b.txt").judged()
    assert found.outcome == "failed" and "is outside the worktree" in found.reason
    assert not (tmp_path / "b.txt").exists()


def test_a_person_may_allow_it_everything(begin: Begin, worktree: Path) -> None:
    one = begin("write=../b.txt", skip_permissions=True)
    assert one.judged().outcome == "completed"
    assert (worktree.parent / "b.txt").exists()


def test_a_conversation_is_loaded_and_its_past_is_not_told_again(begin: Begin) -> None:
    begin("first").judged()
    one = begin("second", resume="echo-1")
    assert one.judged().outcome == "completed"
    assert "first" not in "\n".join(one.lines())
    verdict = Verdict()
    for event in one.events():
        verdict.feed(event)
    assert verdict.conversation_id == "echo-1"
    lost = begin("third", resume="echo-2").judged()
    assert (lost.outcome, lost.conversation_lost) == ("failed", True)


def test_a_persons_words_and_the_interrupt_reach_it(begin: Begin) -> None:
    one = begin("wait")
    eventually(lambda: "waiting" in "".join(one.lines()), "it waits")
    one.handle.interrupt()
    eventually(lambda: [line for line in one.lines() if '"cancelled"' in line], "its turn is broken off")
    one.handle.say("and on")
    assert one.judged().outcome == "completed"
    assert "and on" in "".join(one.lines())


@pytest.mark.parametrize(
    ("prompt", "outcome", "reason"),
    [
        ("limit", "rate_limited", "usage limit"),
        ("decline", "failed", "the model stopped: refusal"),
        ("die", "failed", "it ended in the middle of a turn"),
    ],
)
def test_how_a_turn_may_end(begin: Begin, prompt: str, outcome: str, reason: str) -> None:
    found = begin(prompt).judged()
    assert found.outcome == outcome and reason in found.reason


def test_an_agent_that_is_signed_out_says_so(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_SIGNED_OUT", "1")
    assert begin("Hello").judged().outcome == "auth_failed"


@pytest.mark.slow
def test_modes_are_set_and_wrong_ones_are_named(begin: Begin, state: Path) -> None:
    assert begin("Hello", permission_mode="code").judged().outcome == "completed"
    assert (state / "mode").read_text() == "code"
    found = begin("Hello", permission_mode="fly").judged()
    assert found.outcome == "failed" and "no mode 'fly' (it has ask, code)" in found.reason
    assert "model 'big'" in begin("Hello", model="big").judged().reason


@pytest.mark.slow
def test_stopped_it_ends_with_all_it_started(begin: Begin) -> None:
    one = begin("wait")
    eventually(lambda: "waiting" in "".join(one.lines()), "it waits")
    agent = one.handle.status()["agent_pid"]
    one.handle.stop(grace=5)
    assert one.judged().outcome == "cancelled"
    assert identify(int(str(agent))) is None


@pytest.mark.slow
def test_a_program_that_speaks_something_else_is_told(tmp_path: Path) -> None:
    check = [sys.executable, "-P", "-m", "solo_unicorn.agents.acp", "--check", "--"]
    ours = [*check, sys.executable, str(AGENT)]
    well = subprocess.run(ours, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (well.returncode, well.stdout) == (0, "echo 1.2.3\n")
    wrong = subprocess.run([*check, "/bin/echo", "hello"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert wrong.returncode == 1 and wrong.stderr and "Traceback" not in wrong.stderr


@pytest.mark.slow
def test_one_is_added_by_its_command_line(home: Path, state: Path) -> None:
    def add(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "solo_unicorn", "agent", "add", name, "--acp", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    line = shlex.join([sys.executable, str(AGENT), str(state)])
    added = add("parrot", line)
    assert added.returncode == 0 and "parrot added: ready" in added.stdout, added.stdout + added.stderr
    entry = catalogue.load(own=paths.agents_dir())["parrot"]
    assert (entry.transport, entry.binaries) == ("acp", (sys.executable,))
    assert entry.turn.arguments == (str(AGENT), str(state))
    assert "echo 1.2.3" in (paths.agents_dir() / "parrot.toml").read_text()
    for refused, code, words in (
        (add("parrot", line), 4, "already"),
        (add("claude", line), 4, "in the catalogue already"),
        (add("other", "/bin/echo hello"), 2, "does not speak ACP"),
        (add("other", "/no/such --acp"), 3, "no program"),
        (add("other", "an 'open quote"), 2, "is not a valid command line"),
        (add("other", line, "--type", "claude"), 2, "whole command line"),
    ):
        assert refused.returncode == code and words in refused.stderr, refused.stderr
    assert not (paths.agents_dir() / "other.toml").exists()


def test_an_entry_over_acp_needs_a_command_line_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('title = "Mine"\ntransport = "acp"\nbinaries = ["mine"]\n')
    found = catalogue.read(tmp_path / "mine.toml")
    assert (found.parser, found.turn.prompt, found.turn.mcp_format) == ("acp", "claude", "plain")


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        ("git add a.txt", True),
        ("git commit -m 'It is done'", True),
        (["git", "status"], True),
        ("git commit -m x && rm -rf /", False),
        ("git -c core.pager=evil log", False),
        ("git push", False),
        ("git diff --output=/etc/passwd", False),
        ("git log $(evil)", False),
        ("git add a\nrm b", False),
        ("git", False),
        ("", False),
        ("git commit -m 'open", False),
        ("bash -c 'git add'", False),
    ],
)
def test_which_commands_are_gits_own_record_keeping(command: str | list[str], allowed: bool) -> None:
    assert keeps_records(command) is allowed


def test_our_own_tools_are_allowed_by_name_and_kind_alone(tmp_path: Path) -> None:
    for title in ("mcp__solo__get_context", "solo_get_context", "get_context (solo MCP Server)"):
        assert ruling({"toolCallId": "1", "kind": "other", "title": title}, tmp_path).allowed, title
        assert not ruling({"toolCallId": "1", "kind": "execute", "title": title}, tmp_path).allowed
    assert not ruling({"title": "solo_x; rm -rf /"}, tmp_path).allowed
    assert not ruling({"kind": "other", "title": "solo_x", "rawInput": {"command": "ls"}}, tmp_path).allowed
    assert not ruling({"kind": "edit", "title": "Edit"}, tmp_path).allowed, "no path, no leave"


@given(st.text(max_size=40))
def test_what_is_inside_stays_inside(text: str) -> None:
    root = Path(os.sep) / "solo-unicorn-no-such" / "worktree"
    if inside(text, root):
        assert os.path.normpath(root / text).startswith(str(root))


def test_relative_paths_are_meant_from_the_folder_in_which_an_agent_started(tmp_path: Path) -> None:
    start = tmp_path / "packages" / "app"
    start.mkdir(parents=True)
    rule = PermissionRule(1, "p", "Edit", "packages/app/secret/**", datetime(2026, 5, 4, tzinfo=UTC), "deny", True)
    call: Any = {"kind": "edit", "locations": [{"path": "secret/key"}], "rawInput": {"path": "../lib/x", "n": 1}}
    whole = placed(call, start)
    assert whole["rawInput"] == {"path": str(start / "../lib/x"), "n": 1}
    assert ruling(whole, tmp_path, [rule]).reason == DENIED
    assert ruling(placed({"kind": "edit", "locations": [{"path": "../lib/x"}]}, start), tmp_path, [rule]).allowed
    assert not ruling(placed({"kind": "edit", "locations": [{"path": "../../../x"}]}, start), tmp_path).allowed
