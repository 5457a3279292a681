"""What `get_context` answers, read: facts in the first line as JSON, then sections of Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ...missions.entities import JsonObject
from ...missions.texts.fencing import unfenced

SECTIONS = (
    "Now",
    "Feedback of the reviewer",
    "Line comments",
    "Landing",
    "Your question",
    "The person's answer",
    "Description",
    "Specification",
    "Solution so far",
    "Links",
    "Project memory: index",
)


@dataclass(frozen=True, slots=True)
class Briefing:
    """The mission as the agent sees it."""

    mission: str
    title: str
    list: str
    stage: str
    stages: tuple[str, ...]
    branch: str
    target_branch: str
    tasks: tuple[str, ...]
    finished: int
    description: str
    feedback: str | None
    """What the reviewer wants changed; None when nothing was sent back."""
    answer: str | None
    """The person's answer to the question asked last."""
    landing_error: str | None
    """Why the work could not be landed; names the conflicting files."""

    landing: bool
    """Whether the last stage is finished and the work is being landed."""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do."""
        return self.landing or self.list in ("review", "done")


def read_briefing(text: str) -> Briefing:
    """The answer of `get_context`; raises ValueError for one that is not about a mission."""
    first, _, rest = text.partition("\n")
    facts = json.loads(first)
    if not isinstance(facts, dict) or "stage" not in facts or "id" not in facts:
        raise ValueError("get_context named no mission; this run's token is bound to none")
    sections = _sections(rest)
    tasks, finished = _tasks(facts)
    rejected = facts.get("review") == "rejected"
    return Briefing(
        mission=str(facts["id"]),
        title=str(facts.get("title", "")),
        list=str(facts.get("list", "")),
        stage=str(facts["stage"]),
        stages=_names(facts.get("stages")) or (str(facts["stage"]),),
        branch=str(facts.get("branch", "")),
        target_branch=str(facts.get("targetBranch", "")),
        tasks=tasks,
        finished=finished,
        description=sections.get("Description", ""),
        feedback=sections.get("Feedback of the reviewer") if rejected else None,
        answer=sections.get("The person's answer"),
        landing=facts.get("landing") in ("queued", "landing"),
        landing_error=str(facts["landingError"]) if facts.get("landingError") else None,
    )


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _sections(text: str) -> dict[str, str]:
    """Text by heading. The first of a name counts: a description may hold headings of its own."""
    names = "|".join(re.escape(name) for name in SECTIONS)
    parts = re.split(rf"^## ({names})[ \t]*$", text, flags=re.MULTILINE)
    found: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        found.setdefault(name, unfenced(body).strip())
    return found


def _tasks(facts: JsonObject) -> tuple[tuple[str, ...], int]:
    titles: list[str] = []
    finished = 0
    listed = facts.get("tasks")
    for task in listed if isinstance(listed, list) else []:
        if isinstance(task, dict):
            titles.append(str(task.get("title", "")))
            finished += bool(task.get("finished"))
    return tuple(titles), finished
