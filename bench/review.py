"""What a long diff takes, as ratios within one run: what the first lines, all lines and a redraw cost beside git.

    python bench/review.py [lines]

The floor is `git diff` of the same worktree. The first lines stand once the rows of all hunks are made with the first
ones coloured; a redraw is what a mark or a comment causes. Aim: a redraw is at most a tenth of the time to colour all.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solo_unicorn.missions.review_marks import Reading
from solo_unicorn.tui.kit.marks import UNICODE
from solo_unicorn.tui.mission.changes.lines import DrawnHunks, batches
from solo_unicorn.tui.mission.changes.places import Look
from solo_unicorn.tui.mission.changes.rows import diff_rows
from solo_unicorn.tui.mission.changes.syntax import coloured
from solo_unicorn.worktrees.diff.differences import mission_diff

ROUNDS = 5
LINES_OF_A_FILE = 500
LOOK = Look(width=120)


def repository(directory: Path, lines: int) -> Path:
    """A checkout in which every other line of its files is another than on main."""
    git = ["git", "-C", str(directory), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(directory)], check=True)
    for number in range(max(1, lines // LINES_OF_A_FILE)):
        told = [f"value_{number}_{line} = compute({line}, 'text')  # note" for line in range(LINES_OF_A_FILE)]
        (directory / f"f{number}.py").write_text("\n".join(told) + "\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "Before"], check=True)
    for file in directory.glob("*.py"):
        told = file.read_text().splitlines()
        file.write_text("\n".join(line.replace("text", "words") if at % 2 else line for at, line in enumerate(told)))
    return directory


def timed(operation: Callable[[], Any]) -> float:
    """Seconds; the median of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        operation()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main(lines: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        top = repository(Path(directory), lines)
        floor = timed(lambda: subprocess.run(["git", "-C", str(top), "diff", "main"], check=True, capture_output=True))
        read = timed(lambda: mission_diff(top, "main"))
        diff: Any = json.loads(json.dumps(mission_diff(top, "main").to_json(Reading("M"))))
    shown = sum(len(hunk["lines"]) for file in diff["files"] for hunk in file["hunks"])

    def draw(known: DrawnHunks) -> None:
        for one in diff_rows(diff, UNICODE, [], LOOK, known):
            one.wrapped(LOOK.width)

    def first() -> None:
        known = DrawnHunks(coloured)
        known.work_out(next(batches(known.missing(diff))))
        draw(known)

    known = DrawnHunks(coloured)
    whole = timed(lambda: DrawnHunks(coloured).work_out(known.missing(diff)))
    known.work_out(known.missing(diff))
    again = timed(lambda: draw(known))
    print(f"{shown} lines of diff in {known.worked_out} hunks; git diff is 1.0")
    for name, seconds in (("read", read), ("first lines", timed(first)), ("all coloured", whole), ("redraw", again)):
        print(f"{name:>14} {seconds / floor:8.1f}")
    print(f"a redraw is {again / whole:.2f} of colouring all of it (aim: at most 0.10)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
