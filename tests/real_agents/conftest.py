"""A person's machine for real code agents: a repository, a workspace with its service, and a scripted model."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from solo_unicorn.config import edit, paths
from solo_unicorn.missions.entities import Mission, Session
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.system import locks
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.bell import Bell
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client, lock

from .installing import CLAUDES, CODEX, GEMINI, OPENCODE, WANTED, Package, installed
from .players import PLAYERS, Player
from .scripted_model import ScriptedModel

ASKED_FOR = bool(os.environ.get(WANTED))
"""Read before a test's home takes our variables away."""
PATIENCE = 150.0


class Machine:
    """The person in front of it: makes missions, reviews, and watches."""

    def __init__(self, tmp: Path) -> None:
        self.repository = tmp / "repository"
        self.repository.mkdir()
        self.git("init", "-q", "-b", "main")
        for name in ("name", "email"):  # not by the environment alone: Gemini CLI keeps it from its commands
            self.git("config", f"user.{name}", f"{name}@example.com")
        (self.repository / "README.md").write_text("A project\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "Begin")
        self.workspace = Workspace.open()
        self.project = self.workspace.write(operations.projects.create, "Demo")
        self.repository_id = self.workspace.write(
            operations.projects.add_repository,
            self.project.id,
            "repository",
            local_path=str(self.repository),
            default_branch="main",
        ).id
        self._bell = Bell(paths.bell_dir())

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        return subprocess.run(
            ["git", *arguments], cwd=self.repository, capture_output=True, text=True, check=True
        ).stdout

    def mission(self, title: str, flow: str, agent: str = "claude") -> Mission:
        """A ready mission for one agent."""
        chosen = next(one for one in self.workspace.read(queries.projects.flows, self.project.id) if one.name == flow)
        draft = MissionDraft(
            title=title, flow_id=chosen.id, project_repository_id=self.repository_id, code_agent_type=agent, ready=True
        )
        return self.workspace.write(operations.missions.create, self.project.id, draft)

    def start_service(self) -> None:
        """As the app does it."""
        client.ensure_running(timeout=30, stay=True)

    def mcp_is_up(self) -> None:
        """Wait until agents are answered: a few seconds after the service itself."""
        deadline = time.monotonic() + PATIENCE
        while not client.status().get("mcp_port"):
            assert time.monotonic() < deadline, "the MCP server came up"
            time.sleep(0.05)

    def until(self, mission: Mission, holds: Callable[[Mission], object], what: str) -> Mission:
        """Wait for the mission to be so; fails with what the machine knows."""
        deadline = time.monotonic() + PATIENCE
        while True:
            now = self.workspace.read(queries.missions.get, mission.id)
            if holds(now):
                return now
            given_up = now.attention and now.agent_session_status == "INACTIVE"
            assert time.monotonic() < deadline and not given_up, f"{what}: {self._story(mission)}"
            if select.select([self._bell], [], [], 1.0)[0]:
                self._bell.drain()

    def sessions(self, mission: Mission) -> list[Session]:
        """Its sessions, oldest first."""
        return sorted(self.workspace.read(queries.sessions.find, mission.id), key=lambda session: session.started_at)

    def in_review(self, mission: Mission, stage: str) -> Mission:
        """Wait until the stage waits for the person."""
        return self.until(
            mission,
            lambda now: (
                now.stage == stage and now.review_status == "pending" and now.agent_session_status == "INACTIVE"
            ),
            f"{stage} in review",
        )

    def _story(self, mission: Mission) -> str:
        now = self.workspace.read(queries.missions.get, mission.id)
        ended = [(session.stage, session.outcome, session.reason) for session in self.sessions(mission)]
        agents = [(agent.name, agent.state, agent.detail) for agent in self.workspace.read(queries.workstation.agents)]
        why = self.workspace.read(queries.sessions.why_not, mission.id, now=self.workspace.now())
        return f"{now.list}/{now.stage} review={now.review_status} attention={now.attention} why={why} {ended} {agents}"

    def close(self) -> None:
        """End the service and what it runs, by what the service knows and by its lock's signature."""
        owner = lock.owner(paths.service_lock())
        if owner is not None and locks.is_held(paths.service_lock()):
            with suppress(Exception):
                client.stop(force=True, timeout=20)
            with suppress(ProcessLookupError):
                if locks.is_held(paths.service_lock()):
                    os.kill(owner.pid, signal.SIGKILL)
        self._bell.close()
        self.workspace.close()
        deadline = time.monotonic() + PATIENCE
        while left := _processes_of(paths.home()):
            assert time.monotonic() < deadline, f"processes are left behind: {left}"
            time.sleep(0.05)


def _processes_of(home: Path) -> list[str]:
    """Command lines of all processes that were started for this home, except the test itself."""
    mark = f"SOLO_UNICORN_HOME={home}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (directory / "environ").read_bytes().split(b"\0") and int(directory.name) != os.getpid():
                found.append((directory / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """The model endpoint."""
    model = ScriptedModel()
    model.start()
    yield model
    model.stop()


@pytest.fixture(params=CLAUDES, ids=lambda package: package.version)
def claude(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Claude Code, the oldest and the newest."""
    return _claude_on_path(request.param, tmp_path, model, monkeypatch)


@pytest.fixture
def claude_on_path(home: Path, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The newest Claude Code."""
    return _claude_on_path(CLAUDES[-1], tmp_path, model, monkeypatch)


@pytest.fixture
def codex_on_path(codex: Path) -> Path:
    """Codex."""
    return codex


@pytest.fixture
def gemini_on_path(home: Path, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gemini CLI, with a model that asks no other model first."""
    own = tmp_path / "gemini"
    own.mkdir()
    about = {"GEMINI_CLI_HOME": str(own), "GEMINI_API_KEY": "scripted", "GOOGLE_GEMINI_BASE_URL": model.url}
    program = _on_path(GEMINI, ("GEMINI", "GOOGLE"), about, monkeypatch)
    edit.set_value("agents.gemini.model", "gemini-2.5-pro")
    return program


@pytest.fixture
def opencode_on_path(home: Path, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OpenCode, with a model of Anthropic's."""
    options = {"baseURL": f"{model.url}/v1", "apiKey": "scripted"}
    content = {"provider": {"anthropic": {"options": options}}, "model": "anthropic/claude-sonnet-4-5"}
    about = {
        "OPENCODE_CONFIG_CONTENT": json.dumps(content),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        **{f"XDG_{name}_HOME": str(tmp_path / "opencode" / name) for name in ("CONFIG", "DATA", "CACHE", "STATE")},
    }
    return _on_path(OPENCODE, ("ANTHROPIC", "OPENCODE", "XDG_"), about, monkeypatch)


@pytest.fixture(params=PLAYERS, ids=lambda player: player.agent)
def player(request: pytest.FixtureRequest) -> Iterator[Player]:
    """Each agent in turn, on the path; one that does not play a scenario is skipped with the reason."""
    player: Player = request.param
    if reason := player.without.get(request.node.originalname.removeprefix("test_")):
        pytest.skip(f"{player.agent}: {reason}")
    request.getfixturevalue(f"{player.agent}_on_path")
    yield player


def _claude_on_path(package: Package, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the path, signed in by a key, with a configuration of its own and the scripted model behind it."""
    about = {
        "ANTHROPIC_BASE_URL": model.url,
        "ANTHROPIC_API_KEY": "scripted",
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    return _on_path(package, ("CLAUDE", "ANTHROPIC"), about, monkeypatch)


def _on_path(package: Package, others: tuple[str, ...], about: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installed and on the path, with these variables and none of those that begin like `others`."""
    program = installed(package, ASKED_FOR)
    for name in [name for name in os.environ if name.startswith(others)]:
        monkeypatch.delenv(name)
    for name, value in about.items():
        monkeypatch.setenv(name, value)
    folders = [str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    return program


@pytest.fixture
def codex(home: Path, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Codex on the path, with a configuration of its own and the scripted model behind it."""
    own, scratch = tmp_path / "codex", tmp_path / "scratch"
    own.mkdir()
    scratch.mkdir()
    # below its TMPDIR, Codex does without its sandbox's program
    about = {"TMPDIR": str(scratch), "CODEX_HOME": str(own), "SCRIPTED_KEY": "scripted"}
    program = _on_path(CODEX, ("CODEX", "OPENAI"), about, monkeypatch)
    (own / "config.toml").write_text(
        f'''model = "gpt-5.5-codex"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "{model.url}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
[sandbox_workspace_write]
exclude_slash_tmp = true
exclude_tmpdir_env_var = true
'''
    )
    return program


@pytest.fixture
def machine(home: Path, tmp_path: Path) -> Iterator[Machine]:
    """The machine; its service is not started yet."""
    machine = Machine(tmp_path)
    yield machine
    machine.close()
