"""The programs of a day, started as a person starts them, and what each of them uses: see day.py.

Write transactions are counted inside each process (day_counting), requests on the way to the hub by whose socket it
is, CPU seconds by the system.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import site
import socket
import subprocess
import sysconfig
import threading
import time
import venv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil

COUNTING = Path(__file__).parent / "day_counting"
METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ")
COMMANDS = "commands"
"""What the person typed, as one program."""


class WentWrong(Exception):
    """Something that a person would call a fault; the day is over."""


def environment_of(home: Path, su_home: Path) -> dict[str, str]:
    """A fresh home and nothing of ours but the counting."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SOLO_UNICORN", "XDG_"))}
    counts = home / "counts"
    counts.mkdir(exist_ok=True)
    author = {f"GIT_{who}_{what}": "day" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    ours = {"HOME": str(home), "SOLO_UNICORN_HOME": str(su_home), "DAY_COUNTS": str(counts)}
    return {**kept, **author, **ours, "TERM": "xterm"}


def counted_program(place: Path) -> list[str]:
    """The words that begin a command: our program in an environment that is this one and day_counting."""
    made = place / "environment"
    if not made.exists():
        venv.create(made, with_pip=False, symlinks=True)
        folder = sysconfig.get_path("purelib", vars={"base": str(made), "platbase": str(made)})
        lines = [f"import site; site.addsitedir({one!r})" for one in site.getsitepackages()]
        (Path(folder) / "day.pth").write_text("\n".join([str(COUNTING), *lines, ""]))
    return [str(made / "bin" / "python"), "-m", "solo_unicorn"]


def typed(
    program: list[str], environment: dict[str, str], *words: str, said: str = "", where: Path | None = None
) -> str:
    """What a command prints; WentWrong when it does not end with 0."""
    done = subprocess.run(
        [*program, *words], env=environment, input=said, capture_output=True, text=True, timeout=120, cwd=where
    )
    if done.returncode:
        raise WentWrong(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip() or done.stdout}")
    return done.stdout


class Network:
    """A port of its own in front of the hub for one home: counts requests by program, and can be cut."""

    def __init__(self, port: int, owner: Callable[[int], str]) -> None:
        """`owner` names the program that has a local port open."""
        self.requests: Counter[str] = Counter()
        self._to, self._owner, self._cut, self._open = port, owner, False, set[socket.socket]()
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
            client, (_, port) = self._listener.accept()
            whose = self._owner(port)
            try:
                if self._cut:
                    raise OSError
                hub = socket.create_connection(("127.0.0.1", self._to), timeout=5)
                hub.settimeout(None)
            except OSError:
                self.requests[whose] += 1  # it tried
                client.close()
                continue
            self._open |= {client, hub}
            for here, there, counted in ((client, hub, whose), (hub, client, "")):
                threading.Thread(target=self._carry, args=(here, there, counted), daemon=True).start()

    def _carry(self, here: socket.socket, there: socket.socket, whose: str) -> None:
        with suppress(OSError):
            while data := here.recv(65536):
                if whose and data.startswith(METHODS):
                    self.requests[whose] += 1
                there.sendall(data)
        for one in (here, there):
            self._open.discard(one)
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


class Machine:
    """One person's machine: its home, its commands and the programs that stay."""

    def __init__(self, name: str, place: Path, port: int) -> None:
        self.name, self.home = name, place / name
        self.home.mkdir()
        self.su_home = self.home / ".solo-unicorn"
        self.environment = environment_of(self.home, self.su_home)
        self.program = counted_program(place)
        self.network = Network(port, self._owner)
        self.programs: dict[str, psutil.Process] = {}
        self.pids: dict[int, str] = {}
        self.cpu: dict[int, float] = {}
        self._terminal = -1

    def run(self, *words: str, said: str = "", where: Path | None = None) -> str:
        """A command as the person types it."""
        return typed(self.program, self.environment, *words, said=said, where=where)

    def read(self, *words: str, where: Path | None = None) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.run(*words, "--json", where=where))["data"]

    def start(self) -> None:
        """Service, board on a terminal, and a watch."""
        self.run("workstation", "start", "--background")
        self._mind("service", int(self.read("workstation", "status")["service"]["pid"]))
        pid, self._terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execvpe(self.program[0], self.program, self.environment)
        threading.Thread(target=self._drain, args=(self._terminal,), daemon=True).start()
        self._mind("board", pid)
        self.watch()

    def watch(self) -> None:
        """`sync --watch` in a terminal of its own."""
        with (self.home / "watch.log").open("ab") as out:
            started = subprocess.Popen(
                [*self.program, "sync", "--watch"], env=self.environment, stdout=out, stderr=out, cwd=self.home
            )
        self._mind("watch", started.pid)

    def ended(self, name: str, seconds: float) -> int | None:
        """The exit code of a program that is expected to end by itself; None when it does not."""
        self.count()
        try:
            return self.programs[name].wait(seconds)
        except psutil.TimeoutExpired:
            return None

    def dead(self) -> list[str]:
        """Programs that should run and do not."""
        running = {
            name: one.is_running() and one.status() != psutil.STATUS_ZOMBIE for name, one in self.programs.items()
        }
        return [f"{self.name}'s {name} has ended" for name, runs in running.items() if not runs]

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
        for one in self.programs.values():
            with suppress(psutil.Error):
                times = [each.cpu_times() for each in (one, *one.children(recursive=True))]
                self.cpu[one.pid] = sum(each.user + each.system for each in times)

    def used(self) -> Iterator[tuple[str, float, int, int]]:
        """(program, CPU seconds, write transactions, requests) of each; the commands have no CPU seconds."""
        transactions: Counter[str] = Counter()
        for file in (self.home / "counts").iterdir():
            transactions[self.pids.get(int(file.name), COMMANDS)] += file.stat().st_size
        for name in (*self.programs, COMMANDS):
            cpu = sum(used for pid, used in self.cpu.items() if self.pids[pid] == name)
            yield f"{self.name} {name}", cpu, transactions[name], self.network.requests[name]

    def stop(self) -> None:
        """End what was started, by its ids."""
        for name, one in self.programs.items():
            with suppress(psutil.Error):
                if name != "service":
                    one.send_signal(signal.SIGTERM)
                    one.wait(15)
        with suppress(WentWrong):
            self.run("workstation", "stop", "--force")
        with suppress(OSError):
            os.close(self._terminal)

    def _mind(self, name: str, pid: int) -> None:
        self.programs[name], self.pids[pid] = psutil.Process(pid), name

    def _owner(self, port: int) -> str:
        for name, one in list(self.programs.items()):
            with suppress(psutil.Error):
                if any(each.laddr.port == port for each in one.net_connections("tcp4")):
                    return name
        return COMMANDS

    @staticmethod
    def _drain(terminal: int) -> None:
        with suppress(OSError):
            while select.select([terminal], [], []) and os.read(terminal, 65536):
                pass


class HubProgram:
    """The hub, killed and started anew; its CPU seconds are added up over its lives."""

    def __init__(self, place: Path) -> None:
        self.data = place / "hub"
        self.data.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.cpu = 0.0
        self._process: psutil.Popen | None = None
        self._program = counted_program(place)
        self._environment = environment_of(self.data, self.data / ".solo-unicorn")

    def command(self, *words: str) -> str:
        """`solo-unicorn hub …`, as its operator types it."""
        return typed(self._program, self._environment, "hub", *words)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with (self.data / "out.log").open("ab") as out:
            self._process = psutil.Popen(
                [*self._program, "hub", "--port", str(self.port)], env=self._environment, stdout=out, stderr=out
            )
        until = time.monotonic() + 60
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                return
            time.sleep(0.1)
        raise WentWrong(f"the hub did not start: {(self.data / 'out.log').read_text()[-500:]}")

    def end(self, how: signal.Signals) -> None:
        """Send the signal, and wait."""
        if self._process is not None and self._process.poll() is None:
            times = self._process.cpu_times()
            self.cpu += times.user + times.system
            self._process.send_signal(how)
            self._process.wait(30)

    @property
    def transactions(self) -> int:
        """Write transactions of all its lives."""
        return sum(file.stat().st_size for file in (self.data / "counts").iterdir())

    def read(self, token: str, path: str) -> Any:
        """What it answers to a GET below /api/v1."""
        request = Request(f"http://127.0.0.1:{self.port}/api/v1{path}", headers={"authorization": f"Bearer {token}"})
        with urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def every(self, token: str, path: str) -> list[Any]:
        """All rows of a list, page by page."""
        found, after = list[Any](), ""
        while True:
            page = self.read(token, f"{path}{'&' if '?' in path else '?'}limit=200{after and f'&after={after}'}")
            found += page["items"]
            if not page.get("nextAfter"):
                return found
            after = page["nextAfter"]
