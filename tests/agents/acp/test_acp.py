"""Any agent that speaks ACP, by its command line: a real one of the SDK behind the real adapter and session host."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.agents import parsers
from solo_unicorn.agents.acp.rules import DENIED, ruling
from solo_unicorn.agents.events import (
    MessageText,
    PermissionAsked,
    PermissionDenied,
    PlanUpdate,
    Raw,
    ToolCall,
    UsageMeter,
)
from solo_unicorn.agents.transcript_view import TranscriptView
from solo_unicorn.agents.verdict import Verdict
from solo_unicorn.missions.rules.permissions import Effect

from .acp_person import Person
from .acp_turns import TOKEN, Begin, rule


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
        "Everything else is fine: go on without it, and stay inside the worktree."
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
