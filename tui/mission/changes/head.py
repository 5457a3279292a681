"""The line above the diff: how much of it is reviewed, and whether there is news."""

from __future__ import annotations

from textual.strip import Strip

from ....missions.entities import JsonObject
from ....missions.reading import SAID, Reading, Scope
from ...kit.drawing import Line
from ...kit.paint import Drawn
from .rows import files_of, hunks_of, runs_of


class HeadLine(Drawn):
    """One line."""

    parts: Line = []  # noqa: RUF012 (replaced, never changed)

    def show(self, parts: Line) -> None:
        """Show these parts."""
        if parts != self.parts:
            self.parts = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.draw(self.parts, self.size.width)


def head_parts(diff: JsonObject, reading: Reading, scope: Scope, *, news: bool) -> Line:
    """`this turn   reviewed: files 2/5, hunks 7/12`, and what to press for news."""
    files = files_of(diff)
    hunks = [runs for file in files for hunk in hunks_of(file) if isinstance(runs := hunk.get("runs"), list) and runs]
    done = sum(reading.has(runs_of(file)) for file in files)
    done_hunks = sum(reading.has(str(run) for run in runs) for runs in hunks)
    parts: Line = [(f" {SAID[scope]}   ", "strong")]
    if news:
        parts += [("changed since: ", "wait"), ("R", "key"), (" shows it   ", "wait")]
    if files:
        said = f"reviewed: files {done}/{len(files)}, hunks {done_hunks}/{len(hunks)}"
        parts.append((said, "good" if done == len(files) else "faint"))
    return parts
