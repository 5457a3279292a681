"""launch.json as the host reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

from .tape import LINE_CAP


@dataclass(frozen=True)
class Launch:
    """launch.json: what to start and when to end it. Times are seconds; None means never."""

    argv: list[str]
    cwd: str
    socket: str
    sandbox: list[str] = field(default_factory=list)
    """What comes before `argv`: the program that holds the agent."""
    environment: dict[str, str] = field(default_factory=dict)
    unset: list[str] = field(default_factory=list)
    stdin: str = ""
    stdin_stays_open: bool = False
    result_types: list[str] = field(default_factory=list)
    """Values of `type` of the JSON line that ends a turn."""
    after_result_seconds: float | None = None
    """Silence after the result after which an agent that is still there is ended."""
    stall_seconds: float | None = None
    tool_seconds: float | None = None
    """How long a process that it started after its last word counts as its life."""
    total_seconds: float | None = None
    stop_grace_seconds: float = 10.0
    line_cap: int = LINE_CAP

    @classmethod
    def read(cls, path: Path) -> Launch:
        """From the file; keys that other readers need are passed over."""
        values = json.loads(path.read_bytes())
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})
