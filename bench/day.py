"""A day of two people: a hub, two homes with board, service and `sync --watch`, on defaults, through the real programs.

    python bench/day.py [--hours 1 | --minutes 60] [--seed 1]

An hour of the day is compressed to six minutes. In it both people make and change missions, notes, comments on lines,
files, memory, actors, flows and settings, some of them the same ones; the hub is killed and comes back; one laptop
sleeps (its programs are stopped by SIGSTOP); one person signs out and in again; the network is cut; a backup of the
hub is put back. What becomes a conflict is decided by a script. At the end both homes and the hub are compared row for
row (day_rows.py), every acknowledged edit is accounted for (day_ledger.py), and CPU seconds, write transactions and
requests of each program are printed. Exit code 1 when rows differ, an edit is lost, an edit stays refused, a program
has ended, or the day does not come to rest. Needs the extra solo-unicorn[hub].
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from solo_unicorn.bench.day_edits import ACTOR, COMMENTED, FLOW, Person
from solo_unicorn.bench.day_ledger import Ledger, marks
from solo_unicorn.bench.day_programs import HubProgram, Machine, WentWrong
from solo_unicorn.bench.day_rows import differences, of_hub, of_machine

SECONDS_AN_HOUR = 360.0
QUIET_SECONDS = 120.0
ENDED_SECONDS = 30.0
"""How long a watch may take to end once nobody is signed in, and a mission of the rehearsal agent to be done."""
ROUNDS = 12


class Day:
    """The scenes of an hour, one after the other; people work all the time."""

    def __init__(self, place: Path, seed: int) -> None:
        self.random, self.ledger, self.wrong = Random(seed), Ledger(), list[str]()
        self.hub = HubProgram(place)
        self.hub.command("user", "add", "ann@example.org", "--organization", "Day")
        self.token = self.hub.command("token", "create", "ann@example.org", "-q").strip()
        self.hub.start()
        self.people = [Person(Machine(name, place, self.hub.port), self.ledger, self.random) for name in ("ann", "bea")]
        self.machines = [one.machine for one in self.people]
        self._place = place

    def begin(self) -> None:
        """Ann has a project with a reviewed diff, actor and flow; both machines are connected to it and run."""
        ann, bea = self.machines
        repository = self._place / "repository"
        repository.mkdir()
        (repository / COMMENTED).write_text("A line to comment on\n")
        for words in (("init", "-q", "-b", "main", "."), ("add", "."), ("commit", "-q", "-m", "Begin")):
            subprocess.run(["git", *words], cwd=repository, env=ann.environment, check=True)
        ann.run("project", "create", "Shared", where=repository)
        ann.run("repo", "add", ".", where=repository)
        ann.run("actor", "add", ACTOR, where=repository)
        self._copied_flow(ann)
        ann.start()
        made = ann.read("mission", "create", "Something to review", "--agent", "rehearsal", where=repository)
        ann.run("mission", "ready", made["id"])
        if not _until(lambda: ann.read("mission", "show", made["id"])["list"] == "review", ENDED_SECONDS):
            raise WentWrong("the rehearsal agent did not finish its stage")
        for machine in self.machines:
            self._sign_in(machine)
        ann.run("project", "publish", where=repository)
        ann.run("sync")
        bea.run("project", "connect", "shared")
        bea.run("sync")
        bea.start()
        project = ann.read("project", "show", "shared")["id"]
        for person in self.people:
            person.project = project
        self.people[0].reviews = made["id"]

    def hour(self, seconds: float) -> None:
        """Seven scenes of equal length."""
        ann, bea = self.people
        part = seconds / 7
        self._say("both at work")
        self._work(part, ann, bea)
        backup = self._place / f"backup-{time.time_ns()}"
        self.hub.command("backup", str(backup))
        self._say("the hub is killed and comes back")
        self.hub.end(signal.SIGKILL)
        self._work(part / 2, ann, bea)
        self.hub.start()
        self._work(part / 2, ann, bea)
        self._say("bea's laptop sleeps")
        with bea.machine.asleep():
            self._work(part, ann)
        self._say("bea signs out, works on, and signs in again")
        bea.machine.run("auth", "logout")
        if (code := bea.machine.ended("watch", ENDED_SECONDS)) != 5:
            self._complain(f"bea's watch ended with {code} after she signed out, not with 5")
        self._work(part / 2, ann, bea)
        self._sign_in(bea.machine)
        bea.machine.watch()
        self._work(part / 2, ann, bea)
        self._say("ann's network is cut")
        ann.machine.network.cut(True)
        self._work(part, ann, bea)
        ann.machine.network.cut(False)
        self._settle()
        self._say("the hub's backup is put back")
        self.hub.end(signal.SIGTERM)
        self.hub.command("restore", str(backup))
        self.hub.start()
        self._work(part, ann, bea)
        self._say("both at work")
        self._work(part, ann, bea)

    def end(self) -> None:
        """Decide what is open, wait until nothing moves, compare and account for every edit."""
        self._say("the end of the day")
        self._settle()
        for machine in self.machines:
            machine.count()
            self.wrong += machine.dead()
            for one in machine.read("sync", "--parked"):
                self._complain(f"refused, and still parked at {machine.name}: {one['name']}, {one['said']}")
        project = self.people[0].project
        at_hub = of_hub(self.hub, self.token, project)
        for machine in self.machines:
            here = of_machine(machine.su_home / "workspace.db", project)
            self.wrong += differences(machine.name, here, "the hub", at_hub)
            for mission in {row["missionId"] for (kind, _), row in at_hub.items() if kind == "file"}:
                machine.run("mission", "fetch", mission)  # with its checksum
        stands = marks([[*key, row] for key, row in at_hub.items()])
        self.wrong += self.ledger.lost(stands)
        wrote = self.ledger.wrote
        print(
            f"{len(at_hub)} rows at the hub; {len(self.ledger.edits)} edits, {self.ledger.decisions} decisions; "
            f"of {len(wrote)} marks {len(wrote & stands)} stand, the others were replaced in view"
        )

    def report(self, seconds: float) -> None:
        """CPU seconds, write transactions and requests of each program."""
        print(f"{'program':16}{'CPU s':>8}{'of a core':>11}{'transactions':>14}{'requests':>10}")
        total = 0
        for machine in self.machines:
            for name, cpu, transactions, requests in machine.used():
                total += requests
                print(f"{name:16}{cpu:8.1f}{100 * cpu / seconds:10.1f}%{transactions:14}{requests:10}")
        cpu = self.hub.cpu
        print(f"{'hub':16}{cpu:8.1f}{100 * cpu / seconds:10.1f}%{self.hub.transactions:14}{total:10}")

    def stop(self) -> None:
        """End every program."""
        for machine in self.machines:
            machine.stop()
        self.hub.end(signal.SIGTERM)

    def _copied_flow(self, machine: Machine) -> None:
        """As the project's screen copies one."""
        words = (
            "from solo_unicorn.workspace import operations, queries\n"
            "from solo_unicorn.workspace.workspace import Workspace\nwith Workspace.open() as opened:\n"
            "    stages = opened.read(queries.projects.flow, 'Standard', 'shared').stage_sequence\n"
            f"    opened.write(operations.projects.create_flow, 'shared', {FLOW!r}, stages)"
        )
        subprocess.run([machine.program[0], "-c", words], env=machine.environment, check=True)

    def _sign_in(self, machine: Machine) -> None:
        """With the person's token, from a pipe."""
        words = ("auth", "login", "--hub", machine.network.url, "--api-key", "-", "--store-in-file")
        machine.run(*words, said=self.token)

    def _work(self, seconds: float, *people: Person) -> None:
        """Edits for so long, and one of each person at least."""
        ends = time.monotonic() + seconds
        while True:
            for person in people:
                person.edit()
            if time.monotonic() > ends:
                return
            time.sleep(min(self.random.uniform(0, 2), max(0.0, ends - time.monotonic())))

    def _settle(self) -> None:
        """Decide on conflicts until there are none and nothing moves."""
        for _ in range(ROUNDS):
            if not _until(self._is_quiet, QUIET_SECONDS):
                self._complain(f"not quiet after {QUIET_SECONDS:.0f} s: {self._restless()}")
                return
            if not sum(person.decide() for person in self.people):
                return
        self._complain(f"conflicts are left after {ROUNDS} rounds of decisions")

    def _is_quiet(self) -> bool:
        return not self._restless()

    def _restless(self) -> list[str]:
        states = [machine.read("sync", "--status") for machine in self.machines]
        if any(one["parked"] for one in states):
            return []  # a person has to act first
        if any(one["waiting"] for one in states):
            return [f"{one['waiting']} wait" for one in states]
        project = self.people[0].project
        shown = [of_machine(machine.su_home / "workspace.db", project) for machine in self.machines]
        return differences("ann", shown[0], "bea", shown[1])

    def _complain(self, about: str) -> None:
        self.wrong.append(about)
        self._say(about)

    @staticmethod
    def _say(scene: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {scene}", flush=True)


def _until(done: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not (is_done := done()) and time.monotonic() < ends:
        time.sleep(0.5)
    return is_done


def main() -> int:
    """Live through the hours, then judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--hours", type=float, default=1.0)
    length.add_argument("--minutes", type=float, help="of the day, not of the clock")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    left = options.hours if options.minutes is None else options.minutes / 60
    with tempfile.TemporaryDirectory(prefix="su-day-", ignore_cleanup_errors=True) as place:
        day = Day(Path(place), options.seed)
        try:
            began = time.monotonic()
            day.begin()
            while left > 0:
                day.hour(min(1.0, left) * SECONDS_AN_HOUR)
                left -= 1
            day.end()
            day.hub.end(signal.SIGTERM)
            day.report(time.monotonic() - began)
        except WentWrong as error:
            day.wrong.append(str(error))
        finally:
            day.stop()
    for line in day.wrong:
        print(line)
    print(f"{len(day.wrong)} wrong")
    return 1 if day.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
