"""The line above the diff: how much of it is reviewed, and whether there is news."""

from __future__ import annotations

from textual.strip import Strip

from ....missions.entities import JsonObject
from ....missions.reading import Reading
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


def head_parts(diff: JsonObject, reading: Reading, *, news: bool) -> Line:
    """`2 of 5 files reviewed, 7 of 12 hunks`, and what to press for news."""
    files = files_of(diff)
    hunks = [runs for file in files for hunk in hunks_of(file) if isinstance(runs := hunk.get("runs"), list) and runs]
    done = sum(reading.has(runs_of(file)) for file in files)
    done_hunks = sum(reading.has(str(run) for run in runs) for runs in hunks)
    parts: Line = [(" ", "")]
    if files:
        said = f"{done} of {len(files)} files reviewed, {done_hunks} of {len(hunks)} hunks"
        parts.append((said, "good" if done == len(files) else "faint"))
    if news:
        parts += [("   the work has changed since: ", "wait"), ("R", "key"), (" shows it", "wait")]
    return parts
