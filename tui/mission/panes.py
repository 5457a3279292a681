"""The quiet parts of the mission room: overview, plan, dependencies, history."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Container, Vertical

from ..kit.document import Document
from ..kit.lines import Lines
from ..kit.marks import Marks
from .data import MissionData
from .rows import criterion_rows, dependency_rows, fact_rows, history_rows, task_rows


class Pane(Protocol):
    """A part of the mission room."""

    async def show(self, data: MissionData, now: datetime) -> None:
        """Show the mission as it is now."""


class Overview(Container):
    """What is wanted, where it stands, and what matters now."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="overview")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """Text with its acceptance criteria beside the facts, below them on a narrow screen."""
        criteria = Lines(self.marks, cursor=True, id="criteria")
        criteria.border_title = "Acceptance criteria"
        with Vertical(id="wanted"):
            yield Document(id="description")
            yield criteria
        yield Lines(self.marks, id="facts")

    async def show(self, data: MissionData, now: datetime) -> None:
        mission = data.mission
        parts = [mission.description or "*No description. `e` adds one.*"]
        if mission.spec:
            parts.append(f"## Specification\n\n{mission.spec}")
        self.query_one("#facts", Lines).set_rows(fact_rows(data, self.marks, now))
        checks = self.query_one("#criteria", Lines)
        checks.display = bool(data.criteria)
        checks.set_rows(criterion_rows(data, self.marks))
        met = sum(one.met for one in data.criteria)
        checks.border_title = f"Acceptance criteria  {met}/{len(data.criteria)}"
        checks.border_subtitle = f"w, then {self.marks.enter} ticks"
        await self.query_one(Document).show("\n\n".join(parts))


class Plan(Vertical):
    """Tasks and the solution that the agent wrote down."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="plan")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """Tasks above, solution below."""
        yield Lines(self.marks, id="tasks", empty="No tasks yet. The agent will split its plan into tasks.")
        yield Document(id="solution")

    async def show(self, data: MissionData, now: datetime) -> None:
        rows = task_rows(data.mission, self.marks)
        tasks = self.query_one("#tasks", Lines)
        tasks.set_rows(rows)
        tasks.styles.height = min(max(3, len(rows) + 1), 14)
        await self.query_one(Document).show(data.mission.solution or "*There is no solution yet.*")


class Dependencies(Vertical):
    """What this mission waits for, and what waits for it."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="dependencies")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """One list; Enter goes to the other mission."""
        yield Lines(self.marks, cursor=True, empty="It blocks no missions, and none block it.", id="links")

    async def show(self, data: MissionData, now: datetime) -> None:
        self.query_one(Lines).set_rows(dependency_rows(data, self.marks, now))


class History(Vertical):
    """Everything that happened, newest first."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="history")
        self.marks = marks

    def compose(self) -> ComposeResult:
        yield Lines(self.marks, id="events")

    async def show(self, data: MissionData, now: datetime) -> None:
        self.query_one(Lines).set_rows(history_rows(data, self.marks, now))
