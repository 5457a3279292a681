"""`solo-unicorn demo`: the whole job without a screen, in a repository and a home that are thrown away afterwards.

Three missions, one blocked by another, are given to the rehearsal agent (no model). The demonstration plays the person:
it approves one stage, rejects one with feedback, and watches the work land. It ends with 0 only if every step really
happened, which it checks in the workspace and in git.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...config import paths
from ...missions.entities import Mission, MissionEvent, Project
from ...missions.errors import SoloUnicornError
from ...missions.ids import short_id
from ...missions.rules.creating import MissionDraft
from ...workspace import operations, queries
from ...workspace.bell import Bell
from ...workspace.workspace import Workspace

DEADLINE_SECONDS = 120.0
FEEDBACK = "Please say in the file who the greeting is for."
GREETING, FAREWELL, TIDY = "Write a greeting", "Write a farewell", "Tidy the readme"
SAID: dict[str, Callable[[MissionEvent], str]] = {
    "claimed": lambda event: f"goes to {event.note}",
    "session_started": lambda event: "runs in its own worktree",
    "tasks_updated": lambda event: "reports its tasks",
    "stage_completed": lambda event: f"finished a stage: {event.note}",
    "review_requested": lambda event: f"asks for a review: {event.note}",
    "approved": lambda event: f"approved ({event.note})",
    "rejected": lambda event: f"rejected: {event.note}",
    "blockers_changed": lambda event: (
        "is blocked" if event.changes["dependencyCount"][1] else "is not blocked any more"
    ),
    "landing_started": lambda event: "is being landed",
    "landed": lambda event: f"landed as {event.note[:10]}",
    "session_ended": lambda event: f"session ended, {event.note}",
}


def run(*, quiet: bool = False) -> int:
    """Play the demonstration; returns the exit code. Raises SoloUnicornError saying which step did not happen."""
    with _throw_away_home() as place:
        demo = Demonstration(place, quiet=quiet)
        try:
            demo.play()
        finally:
            demo.stop()
    demo.say("everything happened as it should, and nothing is left behind")
    return 0


@dataclass
class Demonstration:
    """One run, in the folder `place`."""

    place: Path
    quiet: bool = False
    started: float = field(default_factory=time.monotonic)
    seen: int = 0
    project: Project | None = None

    def play(self) -> None:
        """All steps, in order."""
        from ...workstation import client

        repository = self._repository()
        with Workspace.open() as workspace, _listening() as bell:
            self._prepare(workspace, repository)
            client.ensure_running()
            self.say("the workstation service runs")
            for number in ("M-1", "M-2", "M-3"):
                workspace.write(operations.missions.set_ready, number, True)
            self._expect(
                "blocked by M-1" in (workspace.read(queries.sessions.why_not, "M-2", now=workspace.now()) or ""),
                "M-2 waits for M-1",
            )
            self._until(workspace, bell, "M-1 and M-3 ask for a review", lambda: self._pending(workspace, "M-1", "M-3"))
            workspace.write(operations.review.approve, "M-3")
            workspace.write(operations.review.reject, "M-1", FEEDBACK)
            self._until(
                workspace, bell, "M-3 is done", lambda: workspace.read(queries.missions.get, "M-3").list == "done"
            )
            self._until(workspace, bell, "M-1 answers the feedback", lambda: self._pending(workspace, "M-1"))
            self._expect(workspace.read(queries.missions.get, "M-2").dependency_count == 1, "M-2 still waits")
            workspace.write(operations.review.approve, "M-1")
            self._until(
                workspace,
                bell,
                "M-2 starts by itself and lands",
                lambda: workspace.read(queries.missions.get, "M-2").list == "done",
            )
            self._check(workspace, repository)

    def stop(self) -> None:
        """Stop the service that the demonstration started, with everything that it started."""
        from ...workstation import client

        client.stop(force=True)

    def say(self, text: str) -> None:
        """One line of what happens, with the seconds since the start."""
        if not self.quiet:
            print(f"{time.monotonic() - self.started:6.1f} s  {text}", flush=True)

    def _repository(self) -> Path:
        from ...worktrees.git import Git

        root = self.place / "hello"
        root.mkdir()
        git = Git(root)
        git.run("init", "--quiet", "--initial-branch=main")
        for key, value in (("user.name", "Demo"), ("user.email", "demo@example.invalid")):
            git.run("config", key, value)
        (root / "README.md").write_text("# Hello\n\nA repository for a demonstration.\n", encoding="utf-8")
        git.run("add", "README.md")
        git.run("commit", "--quiet", "--message=Begin")
        self.say("a repository with one commit")
        return root

    def _prepare(self, workspace: Workspace, repository: Path) -> None:
        self.project = workspace.write(operations.projects.create, "Demonstration")
        workspace.write(
            operations.projects.add_repository,
            self.project.id,
            "hello",
            local_path=str(repository),
            default_branch="main",
            max_concurrent_missions=2,
        )
        for title, flow in ((GREETING, "Quick fix"), (FAREWELL, "Direct"), (TIDY, "Quick fix")):
            mission = workspace.write(
                operations.missions.create,
                self.project.id,
                MissionDraft(title=title, flow_id=flow, description="rehearsal: pace 0.05; plain"),
            )
            workspace.write(operations.missions.edit, mission.id, {"code_agent_type": "rehearsal"})
            self.say(f"{short_id(mission.number)} {title!r} ({flow})")
        workspace.write(operations.missions.link, "M-1", "M-2")

    def _pending(self, workspace: Workspace, *refs: str) -> bool:
        missions = [workspace.read(queries.missions.get, ref) for ref in refs]
        return all(m.review_status == "pending" and m.agent_session_status == "INACTIVE" for m in missions)

    def _until(self, workspace: Workspace, bell: Bell, what: str, happened: Callable[[], bool]) -> None:
        """Tell what happens until `happened`; an error that names `what` when time is up."""
        while True:
            for event in workspace.read(queries.missions.events_since, self.seen):
                self.seen = event.seq
                if event.mission_id and event.kind in SAID:
                    mission = workspace.read(queries.missions.get, event.mission_id)
                    self.say(f"  {short_id(mission.number)} {SAID[event.kind](event)}")
            if happened():
                self.say(what)
                return
            stuck = [entry for entry in workspace.read(queries.missions.waiting) if entry.kind != "review"]
            left = DEADLINE_SECONDS - (time.monotonic() - self.started)
            if stuck or left <= 0:
                why = stuck[0].text if stuck else f"it did not within {DEADLINE_SECONDS:.0f} s"
                raise SoloUnicornError(
                    f"The demonstration failed: {what}", why=why, todo=f"see the log in {paths.logs_dir()}"
                )
            select.select([bell], [], [], min(left, 1.0))
            bell.drain()

    def _check(self, workspace: Workspace, repository: Path) -> None:
        """What has to be true at the end, in the workspace and in git."""
        from ...worktrees.git import Git

        git = Git(repository)
        for ref in ("M-1", "M-2", "M-3"):
            mission: Mission = workspace.read(queries.missions.get, ref)
            self._expect(mission.list == "done" and mission.landing_status is None, f"{ref} is done")
            commit = mission.landed_commit or ""
            self._expect(bool(commit) and git.ancestor(commit, "main"), f"the work of {ref} is on main")
        self._expect(
            len(workspace.read(queries.sessions.find, "M-1")) == 2, "M-1 took two sessions, the second for the feedback"
        )
        first, second = workspace.read(queries.sessions.find, "M-1")
        self._expect(first.conversation_id == second.conversation_id, "both were one conversation")
        self._expect(git.out("status", "--porcelain") == b"", "the checkout is clean")
        self._expect(git.line("symbolic-ref", "--short", "HEAD") == "main", "the checkout was not switched")
        ends = [session.ended_at for session in workspace.read(queries.sessions.find, "M-1")]
        begun = workspace.read(queries.sessions.find, "M-2")[0].started_at
        self._expect(all(end is not None and end <= begun for end in ends), "M-2 began after M-1 had ended")

    def _expect(self, true: bool, what: str) -> None:
        if not true:
            raise SoloUnicornError(f"The demonstration failed: {what}", why="it is not so", todo="please report this")
        self.say(what)


@contextmanager
def _throw_away_home() -> Iterator[Path]:
    """A temporary folder with a home of its own for this process and all that it starts; removed afterwards."""
    place = Path(tempfile.mkdtemp(prefix="solo-unicorn-demo-"))
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    kept = {name: os.environ.get(name) for name in ("SOLO_UNICORN_HOME", "SOLO_UNICORN_TOKEN")}
    os.environ["SOLO_UNICORN_HOME"] = str(place / "home")
    os.environ.pop("SOLO_UNICORN_TOKEN", None)
    (place / "home").mkdir(mode=0o700)
    runtime = paths.runtime_dir()
    try:
        yield place
    finally:
        signal.signal(signal.SIGTERM, previous)
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(runtime, ignore_errors=True)
        shutil.rmtree(place, onerror=lambda function, path, error: print(f"left behind: {path}", file=sys.stderr))


@contextmanager
def _listening() -> Iterator[Bell]:
    bell = Bell(paths.bell_dir())
    try:
        yield bell
    finally:
        bell.close()
