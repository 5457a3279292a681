"""The quiet parts of the mission room: overview, plan, dependencies, history."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from textual.app import ComposeResult
from textual.containers import Container, Vertical

from .document import Document
from .lines import Lines
from .marks import Marks
from .mission_data import MissionData
from .mission_rows import banner, dependency_rows, fact_rows, history_rows, task_rows


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
        """Text beside facts, below them on a narrow screen."""
        yield Document(id="description")
        yield Lines(self.marks, id="facts")

    async def show(self, data: MissionData, now: datetime) -> None:
        """See Pane."""
        mission = data.mission
        parts = [mission.description or "*No description. `e` adds one.*"]
        if mission.spec:
            parts.append(f"## Specification\n\n{mission.spec}")
        self.query_one("#facts", Lines).set_rows(fact_rows(data, self.marks, now))
        await self.query_one(Document).show("\n\n".join(parts))


class Plan(Vertical):
    """Tasks and the solution that the agent wrote down."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="plan")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """Tasks above, solution below."""
        yield Lines(self.marks, id="tasks", empty="No tasks yet: the agent cuts its plan into them.")
        yield Document(id="solution")

    async def show(self, data: MissionData, now: datetime) -> None:
        """See Pane."""
        rows = task_rows(data.mission, self.marks)
        tasks = self.query_one("#tasks", Lines)
        tasks.set_rows(rows)
        tasks.styles.height = min(max(3, len(rows) + 1), 14)
        await self.query_one(Document).show(data.mission.solution or "*No solution written down yet.*")


class Dependencies(Vertical):
    """What this mission waits for, and what waits for it."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="dependencies")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """One list; Enter goes to the other mission."""
        yield Lines(self.marks, cursor=True, empty="It waits for nothing, and nothing waits for it.", id="links")

    async def show(self, data: MissionData, now: datetime) -> None:
        """See Pane."""
        self.query_one(Lines).set_rows(dependency_rows(data, self.marks))


class History(Vertical):
    """Everything that happened, newest first."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="history")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """One list."""
        yield Lines(self.marks, id="events")

    async def show(self, data: MissionData, now: datetime) -> None:
        """See Pane."""
        self.query_one(Lines).set_rows(history_rows(data, self.marks, now))


class Review(Vertical):
    """What the agent asks a person to check, and the decision."""

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="review")
        self.marks = marks

    def compose(self) -> ComposeResult:
        """State, text, and the two buttons for the mouse."""
        from textual.containers import Horizontal
        from textual.widgets import Button

        yield Lines(self.marks, id="verdict")
        yield Document(id="to-check")
        with Horizontal(id="decision"):
            yield Button("Approve  (a)", variant="success", id="approve", compact=True)
            yield Button("Reject with feedback  (x)", variant="error", id="reject", compact=True)

    async def show(self, data: MissionData, now: datetime) -> None:
        """See Pane."""
        mission = data.mission
        rows = banner(data, self.marks, now)
        verdict = self.query_one("#verdict", Lines)
        verdict.set_rows(rows)
        self.query_one("#decision").display = mission.review_status == "pending"
        parts = []
        if mission.to_check:
            parts.append(f"## To check\n\n{mission.to_check}")
        if mission.stage_summary:
            parts.append(f"## What it did\n\n{mission.stage_summary}")
        if mission.review_feedback:
            parts.append(f"## Your feedback\n\n{mission.review_feedback}")
        if mission.solution and mission.review_status == "pending":
            parts.append(f"## Solution\n\n{mission.solution}")
        await self.query_one(Document).show("\n\n".join(parts) or "*Nothing was handed over for review yet.*")
