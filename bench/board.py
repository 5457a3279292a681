"""How fast the board is, on a real pseudo-terminal, as ratios to an empty Textual application in the same run.

    python bench/board.py [--missions 10000] [--runs 9] [--json]

Each round starts the empty application, the board with 100 missions and the board with many, in turn, so that a busy
machine slows all of them. What they write is time-stamped as it arrives and replayed through a terminal emulator
afterwards, so that the emulator is not on the clock.

First paint: from exec until the first cards of all five columns stand on the screen at once, and stay there. The board
draws that frame before Textual is imported, so it is not the whole truth; hence
Interactive: from exec until a key that was typed as soon as something stood there has been answered on the screen.
Key to paint: from the key until the last byte of what it changed.
Transcript: CPU of the board while it shows a session whose agent says 200 lines a second.
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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyte

from solo_unicorn.missions.entities import SYSTEM, service_of
from solo_unicorn.workspace import operations, queries

WIDTH, HEIGHT = 160, 45
KEYS = 40
LINES_A_SECOND, TRANSCRIPT_SECONDS = 200, 15.0
BOUNDS: list[tuple[str, str, float | None]] = [
    ("first paint, × that of the empty one", "first paint ratio", 1.25),
    ("first paint, × that with 100 missions", "to 100", 1.1),
    ("first answer to a key, × the empty one's", "interactive ratio", None),
    ("key to settled paint, × the empty one's", "key ratio", 1.5),
    ("key to settled paint, 95th percentile, ms", "key p95 ms", 16),
    ("bytes written for a key", "bytes per key", 2000),
    ("memory, MB", "rss MB", 60),
    ("a transcript at 200 lines/s, % of a core", "transcript % of a core", 35),
]
"""What is printed at the end: its name, its figure, and the most it may be."""
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
CARDS = [f"{name} mission 0" for name in ("todo", "doing", "review", "done", "loop")]
BOARD_APP = "from solo_unicorn.tui.start.open_board import open_board; open_board(serve=False)"


@dataclass
class Run:
    """What one start of a program showed."""

    first_paint: float
    interactive: float = 0.0
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

    def times_of(self, *wanted: Callable[[list[str]], bool]) -> list[float]:
        """Milliseconds from the start until the screen was like this, for each in turn."""
        screen = pyte.Screen(WIDTH, HEIGHT)
        stream = pyte.ByteStream(screen)
        times: list[float] = []
        for at, chunk in self.chunks:
            stream.feed(chunk)
            while len(times) < len(wanted) and wanted[len(times)](screen.display):
                times.append((at - self.started) * 1000)
        if len(times) < len(wanted):
            raise SystemExit("what was waited for never came on the screen:\n" + "\n".join(screen.display))
        return times

    def wait_for(self, wanted: Callable[[list[str]], bool], deadline: float = 20.0) -> None:
        """Listen until the screen is like this."""
        screen = pyte.Screen(WIDTH, HEIGHT)
        stream = pyte.ByteStream(screen)
        for _, chunk in self.chunks:
            stream.feed(chunk)
        end = time.perf_counter() + deadline
        while not wanted(screen.display):
            if time.perf_counter() > end:
                raise SystemExit("what was waited for never came on the screen:\n" + "\n".join(screen.display))
            stream.feed(self.listen(0.1))


def has(*words: str) -> Callable[[list[str]], bool]:
    """All the words are on the screen."""
    return lambda lines: all(any(word in line for line in lines) for word in words)


def moved(lines: list[str]) -> bool:
    """The cursor stands on the second card, and the columns are still there."""
    framed = next((line for line in lines if line.startswith("│")), "")
    return "todo mission 1" in framed and has(*CARDS)(lines)


Program = tuple[str, Path | None, Callable[[list[str]], bool], Callable[[list[str]], bool]]
"""A script, its home, what its first screen shows, and what it shows once `j` was answered."""


def environment_for(home: Path | None) -> dict[str, str]:
    """A terminal with all colours, and the home."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    environment.pop("NO_COLOR", None)
    if home is not None:
        environment |= {"SOLO_UNICORN_HOME": str(home), "SOLO_UNICORN_RUNTIME_DIR": str(home / "run")}
    return environment


def measure(program: Program) -> Run:
    """One start, its first paint, the first key, and a row of keys."""
    script, home, painted, answered = program
    terminal = Terminal(script, environment_for(home))
    try:
        while not terminal.chunks:
            if not terminal.listen(20.0):
                raise SystemExit("nothing came within twenty seconds")
        os.write(terminal.master, b"j")
        terminal.settle(quiet=1.5)
        first_paint, interactive = terminal.times_of(painted, answered)
        run = Run(first_paint, interactive)
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


def transcript_load(home: Path, seconds: float) -> float:
    """Per cent of a core that the board takes while an agent says LINES_A_SECOND lines a second on its screen."""
    run_dir = start_session(home)
    terminal = Terminal(BOARD_APP, environment_for(home))
    try:
        terminal.wait_for(has("talks a lot"))
        terminal.settle(quiet=0.7)
        for key in (b"l", b"\r"):
            terminal.key(key)
            terminal.settle(quiet=0.5)
        process = psutil.Process(terminal.pid)
        with (run_dir / "transcript.jsonl").open("a") as file:
            begun = time.perf_counter()
            spent = sum(process.cpu_times()[:2])
            for number in range(int(seconds * LINES_A_SECOND)):
                file.write(said(number))
                file.flush()
                while (left := begun + number / LINES_A_SECOND - time.perf_counter()) > 0:
                    terminal.listen(left)
            taken = (sum(process.cpu_times()[:2]) - spent) / (time.perf_counter() - begun) * 100
        terminal.wait_for(has(f"line {number} of"))
        return taken
    finally:
        terminal.close()


def start_session(home: Path) -> Path:
    """A mission that runs, without a host: its run directory."""
    from solo_unicorn.missions.entities import CodeAgent
    from solo_unicorn.missions.rules.creating import MissionDraft
    from solo_unicorn.workspace.workspace import Workspace

    with Workspace.open(home / "workspace.db") as workspace:
        agent = CodeAgent("claude", "claude", "Claude Code", binary="/bin/true", state="ready")
        workspace.write_as(SYSTEM, operations.workstation.set_agents, [agent])
        project = workspace.read(queries.projects.list_all)[0]
        repository = workspace.write(operations.projects.add_repository, project.id, "repository", local_path=str(home))
        mission = workspace.write(
            operations.missions.create,
            project.id,
            MissionDraft(title="talks a lot", list="doing", project_repository_id=repository.id),
        )
        workspace.write(operations.missions.move, mission.id, "doing", top=True)
        workspace.write(operations.missions.set_ready, mission.id, True)
        here = operations.workstation.this_machine(workspace).id
        session = workspace.write_as(
            SYSTEM, operations.dispatch.claim, mission.id, session_id="S" + "0" * 25, agent=agent, workstation_id=here
        )
        workspace.write_as(
            service_of(session.id),
            operations.sessions.begin,
            session.id,
            host_pid=1,
            worktree_path=str(home),
            branch="work",
            base_commit="0" * 40,
        )
    run_dir = home / "runs" / session.id
    run_dir.mkdir(parents=True)
    (run_dir / "launch.json").write_text(json.dumps({"parser": "claude"}))
    return run_dir


def said(number: int) -> str:
    """A line of the transcript as the session host writes it."""
    words = f"line {number} of what an agent says, about as long as what agents say is on the whole"
    message = {"id": f"m{number}", "role": "assistant", "content": [{"type": "text", "text": words}]}
    line = json.dumps({"type": "assistant", "message": message})
    return json.dumps({"t": time.time(), "s": "out", "l": line}) + "\n"


def fill(home: Path, missions: int) -> None:
    """A workspace with that many missions over the five lists."""
    from solo_unicorn.missions.entities import LISTS, USER
    from solo_unicorn.missions.rules.creating import MissionDraft
    from solo_unicorn.workspace import operations
    from solo_unicorn.workspace.workspace import Workspace

    (home / "run").mkdir(parents=True, exist_ok=True)
    with Workspace.open(home / "workspace.db") as workspace:
        project = workspace.write(operations.projects.create, "bench")
        with workspace._change(USER) as change:  # one transaction for all: only a benchmark makes so many
            for number in range(missions):
                in_list = LISTS[number % len(LISTS)]
                title = f"{in_list} mission {number // len(LISTS)} with a title of some length"[: 30 + number % 40]
                operations.missions.create(
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
        programs: dict[str, Program] = {"empty": (EMPTY_APP, None, has("nothing here"), has("pressed 1"))}
        programs |= {f"board {count}": (BOARD_APP, home, has(*CARDS), moved) for count, home in homes.items()}
        measured: dict[str, list[Run]] = {name: [] for name in programs}
        for program in programs.values():
            measure(program)  # warm the disk and the byte code
        for _ in range(runs):
            for name, program in programs.items():
                measured[name].append(measure(program))
        load = transcript_load(homes[100], TRANSCRIPT_SECONDS)
    figures = {name: summary(found) for name, found in measured.items()}
    empty = figures["empty"]
    for name, found in figures.items():
        if name != "empty":
            rounds = list(zip(measured[name], measured["empty"], strict=True))
            found["first paint ratio"] = statistics.median(one.first_paint / floor.first_paint for one, floor in rounds)
            found["interactive ratio"] = statistics.median(one.interactive / floor.interactive for one, floor in rounds)
            found["key ratio"] = found["key median ms"] / empty["key median ms"]
    many, few = measured[f"board {missions}"], measured["board 100"]
    figures[f"board {missions}"] |= {
        "to 100": statistics.median(one.first_paint / other.first_paint for one, other in zip(many, few, strict=True)),
        "transcript % of a core": load,
    }
    return figures


def summary(runs: list[Run]) -> dict[str, float]:
    """The figures of one program."""
    keys = sorted(took for run in runs for took in run.keys)
    return {
        "first paint ms": min(run.first_paint for run in runs),
        "first paint median ms": statistics.median(run.first_paint for run in runs),
        "interactive median ms": statistics.median(run.interactive for run in runs),
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
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures = compare(chosen.missions, chosen.runs)
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return
    for name, found in figures.items():
        print(f"{name:<14}" + "  ".join(f"{key} {value:.2f}" for key, value in found.items()))
    many = figures[f"board {chosen.missions}"]
    print(f"\nwith {chosen.missions} missions, beside an empty Textual application in the same rounds:")
    kept = [report(name, many[key], bound) for name, key, bound in BOUNDS]
    sys.exit(0 if all(kept) else 1)


def report(name: str, value: float, bound: float | None) -> bool:
    """Print a figure beside its bound; whether it holds."""
    print(f"  {name:<44}{value:8.2f}" + (f"   (at most {bound:g})" if bound is not None else ""))
    return bound is None or value <= bound


if __name__ == "__main__":
    main()
