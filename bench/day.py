"""A day of two people: a hub, two homes with board, service and `sync --watch`, on defaults, through the real programs.

    python bench/day.py [--hours 1] [--seed 1]

An hour of the day is compressed to about six minutes. In it both people make and change missions by commands, some of
them the same ones; the hub is killed and comes back; one laptop sleeps (its programs are stopped by SIGSTOP); one
person signs out and in again; the network is cut; a backup of the hub is put back. At the end what is open is decided
by a script ("mine"), both homes and the hub are compared row for row, every edit that a command acknowledged is
accounted for, and CPU seconds, changes and requests are printed for each program. Exit code 1 when rows differ or an
edit is lost. Needs the extra solo-unicorn[hub].
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

import psutil

from solo_unicorn.workspace import queries
from solo_unicorn.workspace.workspace import Workspace

SECONDS_AN_HOUR = 360.0
QUIET_SECONDS = 180.0
PROGRAM = [sys.executable, "-m", "solo_unicorn"]
LINES = (b"GET ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ")


class Network:
    """A port of its own in front of the hub for one home: counts requests and sockets, and can be cut."""

    def __init__(self, port: int) -> None:
        self.requests = self.connections = 0
        self._to, self._cut, self._open = port, False, set[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, is_cut: bool) -> None:
        """Refuse what comes and drop what is open; or let it pass again."""
        self._cut = is_cut
        for one in list(self._open) if is_cut else ():
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                if self._cut:
                    raise OSError
                hub = socket.create_connection(("127.0.0.1", self._to), timeout=5)
                hub.settimeout(None)
            except OSError:
                client.close()
                continue
            self.connections += 1
            self._open |= {client, hub}
            for here, there, counts in ((client, hub, True), (hub, client, False)):
                threading.Thread(target=self._carry, args=(here, there, counts), daemon=True).start()

    def _carry(self, here: socket.socket, there: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := here.recv(65536):
                self.requests += counts and data.startswith(LINES)
                there.sendall(data)
        for one in (here, there):
            self._open.discard(one)
            with suppress(OSError):
                one.close()


class Home:
    """One person's machine, and what was acknowledged there."""

    def __init__(self, name: str, place: Path, network: Network, token: str) -> None:
        self.name, self.network, self._token = name, network, token
        self.home = place / name
        self.home.mkdir()
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("SOLO_UNICORN")}
        self.environment |= {"HOME": str(self.home), "SOLO_UNICORN_HOME": str(self.home / "su"), "TERM": "xterm"}
        self.said: dict[tuple[str, str], str] = {}
        """(mission, field) -> the value that a command acknowledged last."""
        self.programs: dict[str, psutil.Process] = {}
        self.cpu: dict[str, float] = {}
        self._terminal = -1

    def run(self, *words: str, said: str = "", may_fail: bool = False) -> str:
        """A command as the person types it."""
        done = subprocess.run(
            [*PROGRAM, *words], env=self.environment, input=said, capture_output=True, text=True, timeout=120
        )
        if done.returncode and not may_fail:
            raise SystemExit(f"{self.name}: {' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def read(self, *words: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.run(*words, "--json"))["data"]

    def sign_in(self) -> None:
        """With the person's token, from a pipe."""
        words = ("auth", "login", "--hub", self.network.url, "--api-key", "-", "--store-in-file")
        self.run(*words, said=self._token)

    def start(self) -> None:
        """Service, board on a terminal, and a watch."""
        self.run("workstation", "start", "--background")
        status = self.read("workstation", "status")
        self.programs["service"] = psutil.Process(int(status["service"]["pid"]))
        pid, self._terminal = pty.fork()
        if pid == 0:
            os.execvpe(PROGRAM[0], PROGRAM, self.environment)
        threading.Thread(target=self._drain, daemon=True).start()
        self.programs["board"] = psutil.Process(pid)
        watch = subprocess.Popen(
            [*PROGRAM, "sync", "--watch"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.programs["watch"] = psutil.Process(watch.pid)

    def _drain(self) -> None:
        with suppress(OSError):
            while select.select([self._terminal], [], []) and os.read(self._terminal, 65536):
                pass

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """All of its programs stand still, as when a laptop is closed."""
        for one in self.programs.values():
            one.suspend()
        try:
            yield
        finally:
            for one in self.programs.values():
                one.resume()

    def count(self) -> None:
        """Note the CPU seconds of each program, its children included."""
        for name, one in self.programs.items():
            with suppress(psutil.Error):
                times = [each.cpu_times() for each in (one, *one.children(recursive=True))]
                self.cpu[name] = sum(each.user + each.system for each in times)

    def stop(self) -> None:
        """End what was started, by its ids."""
        self.run("workstation", "stop", "--force", may_fail=True)
        for name, one in self.programs.items():
            with suppress(psutil.Error):
                if name != "service":
                    one.send_signal(signal.SIGTERM)
                    one.wait(15)
        with suppress(OSError, ChildProcessError):
            os.close(self._terminal)

    def edit(self, random: Random, number: int) -> None:
        """Make or change a mission by a command; what it acknowledged is kept."""
        value = f"{self.name} {number}"
        here = self.read("mission", "list", "-p", "shared")
        here = here if isinstance(here, list) else here["missions"]
        if len(here) < 4 or random.random() < 0.3:
            made = self.read("mission", "create", value, "-p", "shared")
            self.said[made["id"], "title"] = value
        else:
            one, field = random.choice(here)["id"], random.choice(("title", "description"))
            self.run("mission", "edit", one, f"--{field}", value)
            self.said[one, field] = value

    def board(self) -> dict[str, dict[str, Any]]:
        """Every mission as this machine shows it."""
        found, cursor = {}, None
        with Workspace.open(self.home / "su" / "workspace.db") as workspace:
            while True:
                page = workspace.read(queries.missions.page, "shared", limit=200, cursor=cursor)
                found |= {one.id: _row(vars_of(one)) for one in page.items}
                cursor = page.next_cursor
                if cursor is None:
                    return found

    @property
    def changes(self) -> int:
        """How many changes this machine has recorded."""
        with Workspace.open(self.home / "su" / "workspace.db") as workspace:
            return max((event.seq for event in workspace.read(queries.missions.events_since, 0, 1_000_000)), default=0)


def vars_of(mission: Any) -> dict[str, Any]:
    """A mission in its wire form."""
    from solo_unicorn.missions.wire import to_wire

    return dict(to_wire(mission))


def _row(document: dict[str, Any]) -> dict[str, Any]:
    names = ("title", "description", "list", "listOrder", "priority", "stage", "ready", "tasks", "reviewStatus")
    return {name: document.get(name) or None for name in names}


class HubProgram:
    """The hub, killed and started anew; its CPU is added up over its lives."""

    def __init__(self, place: Path) -> None:
        self.data = place / "hub"
        self.data.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.cpu, self._process = 0.0, None
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("SOLO_UNICORN")}
        self._environment |= {"HOME": str(place), "SOLO_UNICORN_HOME": str(self.data)}

    def command(self, *words: str) -> str:
        """`solo-unicorn hub …`, as its operator types it."""
        done = subprocess.run(
            [*PROGRAM, "hub", *words], env=self._environment, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            raise SystemExit(f"hub {' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with (self.data / "out.log").open("ab") as out:
            self._process = psutil.Popen(
                [*PROGRAM, "hub", "--port", str(self.port)], env=self._environment, stdout=out, stderr=out
            )
        until = time.monotonic() + 60
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                return
            time.sleep(0.1)
        raise SystemExit(f"the hub did not start: {(self.data / 'out.log').read_text()[-500:]}")

    def end(self, how: signal.Signals) -> None:
        """Send the signal, and wait."""
        if self._process is not None and self._process.poll() is None:
            times = self._process.cpu_times()
            self.cpu += times.user + times.system
            self._process.send_signal(how)
            self._process.wait(30)

    def missions(self, token: str) -> tuple[dict[str, dict[str, Any]], set[tuple[str, str, Any]]]:
        """(What it has now, every value that ever stood there by its history)."""
        project = self._asked(token, "/projects")["items"][0]["id"]
        rows = {one["id"]: one for one in self._all(token, f"/projects/{project}/missions")}
        stood = {(one, name, row.get(name)) for one, row in rows.items() for name in ("title", "description")}
        for event in self._all(token, f"/projects/{project}/events"):
            for name, both in event["changes"].items():
                if name in ("title", "description"):
                    stood |= {(event["missionId"], name, value) for value in both}
        return {one: _row(row) for one, row in rows.items()}, stood

    def _all(self, token: str, path: str) -> list[Any]:
        found, after = [], ""
        while True:
            page = self._asked(token, f"{path}?limit=200" + (f"&after={after}" if after else ""))
            found += page["items"]
            after = page.get("nextAfter") or ""
            if not after:
                return found

    def _asked(self, token: str, path: str) -> Any:
        request = Request(f"http://127.0.0.1:{self.port}/api/v1{path}", headers={"authorization": f"Bearer {token}"})
        with urlopen(request, timeout=20) as answer:
            return json.load(answer)


class Day:
    """The scenes of an hour, one after the other; people work all the time."""

    def __init__(self, place: Path, seed: int) -> None:
        self.random = Random(seed)
        self.hub = HubProgram(place)
        self.hub.command("user", "add", "ann@example.org", "--organization", "Day")
        self.token = self.hub.command("token", "create", "ann@example.org", "-q").strip()
        self.hub.start()
        self.homes = [Home(name, place, Network(self.hub.port), self.token) for name in ("ann", "bea")]
        self.backup = place / "hub-backup"
        self._number = 0
        self.lost_by_restore: set[tuple[str, str]] = set()
        self.wrong: list[str] = []

    def begin(self) -> None:
        """Both machines are connected to one project, and their programs run."""
        ann, bea = self.homes
        for home in self.homes:
            home.sign_in()
        ann.run("project", "create", "Shared")
        ann.run("project", "publish", "shared")
        ann.run("sync")
        bea.run("project", "connect", "shared")
        bea.run("sync")
        for home in self.homes:
            home.start()

    def hour(self, seconds: float) -> None:
        """Seven scenes of equal length."""
        ann, bea = self.homes
        part = seconds / 7
        self._say("both at work")
        self._work(part, ann, bea)
        shutil.rmtree(self.backup, ignore_errors=True)
        self.hub.command("backup", str(self.backup))
        kept = {home.name: dict(home.said) for home in self.homes}
        self._say("the hub is killed and comes back")
        self.hub.end(signal.SIGKILL)
        self._work(part / 2, ann, bea)
        self.hub.start()
        self._work(part / 2, ann, bea)
        self._say("bea's laptop sleeps")
        with bea.asleep():
            self._work(part, ann)
        self._say("bea signs out, works on, and signs in again")
        bea.run("auth", "logout", may_fail=True)
        self._work(part / 2, ann, bea)
        bea.sign_in()
        self._work(part / 2, ann, bea)
        self._say("ann's network is cut")
        ann.network.cut(True)
        self._work(part, ann, bea)
        ann.network.cut(False)
        self._quiet()
        self._say("the hub's backup is put back")
        self.hub.end(signal.SIGTERM)
        self.hub.command("restore", str(self.backup))
        for home in self.homes:  # what the hub has lost, unless a machine still waits to send it
            self.lost_by_restore |= {key for key, value in home.said.items() if kept[home.name].get(key) != value}
        self.hub.start()
        self._work(part, ann, bea)
        self._say("both at work")
        self._work(part, ann, bea)

    def end(self) -> list[str]:
        """Decide what is open, wait until nothing moves, and compare; what is wrong."""
        for _ in range(20):
            self._quiet()
            decided = 0
            for home in self.homes:
                for one in home.read("conflicts", "list"):
                    home.run("conflicts", "resolve", "--mine", str(one["id"]), may_fail=True)
                    decided += 1
            if not decided:
                break
        rows, stood = self.hub.missions(self.token)
        wrong = self.wrong
        for home in self.homes:
            board = home.board()
            wrong += [f"{one} is only on one side of {home.name} and the hub" for one in board.keys() ^ rows.keys()]
            wrong += [
                f"{one}: {board[one]} at {home.name}, {rows[one]} at the hub"
                for one in board.keys() & rows.keys()
                if board[one] != rows[one]
            ]
            for (one, field), value in home.said.items():
                if (one, field, value) not in stood and (one, field) not in self.lost_by_restore:
                    wrong.append(f"lost: {field} of {one} = {value!r}, acknowledged to {home.name}")
        return wrong

    def report(self, seconds: float) -> None:
        """CPU seconds, changes and requests of each program."""
        print(f"{'program':16}{'CPU s':>8}{'of a core':>11}{'changes':>9}{'requests':>10}{'sockets':>9}")
        for home in self.homes:
            home.count()
            for name, used in home.cpu.items():
                more = f"{home.changes:9}{home.network.requests:10}{home.network.connections:9}"
                shown = more if name == "service" else ""
                print(f"{home.name + ' ' + name:16}{used:8.1f}{100 * used / seconds:10.1f}%{shown}")
        print(f"{'hub':16}{self.hub.cpu:8.1f}{100 * self.hub.cpu / seconds:10.1f}%")

    def stop(self) -> None:
        """End every program."""
        for home in self.homes:
            home.stop()
        self.hub.end(signal.SIGTERM)

    def _work(self, seconds: float, *homes: Home) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for home in homes:
                self._number += 1
                home.edit(self.random, self._number)
            time.sleep(min(self.random.uniform(0, 2), max(0.0, ends - time.monotonic())))

    def _quiet(self) -> None:
        """Wait until nothing waits to be sent and both boards say the same."""

        def is_quiet() -> bool:
            states = [home.read("sync", "--status") for home in self.homes]
            return not any(one["waiting"] for one in states) and self.homes[0].board() == self.homes[1].board()

        if not _until(is_quiet):
            self.wrong.append(f"not quiet after {QUIET_SECONDS:.0f} s")

    def _say(self, scene: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {scene}", flush=True)


def _until(done: Callable[[], bool]) -> bool:
    ends = time.monotonic() + QUIET_SECONDS
    while not (is_done := done()) and time.monotonic() < ends:
        time.sleep(0.5)
    return is_done


def main() -> int:
    """Live through the hours, then judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="su-day-") as place:
        day = Day(Path(place), options.seed)
        try:
            day.begin()
            began, left = time.monotonic(), options.hours
            while left > 0:
                day.hour(min(1.0, left) * SECONDS_AN_HOUR)
                left -= 1
            for home in day.homes:
                home.count()
            wrong = day.end()
            day.hub.end(signal.SIGTERM)
            day.report(time.monotonic() - began)
        finally:
            day.stop()
    for line in wrong:
        print(line)
    said = sum(len(home.said) for home in day.homes)
    print(f"{said} acknowledged values, {len(day.lost_by_restore)} of them later than the backup; {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
