"""The preview beside the board: what the mission under the cursor is about, without going in."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical

from ...missions.ids import short_id
from ..kit.lines import Lines, Row, row
from ..kit.marks import UNICODE, Marks
from ..mission.data import MissionData
from ..mission.rows import fact_rows

NOTES = 4
"""The newest notes that are shown."""


class Preview(Vertical):
    """A list of lines about one mission."""

    def __init__(self, marks: Marks = UNICODE) -> None:
        super().__init__(id="preview")
        self.marks = marks

    def compose(self) -> ComposeResult:
        yield Lines(self.marks, empty="No mission here.", id="preview-lines")

    def show(self, rows: list[Row]) -> None:
        """Show these, from the top."""
        for lines in self.query(Lines):  # none while it comes or goes
            if rows == lines.rows:
                continue
            lines.set_rows(rows)
            lines.scroll_to(y=0, animate=False, force=True, immediate=True)


def preview_rows(data: MissionData, marks: Marks, now: datetime) -> list[Row]:
    """Title, what it is about, and all the facts."""
    mission = data.mission
    rows = [row((f"{short_id(mission.number)}  ", "number"), (mission.title, "title"), indent=6), row("")]
    rows += fact_rows(data, marks, now)
    url = mission.github_pr_url
    if url:
        rows += [row(""), row(("pull request  ", "faint"), (url, f"link {url}"), indent=2)]
    for heading, text in (("Description", mission.description), ("Summary", mission.stage_summary)):
        if text:
            rows += [row(""), row((heading, "strong")), *(row(line) for line in text.splitlines())]
    notes = [event for event in reversed(data.history) if event.kind.startswith("noted_")][:NOTES]
    if notes:
        rows += [row(""), row(("Notes", "strong")), *(row(event.note) for event in notes)]
    return rows
