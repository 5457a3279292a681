"""A service of its own per test, ended by its lock's signature whatever the test did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config import paths
from solo_unicorn.missions.entities import Mission, Session
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.system import locks
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client, lock

PATIENCE = 60.0


def until(condition: Callable[[], object], what: str | Callable[[], str], patience: float = PATIENCE) -> None:
    """Look until it holds; fails naming what did not come, once nothing has happened in the home for so long.

    A busy machine may take any time for what it does.
    """
    deadline, seen = time.monotonic() + patience, _signs()
    while not condition():
        if time.monotonic() > deadline:
            before, seen = seen, _signs()
            if seen == before:
                pytest.fail(f"nothing happened for {patience} s: {what if isinstance(what, str) else what()}")
            deadline = time.monotonic() + patience
        time.sleep(0.02)


def _signs() -> set[tuple[Path, int, int]]:
    """What changes while anything goes on in the home: its log, its workspace, the transcripts of its sessions."""
    found = set[tuple[Path, int, int]]()
    for pattern in ("logs/*", "workspace.db*", "runs/*/*"):
        for file in paths.home().glob(pattern):
            with suppress(FileNotFoundError):
                stat = file.stat()
                found.add((file, stat.st_size, stat.st_mtime_ns))
    return found


def service_is_gone() -> bool:
    """Whether no service holds the lock of this home."""
    return not locks.is_held(paths.service_lock())


@pytest.fixture
def workstation(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose service, if the test leaves one, is ended with it."""
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "60")
    yield home
    end_service()
    for run_dir in paths.runs_dir().iterdir():
        host = launch.attach(run_dir)
        if host.alive():
            with suppress(Exception):
                host.kill()
            until(lambda host=host: not host.alive(), f"the host of {run_dir.name} ended")  # type: ignore[misc]
        host.end_leftovers()


def end_service() -> None:
    """End the service of this home, if there is one."""
    owner = lock.owner(paths.service_lock())
    if locks.is_held(paths.service_lock()) and owner is not None:
        with suppress(Exception):
            client.stop(force=True, timeout=5)
        with suppress(ProcessLookupError):
            if locks.is_held(paths.service_lock()):
                os.kill(owner.pid, signal.SIGKILL)
    until(service_is_gone, "the service left")


def kill(service: client.ServiceInfo) -> None:
    """SIGKILL, and wait until the kernel gave its lock back."""
    os.kill(service.pid, signal.SIGKILL)
    until(service_is_gone, "the killed service is gone")


OTHER_VERSION = """
import sys
import solo_unicorn
solo_unicorn.__version__ = sys.argv[1]
from solo_unicorn.workstation.process import main
sys.exit(main(["--ready-fd", sys.argv[2]]))
"""


def start_other_version(version: str) -> int:
    """A service of another version; returns its pid once it is ready."""
    hear, speak = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", OTHER_VERSION, version, str(speak)], pass_fds=(speak,))
    os.close(speak)
    with os.fdopen(hear) as stream:
        assert json.loads(stream.readline())["ok"] is True
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


class Shop:
    """A person's side: a repository, a project, and the workspace as the board sees it."""

    def __init__(self, workspace: Workspace, repository: Path) -> None:
        self.workspace = workspace
        self.repository = repository
        self.project = workspace.write(operations.projects.create, "Acme shop")
        self.recorded = workspace.write(
            operations.projects.add_repository,
            self.project.id,
            "shop",
            local_path=str(repository),
            max_concurrent_missions=4,
        )

    def mission(self, title: str, *, flow: str = "Direct", rehearsal: str = "", **values: Any) -> Mission:
        """A mission for the rehearsal agent, ready unless said otherwise."""
        flows = {found.name: found.id for found in self.workspace.read(queries.projects.flows, self.project.id)}
        draft = MissionDraft(
            title=title,
            description=f"rehearsal: {rehearsal}" if rehearsal else None,
            flow_id=flows[flow],
            **{"code_agent_type": "rehearsal", "ready": True, **values},
        )
        return self.workspace.write(operations.missions.create, self.project.id, draft)

    def now(self, mission: Mission) -> Mission:
        """The mission as it is now."""
        return self.workspace.read(queries.missions.get, mission.id)

    def until(self, mission: Mission, condition: Callable[[Mission], object], what: str) -> Mission:
        """The mission once the condition holds; fails with its history otherwise."""

        def told() -> str:
            events = self.workspace.read(queries.missions.history, mission.id)
            lines = [f"{event.at:%H:%M:%S} {event.kind} {event.note}" for event in events]
            return "\n".join([f"{what}; now {self.now(mission)}", *lines, log_tail()])

        until(lambda: condition(self.now(mission)), told)
        return self.now(mission)

    def done(self, mission: Mission) -> Mission:
        """The mission once it is done."""
        return self.until(mission, lambda now: now.list == "done", "it is done")

    def review(self, mission: Mission, stage: str) -> Mission:
        """The mission once that stage waits for review and its session is over."""
        return self.until(
            mission,
            lambda now: (now.list, now.stage, now.agent_session_status) == ("review", stage, "INACTIVE"),
            f"{stage} is to be reviewed",
        )

    def running(self, mission: Mission) -> Session:
        """The mission's session once its agent runs."""
        self.until(mission, lambda now: now.agent_session_status == "ACTIVE", "its agent runs")
        return self.sessions(mission)[-1]

    def sessions(self, mission: Mission) -> list[Session]:
        """All sessions of a mission."""
        return self.workspace.read(queries.sessions.find, mission.id)

    def git(self, *arguments: str) -> str:
        """What git says in the person's checkout."""
        done = subprocess.run(["git", *arguments], cwd=self.repository, capture_output=True, text=True, check=True)
        return done.stdout


def log_tail(lines: int = 40) -> str:
    """The end of the log, for a test that fails."""
    path = paths.logs_dir() / "solo-unicorn.log"
    return "\n".join(path.read_text().splitlines()[-lines:]) if path.exists() else "(no log)"


@pytest.fixture
def shop(workstation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A repository with one commit and a project with it; no service runs yet."""
    monkeypatch.setenv("SOLO_UNICORN_REHEARSAL_PACE", "0.01")
    monkeypatch.setenv("SOLO_UNICORN_SESSIONS_RETRY_FIRST_SECONDS", "0.2")
    monkeypatch.setenv("SOLO_UNICORN_AGENTS_REHEARSAL_SLOTS", "4")
    repository = tmp_path / "shop"
    repository.mkdir()
    (repository / "README.md").write_text("The shop\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    with Workspace.open() as workspace:
        yield Shop(workspace, repository)
