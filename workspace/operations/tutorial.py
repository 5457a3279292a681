"""The tutorial: a project of eight steps that notices what somebody has done."""

from __future__ import annotations

import sqlite3
from typing import Final

from ...missions.entities import SYSTEM, Mission, Project
from ...missions.errors import NotFound
from ...missions.operations import missions
from ...missions.records import record, replace
from ...missions.rules.creating import MissionDraft
from ...missions.rules.criteria import criteria
from ...system import strict_json
from .. import lookup
from ..change import Change
from ..workspace import Workspace
from . import projects

NAME: Final = "Tutorial"
META: Final = "tutorial"


@record
class Step:
    """One mission of the tutorial, and the event by which a person does it; without one, its check box is ticked."""

    title: str
    text: str
    event: str = ""
    review: bool = False
    """It stands in Review, and is what the event must be about."""


STEPS: Final = (
    Step(
        "1. Open this card",
        "`Enter` brought you here, `escape` leads back. The line at the bottom always says the keys.\n\n"
        "Now press `w` to get to the check below and `Enter` to tick it.\n\n- [ ] I found the check",
    ),
    Step(
        "2. Write a mission of your own",
        "On the board press `n`, type a title, and `ctrl+s`. A title is all that is needed.",
        "created",
    ),
    Step(
        "3. Move a card",
        "`L` moves the card under the cursor to the list at its right, `H` to the left. Or drag it.",
        "moved",
    ),
    Step(
        "4. Make a mission ready",
        "`space` is the main switch: an agent may take a ready mission, in a worktree of its own. Here nothing runs: "
        "the tutorial has no repository. The card says why it waits.",
        "readied",
    ),
    Step(
        "5. Approve me",
        "An agent has finished a stage and asks for your review. Open the card: *Review* says what to check. "
        "`a` approves.",
        "approved",
        review=True,
    ),
    Step(
        "6. Reject me with feedback",
        "`x` sends work back. Say what to change; the agent goes on in the same conversation with your words.",
        "rejected",
        review=True,
    ),
    Step("7. Take a step back", "`u` undoes what you did last, `ctrl+r` does it again.", "undone"),
    Step(
        "8. Find everything",
        "`?` shows every key of what is open, `ctrl+p` finds any command, mission or project. `M` shows figures, "
        "`w` the workstation, `i` what waits for you, `,` this project.\n\nTick this and the tutorial is over; "
        "`X` on the board removes it.\n\n- [ ] I know where to look",
    ),
)


@record
class Lesson:
    """How far somebody is: what this look found done, and what comes next (None: all is done)."""

    finished: tuple[str, ...]
    next: str | None


def create(change: Change) -> Project:
    """The project with its steps; the sample's key removes it."""
    project = projects.create(change, NAME, description="Learn by doing, in eight steps.", is_sample=True)
    steps = [_step(change, project.id, place, step).id for place, step in enumerate(STEPS)]
    change.connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (META, strict_json.dumps({"project": project.id, "steps": steps})),
    )
    return project


def follow(workspace: Workspace, project: str) -> Lesson | None:
    """Move the steps that somebody has done to Done; None when this project is not the tutorial."""
    told = strict_json.loads(workspace.meta(META) or "{}")
    if told.get("project") != project:
        return None
    finished = []
    upcoming = None
    for step, mission_id in zip(STEPS, told["steps"], strict=True):
        try:
            mission = workspace.read(lookup.mission, mission_id)
        except NotFound:  # deleted: skipped
            continue
        done = mission.list == "done" or workspace.read(_is_done, step, mission, told["steps"])
        if done and mission.list != "done":
            workspace.write_as(SYSTEM, missions.move, mission_id, "done", top=True)
            finished.append(step.title)
        elif not done and upcoming is None:
            upcoming = step.title
    return Lesson(tuple(finished), upcoming)


def _step(change: Change, project_id: str, place: int, step: Step) -> Mission:
    draft = MissionDraft(title=step.title, description=step.text, priority=3)
    if step.review:
        draft = replace(draft, list="review", stage="plan")
    mission = missions.create(change, project_id, draft)
    if not step.review:
        return mission
    asking = replace(
        mission,
        review_status="pending",
        review_requested_at=change.now,
        stage_summary="Read the code and wrote a plan.",
        to_check="Is this the plan you want?",
    )
    return change.save(mission, asking, "review_requested")


def _is_done(connection: sqlite3.Connection, step: Step, mission: Mission, steps: list[str]) -> bool:
    """Whether a person did it: the check is ticked, or the event is there."""
    if not step.event:
        return all(one.met for one in criteria(mission))
    about = "mission_id = ?3" if step.review else "?3 = ?3"
    if step.event == "created":
        about = "mission_id NOT IN (SELECT value FROM json_each(?3))"
    value = strict_json.dumps(steps) if step.event == "created" else mission.id
    found = connection.execute(
        f"SELECT 1 FROM event WHERE project_id = ?1 AND kind = ?2 AND author_kind = 'user' AND {about} LIMIT 1",
        (mission.project_id, step.event, value),
    )
    return found.fetchone() is not None
