"""The sample project of the first start: six missions that show what a board can say. One key removes it."""

from __future__ import annotations

from dataclasses import replace

from ...missions.entities import Mission, Project, Task
from ...missions.operations import missions
from ...missions.rules.creating import MissionDraft
from ..change import Change
from . import projects

NAME = "Sample"


def create(change: Change) -> Project:
    """A project with missions in every list and state worth seeing; nothing in it is ready, so nothing runs."""
    project = projects.create(
        change, NAME, description="A sample to look around in. Press X on the board to remove it.", is_sample=True
    )
    _fill(change, project.id)
    return project


def _fill(change: Change, project_id: str) -> None:
    def add(title: str, description: str, priority: int = 3, **more: object) -> Mission:
        draft = MissionDraft(title=title, description=description, priority=priority)
        return missions.create(change, project_id, replace(draft, **more))  # type: ignore[arg-type]

    tokens = add(
        "Design tokens",
        "Colours and spacing in one place.\n\nBlocks *Dark mode*: press Enter, then look at Dependencies.",
        4,
    )
    dark = add("Dark mode for invoices", "Waits for *Design tokens*; it starts by itself once that is done.")
    missions.link(change, tokens.id, dark.id, "blocks")
    add(
        "Rate-limit the public API",
        "Press Space to make a mission ready: an agent then works on it in its own worktree.",
        5,
    )
    doing = add(
        "Checkout: retry payments",
        "A mission with a plan: the agent ticks its tasks off as it goes.",
        4,
        list="doing",
        stage="code",
    )
    plan = (
        "Find the failing call",
        "One back-off for all callers",
        "Idempotency key",
        "Test with a flaky server",
        "Write it down",
    )
    change.save(doing, replace(doing, tasks=tuple(Task(step) for step in plan), tasks_current=3), "tasks_updated")
    review = add(
        "Search: typo tolerance",
        "Its plan waits for you: Enter opens it, a approves, x rejects with feedback.",
        list="review",
        stage="plan",
    )
    change.save(
        review,
        replace(
            review,
            review_status="pending",
            review_requested_at=change.now,
            stage_summary="Compared three approaches and chose trigram search.",
            to_check="Is one edit per four letters what you want?",
        ),
        "review_requested",
    )
    add("Migrate to Node 22", "Done missions rest here.", list="done", stage="code")
    add(
        "Dependency updates", "A loop mission runs again and again, here at most once a day.", list="loop", is_loop=True
    )
