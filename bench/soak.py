"""Many missions, few slots, and a service that is killed at random: what is lost, done twice, or left behind?

    python bench/soak.py [--missions 200] [--slots 8] [--kills 30] [--seed 1] [--pace 0.05] [--keep]

Real parts throughout: the service, session hosts, the MCP server, git, and the rehearsal agent (no model). Killed is
the service alone, by SIGKILL; when, is drawn by lot over the missions that are done; the next one is started at once.
At the end each promise is checked and the figures printed. Exit code 1 when one is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from solo_unicorn.agents import launch, transcript
from solo_unicorn.config import paths
from solo_unicorn.missions.entities import Mission, Session
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.system import locks
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client

PATIENCE_SECONDS = 120.0
"""Without a mission done for so long, the soak has failed."""


@dataclass
class Soak:
    """One run and what it found."""

    workspace: Workspace
    repository: Path
    missions: list[Mission]
    kills: int
    choose: random.Random
    killed: int = 0
    restarts: list[float] = field(default_factory=list)
    """Seconds from each SIGKILL until a new service answered."""
    broken: list[str] = field(default_factory=list)

    def run(self) -> float:
        """Work all missions off; the seconds it took."""
        began = time.monotonic()
        service = client.ensure_running()
        last_done, seen = time.monotonic(), 0
        kills = sorted(self.choose.choices(range(len(self.missions)), k=self.kills))
        while (done := self._done()) < len(self.missions):
            if done > seen:
                last_done, seen = time.monotonic(), done
                print(
                    f"\r{done} of {len(self.missions)} done, {self.killed} kills", end="", file=sys.stderr, flush=True
                )
            if time.monotonic() - last_done > PATIENCE_SECONDS:
                self.broken.append(f"nothing was done for {PATIENCE_SECONDS:.0f} s")
                break
            if kills and done >= kills[0]:
                kills.pop(0)
                time.sleep(self.choose.uniform(0, 0.3))
                os.kill(service.pid, signal.SIGKILL)
                killed_at = time.monotonic()
                service = client.ensure_running()
                self.restarts.append(time.monotonic() - killed_at)
                self.killed += 1
            time.sleep(0.05)
        print(file=sys.stderr)
        return time.monotonic() - began

    def check(self) -> None:
        """Every promise, against what is on disk and in the process table."""
        for mission in self.missions:
            now = self.workspace.read(queries.missions.get, mission.id)
            sessions = self.workspace.read(queries.sessions.find, mission.id)
            name = f"M-{now.number}"
            if now.list != "done":
                why = self.workspace.read(queries.sessions.why_not, now.id, now=self.workspace.now())
                self.broken.append(f"{name} is not done: {now.list}, {now.attention or why}")
                continue
            ran = [session for session in sessions if launch.attach(paths.runs_dir() / session.id).pid is not None]
            if [session.outcome for session in ran] != ["completed"]:
                self.broken.append(f"{name} ran {len(ran)} times: {[session.outcome for session in ran]}")
            for one, other in pairwise(ran):
                if one.ended_at is None or other.started_at < one.ended_at:
                    self.broken.append(f"{name} ran twice at once")
            self.broken += [f"{name}: {what}" for session in ran for what in lost_lines(session)]
            landed = subprocess.run(
                ["git", "show", f"main:rehearsal/{name}.md"], cwd=self.repository, capture_output=True, check=False
            )
            if landed.returncode != 0:
                self.broken.append(f"{name}: its work is not on main")

    def _done(self) -> int:
        return self.workspace.read(queries.board.list_counts, self.missions[0].project_id)["done"].total


def lost_lines(session: Session) -> Iterator[str]:
    """What is missing in the transcript of a session: against the host's own count, and from first word to last."""
    run_dir = paths.runs_dir() / session.id
    entries, end = transcript.read(run_dir, limit=1 << 30)
    outcome = json.loads((run_dir / "outcome.json").read_bytes())
    told = [entry for entry in entries if entry.stream in ("out", "err")]
    if len(told) != outcome["lines"]:
        yield f"{outcome['lines'] - len(told)} transcript lines are lost"
    said = [entry.line for entry in told if entry.stream == "out"]
    if not said or '"system"' not in said[0] or '"result"' not in said[-1]:
        yield "its transcript has no beginning or no end"
    if session.transcript_offset != end:
        yield f"only {session.transcript_offset} of {end} bytes of its transcript were taken in"


def left_processes(home: Path) -> list[str]:
    """Processes of this soak that still live a moment after its end: found by their environment (Linux)."""
    until = time.monotonic() + 10
    while (found := _processes_of(home)) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def _processes_of(home: Path) -> list[str]:
    mark = f"SOLO_UNICORN_HOME={home}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if command:
                    found.append(f"{entry.name} {command}")
    return found


def prepare(place: Path, options: argparse.Namespace) -> None:
    """A home and a repository of their own; everything that is started inherits this environment."""
    home = place / "home"
    home.mkdir(mode=0o700)
    os.environ |= {
        "HOME": str(home),
        "SOLO_UNICORN_HOME": str(home / ".solo-unicorn"),
        "SOLO_UNICORN_WORKSTATION_SLOTS": str(options.slots),
        "SOLO_UNICORN_AGENTS_REHEARSAL_SLOTS": str(options.slots),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    (home / ".gitconfig").write_text("[user]\n\tname = Soak\n\temail = soak@example.invalid\n")
    repository = place / "shop"
    repository.mkdir()
    (repository / "README.md").write_text("# Shop\n")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run(["git", *command], cwd=repository, check=True)


def main() -> int:
    """Soak, check, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missions", type=int, default=200)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=0.05, help="seconds between two steps of an agent")
    parser.add_argument("--keep", action="store_true", help="keep the folder, to look into it")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="solo-unicorn-soak-"))
    prepare(place, options)
    with Workspace.open() as workspace:
        project = workspace.write(operations.projects.create, "Soak")
        workspace.write(
            operations.projects.add_repository,
            project.id,
            "shop",
            local_path=str(place / "shop"),
            max_concurrent_missions=options.slots,
        )
        direct = next(flow.id for flow in workspace.read(queries.projects.flows, project.id) if flow.name == "Direct")
        missions = [
            workspace.write(
                operations.missions.create,
                project.id,
                MissionDraft(
                    f"Mission {number}",
                    description=f"rehearsal: plain; pace {options.pace}",
                    flow_id=direct,
                    code_agent_type="rehearsal",
                    ready=True,
                ),
            )
            for number in range(options.missions)
        ]
        soak = Soak(workspace, place / "shop", missions, options.kills, random.Random(options.seed))
        try:
            seconds = soak.run()
            soak.check()
        finally:
            client.stop(force=True)
        left = left_processes(paths.home())
        soak.broken += [f"a process is left: {process}" for process in left]
        claims = len(workspace.read(queries.sessions.find, limit=100_000)) - options.missions
    restart = sorted(soak.restarts) or [0.0]
    middle, longest = restart[len(restart) // 2] * 1000, restart[-1] * 1000
    print(f"{options.missions} missions, {options.slots} slots, {soak.killed} kills: {seconds:.1f} s")
    print(f"  {seconds / options.missions * 1000:.0f} ms a mission, {claims} claims of killed services given back")
    print(f"  a new service answered after {middle:.0f} ms (median), {longest:.0f} ms (longest)")
    print("  " + ("every promise held" if not soak.broken else f"{len(soak.broken)} promises broken:"))
    for what in soak.broken:
        print(f"    {what}")
    if options.keep:
        print(f"  kept in {place}")
    elif locks.is_held(paths.service_lock()):
        print(f"  the service still runs; {place} is left for it")
    else:
        shutil.rmtree(place, ignore_errors=True)
    return 1 if soak.broken else 0


if __name__ == "__main__":
    sys.exit(main())
