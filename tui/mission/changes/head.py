"""The line above the diff: how much of it is reviewed, and whether there is news; and the one below it."""

from __future__ import annotations

from textual.strip import Strip

from ....missions.entities import JsonObject
from ....missions.review_marks import SAID, Reading, Scope
from ...kit.drawing import Line
from ...kit.lines import Row, row
from ...kit.marks import Marks
from ...kit.paint import Drawn
from ..data import MissionData
from .model import files_of, hunks_of, runs_of


class HeadLine(Drawn):
    parts: Line = []  # noqa: RUF012 (replaced, never changed)

    def show(self, parts: Line) -> None:
        if parts != self.parts:
            self.parts = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.draw(self.parts, self.size.width)


def head_parts(diff: JsonObject, reading: Reading, scope: Scope, *, news: bool, touring: bool = False) -> Line:
    """`this turn   reviewed: files 2/5, hunks 7/12`, and what to press for news."""
    files = files_of(diff)
    hunks = [runs for file in files for hunk in hunks_of(file) if isinstance(runs := hunk.get("runs"), list) and runs]
    done = sum(reading.has(runs_of(file)) for file in files)
    done_hunks = sum(reading.has(str(run) for run in runs) for runs in hunks)
    parts: Line = [(f" {SAID[scope]}{', as a tour' if touring else ''}   ", "strong")]
    if news:
        parts += [("changed since: ", "wait"), ("R", "key"), (" shows it   ", "wait")]
    if files:
        said = f"reviewed: files {done}/{len(files)}, hunks {done_hunks}/{len(hunks)}"
        parts.append((said, "good" if done == len(files) else "faint"))
    return parts


def verdict_row(data: MissionData, marks: Marks) -> Row | None:
    """What can be decided at the end of the diff, where the review waits for it."""
    if data.mission.review_status != "pending":
        return None
    waiting = sum(one.waits for one in data.comments)
    comments = f" with {waiting} comment{'s' if waiting > 1 else ''}" if waiting else ""
    return row(
        (f"\n{marks.waits} ", "wait"),
        (f"{data.mission.stage} waits for your review: ", "strong"),
        ("a", "key"),
        (" approves  ", ""),
        ("x", "key"),
        (f" sends it back{comments}", ""),
        key="verdict",
        indent=2,
    )
