"""How fast the board is, on a real pseudo-terminal, as ratios to an empty Textual application in the same run.

    python bench/board.py [--missions 10000] [--runs 5] [--json]

Each round starts the empty application, the board with 100 missions and the board with many, in turn, so that a busy
machine slows all of them. What they write is time-stamped as it arrives and replayed through a terminal emulator
afterwards, so that the emulator is not on the clock. First paint: from exec until the text of the first and of the last
column is on the screen. Key to paint: from the key until the last byte of what it changed.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyte

WIDTH, HEIGHT = 160, 45
KEYS = 40
QUIET_SECONDS = 0.06
"""No byte for this long: the paint has settled."""
EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    BINDINGS = [("j,k", "press", "press")]
    count = 0
    def compose(self):
        yield Static("nothing here", id="text")
    def action_press(self):
        self.count += 1
        self.query_one("#text").update(f"pressed {self.count}")
Empty().run()
"""
BOARD_APP = "from solo_unicorn.tui.start import open_board; open_board(serve=False)"


@dataclass
class Run:
    """What one start of a program showed."""

    first_paint: float
    keys: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    cpu: float = 0.0
    """CPU milliseconds per key."""
    memory: float = 0.0


class Terminal:
    """A program on a pseudo-terminal whose output is kept with the time at which it came."""

    def __init__(self, script: str, environment: dict[str, str]) -> None:
        self.started = time.perf_counter()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-c", script], environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.chunks: list[tuple[float, bytes]] = []

    def listen(self, seconds: float) -> bytes:
        """What comes within this time, at most one chunk."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            chunk = os.read(self.master, 1 << 16)
        except OSError:
            return b""
        self.chunks.append((time.perf_counter(), chunk))
        return chunk

    def settle(self, quiet: float = QUIET_SECONDS, deadline: float = 10.0) -> None:
        """Listen until nothing comes for a while."""
        end = time.perf_counter() + deadline
        while time.perf_counter() < end and self.listen(quiet):
            pass

    def key(self, key: bytes) -> tuple[float, int]:
        """Press a key: milliseconds until its last byte, and how many bytes it was."""
        before = len(self.chunks)
        pressed = time.perf_counter()
        os.write(self.master, key)
        if not self.listen(5.0):
            raise SystemExit("a key was not answered within five seconds")
        self.settle()
        came = self.chunks[before:]
        return (came[-1][0] - pressed) * 1000, sum(len(chunk) for _, chunk in came)

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)

    def time_of(self, words: list[str]) -> float:
        """Milliseconds from the start until all the words were on the screen."""
        screen = pyte.Screen(WIDTH, HEIGHT)
        stream = pyte.ByteStream(screen)
        for at, chunk in self.chunks:
            stream.feed(chunk)
            shown = "\n".join(screen.display)
            if all(word in shown for word in words):
                return (at - self.started) * 1000
        raise SystemExit(f"{words} never came on the screen:\n" + "\n".join(screen.display))


def measure(script: str, home: Path | None, words: list[str]) -> Run:
    """One start, its first paint and a row of keys."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    environment.pop("NO_COLOR", None)
    if home is not None:
        environment |= {"SOLO_UNICORN_HOME": str(home), "SOLO_UNICORN_RUNTIME_DIR": str(home / "run")}
    terminal = Terminal(script, environment)
    try:
        while not any(b"nothing here" in chunk or words[-1].encode() in chunk for _, chunk in terminal.chunks[-3:]):
            if not terminal.listen(20.0):
                raise SystemExit("nothing came within twenty seconds")
        terminal.settle(quiet=0.7)
        run = Run(terminal.time_of(words))
        process = psutil.Process(terminal.pid)
        spent = sum(process.cpu_times()[:2])
        for number in range(KEYS):
            took, size = terminal.key(b"j" if number // 10 % 2 == 0 else b"k")
            run.keys.append(took)
            run.sizes.append(size)
        run.cpu = (sum(process.cpu_times()[:2]) - spent) * 1000 / KEYS
        run.memory = process.memory_info().rss / 1e6
        return run
    finally:
        terminal.close()


def fill(home: Path, missions: int) -> None:
    """A workspace with that many missions over the five lists."""
    from solo_unicorn.missions.creating import MissionDraft
    from solo_unicorn.missions.entities import LISTS, USER
    from solo_unicorn.sync.missions import create_in
    from solo_unicorn.sync.workspace import Workspace

    (home / "run").mkdir(parents=True, exist_ok=True)
    with Workspace.open(home / "workspace.db") as workspace:
        project = workspace.create_project("bench")
        with workspace._change(USER) as change:  # one transaction for all: only a benchmark makes so many
            for number in range(missions):
                in_list = LISTS[number % len(LISTS)]
                title = f"{in_list} mission {number // len(LISTS)} with a title of some length"[: 30 + number % 40]
                create_in(
                    change,
                    project.id,
                    MissionDraft(title=title, priority=1 + number % 5, list=in_list, is_loop=in_list == "loop"),
                )


def compare(missions: int, runs: int) -> dict[str, dict[str, float]]:
    """The figures of each program, and the ratios to the empty application: for the first paint the median over the
    rounds, in each of which both were started one after the other.
    """
    with tempfile.TemporaryDirectory(prefix="su-") as directory:
        homes = {count: Path(directory) / str(count) for count in (100, missions)}
        for count, home in homes.items():
            fill(home, count)
        words = ["todo mission 0", "loop mission 0"]
        programs = [("empty", EMPTY_APP, None, ["nothing here"])]
        programs += [(f"board {count}", BOARD_APP, home, words) for count, home in homes.items()]
        measured: dict[str, list[Run]] = {name: [] for name, *_ in programs}
        for program in programs:
            measure(*program[1:])  # warm the disk and the byte code
        for _ in range(runs):
            for name, *program in programs:
                measured[name].append(measure(*program))
    figures = {name: summary(found) for name, found in measured.items()}
    empty = figures["empty"]
    for name, found in figures.items():
        if name != "empty":
            rounds = zip(measured[name], measured["empty"], strict=True)
            found["first paint ratio"] = statistics.median(
                board.first_paint / floor.first_paint for board, floor in rounds
            )
            found["key ratio"] = found["key median ms"] / empty["key median ms"]
    return figures


def summary(runs: list[Run]) -> dict[str, float]:
    """The figures of one program."""
    keys = sorted(took for run in runs for took in run.keys)
    return {
        "first paint ms": min(run.first_paint for run in runs),
        "first paint median ms": statistics.median(run.first_paint for run in runs),
        "key median ms": statistics.median(keys),
        "key p95 ms": keys[int(len(keys) * 0.95)],
        "key cpu ms": statistics.median(run.cpu for run in runs),
        "bytes per key": statistics.median(size for run in runs for size in run.sizes),
        "rss MB": statistics.median(run.memory for run in runs),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures = compare(chosen.missions, chosen.runs)
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return
    for name, found in figures.items():
        print(f"{name:<14}" + "  ".join(f"{key} {value:.2f}" for key, value in found.items()))
    ratio = figures[f"board {chosen.missions}"]["first paint ratio"]
    print(f"\nfirst paint with {chosen.missions} missions: {ratio:.2f} × an empty Textual application (bound 1.5)")
    sys.exit(0 if ratio <= 1.5 else 1)


if __name__ == "__main__":
    main()
