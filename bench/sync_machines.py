"""Two machines at work and a hub that is killed at random: in the end all say the same, nothing lost, nothing twice.

    python bench/sync_machines.py [--minutes 5] [--seed 1] [--edits-a-second 4]

Two homes with a service each, one hub, all as programs of their own. On both machines a person makes and changes
missions all the time, some of them the same ones; the hub is killed (SIGKILL) every few seconds and stays away for up
to two. At the end: both boards and the hub are equal; every edit that was acknowledged took effect at the hub, was
replaced by a later one of the same person, or is shown as a conflict; none took effect twice. Exit code 1 when not.
Needs the extra solo-unicorn[hub].
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

from solo_unicorn.bench import sync as bench
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

KILL_EVERY, AWAY = (2.0, 6.0), (0.0, 2.0)
QUIET_SECONDS = 300.0
FIELDS = ("title", "description")


@dataclass
class Report:
    """What happened, and what is wrong with it."""

    acknowledged: int = 0
    effective: int = 0
    conflicts: int = 0
    kills: int = 0
    missions: int = 0
    settled_seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def person(name: str, seed: int, rate: float) -> None:
    """Make and change missions of this machine until the input ends; a line for each acknowledged edit."""
    import select

    random, number = Random(seed), 0
    with Workspace.open() as workspace:
        while not select.select([sys.stdin], [], [], random.expovariate(rate))[0]:
            number += 1
            value = f"{name} {number}"
            here = workspace.read(queries.missions.page, "shared", limit=200).items
            try:
                if not here or random.random() < 0.3:
                    mission_id = workspace.write(operations.missions.create, "shared", MissionDraft(title=value)).id
                    said = (mission_id, "title", value)
                else:
                    mission_id, changed = random.choice(here).id, random.choice(FIELDS)
                    workspace.write(operations.missions.edit, mission_id, {changed: value})
                    said = (mission_id, changed, value)
            except SoloUnicornError as error:
                print(json.dumps({"refused": str(error)}), flush=True)
                continue
            print(json.dumps(said), flush=True)


def run(seconds: float, seed: int = 1, rate: float = 4.0, *, hurry: bool = False) -> Report:
    """Work and kill for so long; then wait for quiet, and judge. In a hurry a person asks both services to try now."""
    random, report = Random(seed), Report()
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        hub, homes, port = directory / "hub", [directory / "a", directory / "b"], bench.free_port()
        token = bench.prepared(hub)
        process = bench.serve(hub, port)
        people: list[subprocess.Popen[str]] = []
        said: list[list[Any]] = []
        try:
            _connect(homes, f"http://127.0.0.1:{port}", token)
            people = [_person(home, seed + number, rate) for number, home in enumerate(homes)]
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                time.sleep(min(random.uniform(*KILL_EVERY), max(0.1, ends - time.monotonic())))
                process.kill()
                process.wait()
                report.kills += 1
                time.sleep(random.uniform(*AWAY))
                process = bench.serve(hub, port)
            for one in people:
                lines, _ = one.communicate(input="", timeout=60)
                said.append([json.loads(line) for line in lines.splitlines()])
            began = time.monotonic()
            _until_quiet(homes, report, hurry)
            report.settled_seconds = time.monotonic() - began
            _judge(homes, f"http://127.0.0.1:{port}", token, said, report)
        finally:
            for one in people:
                one.kill()
                one.wait()
            for home in homes:
                bench.command(home, "workstation", "stop", "--force")
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    return report


def _connect(homes: list[Path], url: str, token: str) -> None:
    for home in homes:
        bench.command(home, "auth", "login", "--hub", url, "--api-key", "-", "--store-in-file", stdin=token)
    bench.command(homes[0], "project", "create", "Shared")
    bench.command(homes[0], "project", "publish", "shared")
    bench.command(homes[0], "sync")
    bench.command(homes[1], "project", "connect", "shared")
    bench.command(homes[1], "sync")
    for home in homes:
        bench.command(home, "workstation", "start", "--background")


def _person(home: Path, seed: int, rate: float) -> subprocess.Popen[str]:
    words = [sys.executable, __file__, "--person", home.name, "--seed", str(seed), "--edits-a-second", str(rate)]
    environment = {**os.environ, "SOLO_UNICORN_HOME": str(home)}
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _until_quiet(homes: list[Path], report: Report, hurry: bool) -> None:
    ends = time.monotonic() + QUIET_SECONDS
    asked = 0.0
    while True:
        states = []
        for home in homes:
            with Workspace.open(home / "workspace.db") as workspace:
                states.append(queries.connection.sync_state(workspace))
                if hurry and time.monotonic() > asked + 1:
                    workspace.write(operations.workstation.request, "sync")
        boards = [_board(home) for home in homes]
        if not any(state.waiting or state.offline_since for state in states) and boards[0] == boards[1]:
            return
        if time.monotonic() > ends:
            report.wrong.append(f"not quiet after {QUIET_SECONDS:.0f} s: {[state.word for state in states]}")
            return
        asked = time.monotonic() if time.monotonic() > asked + 1 else asked
        time.sleep(0.2)


def _board(home: Path) -> dict[str, tuple[str, str]]:
    with Workspace.open(home / "workspace.db") as workspace:
        found: dict[str, tuple[str, str]] = {}
        cursor = None
        while True:
            page = workspace.read(queries.missions.page, "shared", limit=200, cursor=cursor)
            found |= {one.id: (one.title, one.description or "") for one in page.items}
            cursor = page.next_cursor
            if cursor is None:
                return found


def _judge(homes: list[Path], url: str, token: str, said: list[list[Any]], report: Report) -> None:
    project = _asked(url, token, "/projects")["items"][0]["id"]
    at_hub = {one["id"]: (one["title"], one.get("description") or "") for one in _all(url, token, project, "missions")}
    boards = [_board(home) for home in homes]
    report.missions = len(at_hub)
    for home, board in zip(homes, boards, strict=True):
        for one in board.keys() ^ at_hub.keys():
            report.wrong.append(f"{one} is {'not ' if one in at_hub else ''}on the board of {home.name}")
        for one in board.keys() & at_hub.keys():
            if board[one] != at_hub[one]:
                report.wrong.append(f"{one}: {board[one]} on {home.name}, {at_hub[one]} at the hub")
        with Workspace.open(home / "workspace.db") as workspace:
            if differs := workspace.read(replica.sync_steps.verify_mirror, project):
                report.wrong.append(f"view differs from base and outbox on {home.name}: {differs[:5]}")
    effects, stood = _effects(_all(url, token, project, "events"), at_hub)
    report.effective = len(stood)
    for one, times in effects.items():
        if times > 1:
            report.wrong.append(f"{one} took effect {times} times")
    for home, lines in zip(homes, said, strict=True):
        _account_for(home, [tuple(line) for line in lines if isinstance(line, list)], stood, report)


def _account_for(home: Path, edits: list[tuple[str, str, str]], stood: set[Any], report: Report) -> None:
    """Every acknowledged edit took effect, was replaced by a later one of the same person, or is shown as open."""
    report.acknowledged += len(edits)
    with Workspace.open(home / "workspace.db") as workspace:
        open_ones = workspace.read(replica.resolving.list_open, "shared")
        parked = {
            (entry.entity_id, name, value)
            for entry in workspace.read(replica.sync_steps.queued, None, parked=True)
            for name, value in entry.patch.items()
        }
    report.conflicts += len(open_ones)
    shown = parked | {(one.mission_id, one.field, str(one.mine)) for one in open_ones}
    last = {(mission_id, name): value for mission_id, name, value in edits}
    for (mission_id, name), value in last.items():
        if (mission_id, name, value) not in stood and (mission_id, name, value) not in shown:
            report.wrong.append(f"lost on {home.name}: {name} of {mission_id} = {value!r}")


def _effects(history: list[Any], at_hub: dict[str, tuple[str, str]]) -> tuple[Counter[Any], set[Any]]:
    """(How often each value was set by an edit, every value that ever stood at the hub: what a mission was made with
    shows as what its first edit replaced, or stands there still)."""
    effects: Counter[Any] = Counter()
    stood = {(one, name, value) for one, values in at_hub.items() for name, value in zip(FIELDS, values, strict=True)}
    for event in history:
        for name, (before, after) in event["changes"].items():
            if name in FIELDS and before != after:
                effects[event["missionId"], name, after] += 1
                stood |= {(event["missionId"], name, before), (event["missionId"], name, after)}
    return effects, stood


def _all(url: str, token: str, project: str, what: str) -> list[Any]:
    found, after = [], ""
    while True:
        page = _asked(url, token, f"/projects/{project}/{what}?limit=200" + (f"&after={after}" if after else ""))
        found += page["items"]
        after = page.get("nextAfter") or ""
        if not after:
            return found


def _asked(url: str, token: str, path: str) -> Any:
    with urlopen(Request(f"{url}/api/v1{path}", headers={"authorization": f"Bearer {token}"}), timeout=20) as answer:
        return json.load(answer)


def main() -> int:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edits-a-second", type=float, default=4.0, help="of each of the two people")
    parser.add_argument("--person", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.person:
        person(options.person, options.seed, options.edits_a_second)
        return 0
    report = run(options.minutes * 60, options.seed, options.edits_a_second)
    for line in report.wrong:
        print(line)
    print(
        f"{report.kills} kills, {report.acknowledged} acknowledged edits of {report.missions} missions: "
        f"{report.effective} took effect, {report.conflicts} conflicts; quiet after {report.settled_seconds:.0f} s; "
        f"{len(report.wrong)} wrong"
    )
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
