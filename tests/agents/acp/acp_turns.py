"""Turns of an agent that speaks ACP, played by a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.agents import launch, parsers
from solo_unicorn.agents.events import Event
from solo_unicorn.agents.verdict import Judgement, Verdict
from solo_unicorn.config import paths
from solo_unicorn.config.settings import AgentSettings, Settings
from solo_unicorn.missions.entities import CodeAgent
from solo_unicorn.missions.rules.permissions import Effect, PermissionRule

from ..conftest import RunningSession

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


def rule(effect: Effect, tool: str, about: str = "") -> PermissionRule:
    return PermissionRule(1, "p", tool, about, datetime(2026, 5, 4, tzinfo=UTC), effect, True)
