"""What a command takes from Enter to the prompt, as CPU time beside the least a Python program with a database takes.

    python bench/cli.py [--missions 100] [--rounds 40]

The floor is `python -c "import sqlite3"` of the same environment, `python -c pass` what of it is the interpreter. Each
round runs every command once, in turn, so that a busy machine slows all of them; the figure is the median of the time
in the process (user and system), which counts no waiting for a turn. All is compiled first.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

PROGRAM = str(Path(sys.executable).with_name("solo-unicorn"))
FLOOR = "import sqlite3"
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "pass": ([sys.executable, "-c", "pass"], None),
    FLOOR: ([sys.executable, "-c", FLOOR], None),
    "--version": ([PROGRAM, "--version"], 1.1),
    "mission list": ([PROGRAM, "mission", "list"], 2.2),
    "mission list, all of them": ([PROGRAM, "mission", "list", "--limit", "0"], None),
    "mission list --json": ([PROGRAM, "mission", "list", "--json"], None),
    "mission show M-1": ([PROGRAM, "mission", "show", "M-1"], None),
}
"""What is run, and the most it may take of the floor."""


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}")
    return used.ru_utime + used.ru_stime


def fill(missions: int) -> None:
    """One project with so many missions, in the home that the environment names."""
    with Workspace.open() as workspace:
        project = workspace.write(operations.projects.create, "Bench")
        for number in range(missions):
            workspace.write(operations.missions.create, project.id, MissionDraft(title=f"Mission {number}"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--missions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as home:
        os.environ["SOLO_UNICORN_HOME"] = home
        fill(options.missions)
        for command, _ in COMMANDS.values():
            cpu_seconds(command)
        taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(options.rounds):
            for name, (command, _) in COMMANDS.items():
                taken[name].append(cpu_seconds(command))
    floor = statistics.median(taken[FLOOR])
    print(f"{'':28}{'ms':>8}{'× floor':>10}{'at most':>10}")
    for name, (_, most) in COMMANDS.items():
        middle = statistics.median(taken[name])
        print(f"{name:28}{middle * 1000:8.1f}{middle / floor:10.2f}{f'{most:g}' if most else '':>10}")


if __name__ == "__main__":
    main()
