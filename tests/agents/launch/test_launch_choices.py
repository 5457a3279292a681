"""What agents are not held to, and what a person or a mission chose for them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config.settings import AgentSettings, Settings
from solo_unicorn.missions.rules.permissions import PermissionRule

from .prepared import CLAUDE, RULES, prepared


@pytest.mark.parametrize(
    ("type_", "rules", "told"),
    [
        ("claude", RULES, ""),
        ("goose", RULES, ""),
        ("codex", (), ""),
        ("codex", RULES, ""),
        ("gemini", RULES, ""),
        ("opencode", RULES, ""),
        ("amp", RULES, "asks for no permissions"),
    ],
)
def test_what_an_agent_is_not_held_to_is_said(
    run_dir: Path, tmp_path: Path, type_: str, rules: tuple[PermissionRule, ...], told: str
) -> None:
    agent = replace(CLAUDE, type=type_, name=type_)
    settings = Settings(agents={type_: AgentSettings(sandbox="off")})
    values = {"prompt": "x", "mcp": None, "resume": None, "settings": settings, "correlation": ""}
    assert launch.prepare(run_dir, agent, worktree=tmp_path, rules=rules, **values).unheld == told  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type_", "version", "plain", "told"),
    [
        ("gemini", "0.61.0", True, "is limited by its own sandbox, not by the project's rules"),
        ("gemini", "0.31.0", False, "is limited by its own sandbox, not by the project's rules"),
        ("gemini", "0.33.0", False, ""),
        ("opencode", "1.18.33", True, "asks for no permissions"),
    ],
)
def test_the_plain_mode_says_what_it_cannot_hold(
    run_dir: Path, tmp_path: Path, type_: str, version: str, plain: bool, told: str
) -> None:
    agent = replace(CLAUDE, type=type_, name=type_, agent_version=version)
    chosen = Settings(agents={type_: AgentSettings(plain_mode=plain)})
    values = {"prompt": "x", "mcp": None, "resume": None, "settings": chosen, "correlation": ""}
    assert launch.prepare(run_dir, agent, worktree=tmp_path, rules=RULES, **values).unheld == told  # type: ignore[arg-type]
    parser = json.loads((run_dir / "launch.json").read_text())["parser"]
    assert parser == (type_ if told else "acp"), "an older version has no other door"


def test_what_a_person_chose_reaches_each_agent_that_takes_it(run_dir: Path, tmp_path: Path) -> None:
    wanted = AgentSettings(
        model="opus",
        effort="high",
        fallback_model="sonnet",
        budget_usd=5.0,
        arguments="--verbose --name 'two words'",
        environment="CLAUDE_CONFIG_DIR=/home/me/second",
        own_tools=False,
    )

    def started(type_: str) -> tuple[str, dict[str, str]]:
        settings = Settings(agents={type_: wanted})
        found = prepared(run_dir, tmp_path, replace(CLAUDE, type=type_, name=type_), settings=settings, budget=2.5)
        return "|".join(list(found["argv"])), dict(found["environment"])  # type: ignore[call-overload]

    argv, environment = started("claude")
    assert "--model|opus|--effort|high|--fallback-model|sonnet|--max-budget-usd|2.50" in argv
    assert "--strict-mcp-config" in argv and argv.endswith("--verbose|--name|two words")
    assert environment["CLAUDE_CONFIG_DIR"] == "/home/me/second"
    argv, _ = started("codex")
    assert "--model|opus|--effort|high|" in argv and "fallback" not in argv


def test_what_the_mission_asks_for_goes_before_the_agents_own_settings(run_dir: Path, tmp_path: Path) -> None:
    settings = Settings(agents={"claude": AgentSettings(model="sonnet", effort="low")})
    argv = prepared(run_dir, tmp_path, settings=settings, model="opus", effort="high")["argv"]
    assert isinstance(argv, list)
    assert argv[argv.index("--model") + 1] == "opus" and argv[argv.index("--effort") + 1] == "high"


@pytest.mark.parametrize(("type_", "waits"), [("gemini", True), ("opencode", False)])
def test_a_conversation_is_not_loaded_in_the_minute_in_which_it_began(
    run_dir: Path, tmp_path: Path, type_: str, waits: bool
) -> None:
    """Gemini CLI 0.61.0 would begin the file of the conversation anew, and then find nothing in it."""
    agent = replace(CLAUDE, type=type_, name=type_)
    began = datetime(2026, 3, 1, 12, 4, 59, tzinfo=UTC)
    given = {"prompt": "x", "mcp": None, "settings": Settings(), "correlation": "", "began": began}
    launch.prepare(run_dir, agent, worktree=tmp_path, resume="conv-1", **given)  # type: ignore[arg-type]
    argv = json.loads((run_dir / "launch.json").read_text())["argv"]
    later = str(int(datetime(2026, 3, 1, 12, 5, tzinfo=UTC).timestamp()))
    assert ("--not-before" in argv) == waits
    assert not waits or argv[argv.index("--not-before") + 1] == later
