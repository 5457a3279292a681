"""A night of sixty missions and four kinds of agent: what went wrong with providers, accounts, disk and machine?

    python bench/night.py [--missions 60] [--hours 14] [--keep]

The service is the real one, with its workspace, worktrees and landings, on simulated time. In the place of agents and
their hosts stand courses of theirs: the lines they print are recordings (tests/agents/recordings), their work is a
commit, their end is the file that a host would write. From ten in the evening on: all providers are down for an hour,
one account meets its limit, one is signed out until its person comes in the morning, the disk is full for half an hour,
the machine is started anew. At the end every mission is done, or asks a person for a true reason; it is counted how
often each was started. Exit code 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from solo_unicorn.bench.night_world import KINDS, World, settle_clocks
from solo_unicorn.config import loading, paths
from solo_unicorn.missions.entities import Session
from solo_unicorn.missions.ids import short_id
from solo_unicorn.missions.limits import STARTS_AN_HOUR
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tests.simulated_time import SimulatedLoop, simulated
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation.composition import Composition

EVENING = datetime(2026, 11, 20, 22, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    """A time of that night."""
    day = EVENING.date() + timedelta(days=hour < 12)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--missions", type=int, default=60)
    parser.add_argument("--hours", type=int, default=14)
    parser.add_argument("--keep", action="store_true", help="leave the home there")
    options = parser.parse_args()
    sys.path[:] = [one for one in sys.path if Path(one).resolve() != Path(__file__).parent]  # bench/mcp.py is not `mcp`
    home = Path(tempfile.mkdtemp(prefix="night-"))
    os.environ |= {"SOLO_UNICORN_HOME": str(home / "home"), "HOME": str(home)}
    try:
        repository = prepare(home)
        return simulated(lambda loop: night(loop, repository, options))
    finally:
        if options.keep:
            print(f"kept: {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)


def prepare(home: Path) -> Path:
    """A repository with a commit, four agents, and enough room for all of them."""
    repository = home / "shop"
    repository.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Night\n\temail = night@example.org\n")
    (repository / "README.md").write_text("The shop\n")
    for command in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    entries = paths.home() / "agents"
    entries.mkdir(parents=True)
    for kind in KINDS:
        (entries / f"night-{kind}.toml").write_text(
            f'title = "{kind}"\ncommand = ["{{python}}"]\nparser = "{kind}"\n'
            '[version]\narguments = []\n[turn]\nresume = ["--resume", "{conversation}"]\n'
        )
    slots = "".join(f'[agents."night-{kind}"]\nslots = 4\n' for kind in KINDS)
    (paths.home() / "config.toml").write_text(
        f"[workstation]\nslots = 16\nmemory_free_mb = 0\nload_per_core = 0.0\n{slots}"
    )
    return repository


async def night(loop: SimulatedLoop, repository: Path, options: argparse.Namespace) -> int:
    """Live through it, then hold what came of it against the promises."""
    world = World(loop, EVENING)
    world.outages.append((at(23), at(0)))
    world.limit("night-claude", at(1), until=at(2, 30))
    world.sign_out("night-gemini", at(2))
    world.full_disk = (at(3), at(3, 30))
    settle_clocks(world)
    missions = write_missions(repository, options.missions, world)
    parts = await begin(world)
    await world.sleep_until(at(4))
    world.reboot()
    await parts.close()
    parts = await begin(world)
    await world.sleep_until(at(6, 30))
    held = {
        one.name: one.hold.kind for one in await parts.context.workspace.read(queries.workstation.agents) if one.hold
    }
    world.sign_in("night-gemini")
    await parts.context.workspace.run(lambda workspace: workspace.write(operations.workstation.request, "scan_agents"))
    await world.sleep_until(EVENING + timedelta(hours=options.hours))
    await parts.close()
    with Workspace.open() as workspace:
        return report(workspace, missions, world, held)


async def begin(world: World) -> Composition:
    """A service, as after the start of the machine."""
    parts = await Composition.open(loading.load(), lambda: None)
    world.parts = parts
    parts.start()
    while not parts.context.mcp.up.is_set():  # a thread of its own opens it: no time passes meanwhile
        await asyncio.to_thread(time.sleep, 0.02)
    return parts


def write_missions(repository: Path, count: int, world: World) -> list[str]:
    """Missions in turn for each kind of agent, each with its own amount of work."""
    with Workspace.open() as workspace:
        project = workspace.write(operations.projects.create, "Shop")
        workspace.write(
            operations.projects.add_repository,
            project.id,
            "shop",
            local_path=str(repository),
            max_concurrent_missions=0,
        )
        flows = {flow.name: flow.id for flow in workspace.read(queries.projects.flows, project.id)}
        made = []
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            draft = MissionDraft(
                title=f"Part {number}", flow_id=flows["Direct"], code_agent_type=f"night-{kind}", ready=True
            )
            mission = workspace.write(operations.missions.create, project.id, draft)
            world.work[mission.id] = timedelta(minutes=35 + 10 * (number % 5))
            made.append(mission.id)
        return made


def report(workspace: Workspace, missions: list[str], world: World, held: Mapping[str, str]) -> int:
    """The figures, and each promise that was broken."""
    broken = []
    outcomes: Counter[str] = Counter()
    most = 0
    asking: Counter[str] = Counter()
    for mission_id in missions:
        mission = workspace.read(queries.missions.get, mission_id)
        sessions = workspace.read(queries.sessions.find, mission_id)
        outcomes.update(session.outcome or "running" for session in sessions)
        starts = most_within_an_hour(sessions)
        most = max(most, starts)
        if starts > STARTS_AN_HOUR:
            broken.append(f"{short_id(mission.number)} was started {starts} times within an hour")
        if mission.list == "done":
            continue
        why = (
            mission.attention
            or mission.question
            or workspace.read(queries.sessions.why_not, mission.id, now=world.now())
        )
        asking[why or "no reason"] += 1
        if not (mission.attention or mission.question):
            broken.append(f"{short_id(mission.number)} is neither done nor asks: {why}")
        if "Failed" in (mission.attention or ""):
            broken.append(f"{short_id(mission.number)}: {mission.attention}")
    done = len(missions) - asking.total()
    print(f"{done} of {len(missions)} missions done; {sum(outcomes.values())} sessions: {dict(outcomes.most_common())}")
    print(f"at most {most} starts of one mission within an hour; held in the morning: {held}")
    tried = Counter((one.agent, one.met) for one in world.refusals)
    for (agent, met), times in sorted(tried.items()):
        print(f"  {agent} was refused {times} times: {met}")
    for why, times in asking.most_common():
        print(f"  {times} ask: {why}")
    in_outage = Counter(one.agent for one in world.refusals if one.met == "outage")
    for agent, times in in_outage.items():
        if times > 4 + 5:  # its slots were full when it began, then one try after each pause
            broken.append(f"{agent} was tried {times} times in an outage of an hour")
    signed_out = sum(one.met == "signed out" for one in world.refusals)
    if signed_out > 4:
        broken.append(f"{signed_out} sessions of an agent that was signed out")
    if signed_out and held.get("night-gemini") != "sign_in":
        broken.append("the agent that was signed out is not held in the morning")
    for one in broken:
        print(f"BROKEN: {one}")
    return 1 if broken else 0


def most_within_an_hour(sessions: list[Session]) -> int:
    """The most starts of one mission within any hour."""
    starts = [session.started_at for session in sessions if session.host_pid]
    return max((sum(one <= other < one + timedelta(hours=1) for other in starts) for one in starts), default=0)


if __name__ == "__main__":
    sys.exit(main())
