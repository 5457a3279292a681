"""Following somebody through the tutorial: what they did is praised, what comes next is said."""

from __future__ import annotations

from ...workspace import operations
from ..kit.application import Application


async def follow(app: Application, project_id: str) -> None:
    """Look whether a step was done, and say so."""
    lesson = await app.perform(operations.tutorial.follow, project_id)
    if lesson is None or not lesson.finished:
        return
    said = f"Next: {lesson.next}. Its card says how." if lesson.next else "The tutorial is complete. X removes it."
    app.notify(said, title=f"Done: {', '.join(lesson.finished)}", timeout=8, markup=False)
