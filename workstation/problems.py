"""What of a running service does not work, as its status says it and as people are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..missions.entities import Json, JsonObject
from ..missions.records import record

LASTING = 3
"""How often something breaks off in a row before screens speak of it unasked."""


@record
class Problem:
    """Something that broke off and has not worked since."""

    name: str
    why: str
    times: int
    """How often in a row."""
    since: datetime
    again_at: datetime | None
    """When it is tried again; None where that waits for a person or for the next occasion."""

    @property
    def lasting(self) -> bool:
        """Whether it does not seem to pass by itself."""
        return self.times >= LASTING

    @property
    def sentence(self) -> str:
        """What is wrong, since when, and when it is tried again, in the time of this machine."""
        times = "once" if self.times == 1 else f"{self.times} times"
        again = f", next try at {self.again_at.astimezone():%H:%M:%S}" if self.again_at else ""
        return f"{self.why} (failed {times} since {self.since.astimezone():%H:%M:%S}{again})"

    def to_wire(self) -> JsonObject:
        """As the status of the service has it."""
        again = self.again_at.isoformat() if self.again_at else None
        return {
            "name": self.name,
            "why": self.why,
            "times": self.times,
            "since": self.since.isoformat(),
            "again_at": again,
        }


def problems_of(status: Mapping[str, Json]) -> list[Problem]:
    """The problems that the status of a service names; none that an older service does not know of."""
    found = []
    told = status.get("problems")
    for one in told if isinstance(told, list) else []:
        match one:
            case {"name": str(name), "why": str(why), "times": int(times), "since": str(since), "again_at": again}:
                again_at = datetime.fromisoformat(again) if isinstance(again, str) else None
                found.append(Problem(name, why, times, datetime.fromisoformat(since), again_at))
    return found
