"""How entities look on the command line: JSON by their wire names, and the words for columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from ..missions.entities import Json, JsonObject, LandingStatus, Mission
from ..missions.ids import short_id
from ..missions.wire import to_wire


def ref(mission: Mission) -> str:
    """M-42."""
    return short_id(mission.number)


def mission_json(mission: Mission, **more: Json) -> JsonObject:
    """A mission by its wire names, with the short id people use."""
    return {"ref": ref(mission), **to_wire(mission), **more}


LANDING: Final[dict[LandingStatus, str]] = {
    "queued": "landing",
    "landing": "landing",
    "pull_request": "pull request",
    "failed": "landing failed",
}


def state(mission: Mission, *, waits: bool = False) -> str:
    """What matters most about a mission now, in a word or two; `waits`: its agent waits for a person's permission."""
    match mission:
        case Mission(agent_session_status="ACTIVE") if waits:
            return "waits for you"
        case Mission(agent_session_status="ACTIVE"):
            return "running"
        case Mission(agent_session_status="PUSHING"):
            return "starting"
        case Mission(question=str()):
            return "question"
        case Mission(review_status="pending"):
            return "review"
        case Mission(landing_status=str() as landing):
            return LANDING[landing]
        case Mission(attention=str()):
            return "attention"
        case Mission(list="done"):
            return "done"
        case Mission(dependency_count=count) if count:
            return "blocked"
        case Mission(ready=True, project_repository_id=None):
            return "no repository"
        case Mission(ready=True):
            return "ready"
        case _:
            return "-"


def tasks(mission: Mission) -> str:
    """3/5."""
    return f"{mission.tasks_current}/{len(mission.tasks)}" if mission.tasks else "-"


def at(moment: datetime | None) -> str:
    """A time in the person's own zone; empty for None."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def at_wire(moment: datetime | None) -> str | None:
    """A time as JSON has it: UTC, ISO 8601 with Z."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def since(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, in one unit: 12 min."""
    seconds = max(0, int(((now or datetime.now(UTC)) - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
