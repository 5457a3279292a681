"""What the simulated hub keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from solo_unicorn.sync.replica.messages import Response

Document = dict[str, Any]
RETENTION = 7 * 86_400
EPOCH = 1_780_000_000.0


UPLOADS = "https://files/"
KINDS = ("flows", "actors", "repositories")


@dataclass
class State:
    """What the hub's database holds, and a backup of it would."""

    epoch: int = 1
    seq: int = 0
    missions: dict[str, Document] = field(default_factory=dict)
    creators: dict[str, str] = field(default_factory=dict)
    tombstones: dict[str, int] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    pruned: int = 0
    keys: dict[str, tuple[str, int, Document, float]] = field(default_factory=dict)
    project: Document = field(default_factory=dict)
    project_version: int = 0
    parts: dict[str, dict[str, Document]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    memory: dict[str, Document] = field(default_factory=dict)
    start: int = 0
    """Numbers above this one are of after the last restore."""
    earlier: tuple[range, ...] = ()
    """Numbers of before it that the backup has."""
    history: list[Document] = field(default_factory=list)
    files: dict[str, Document] = field(default_factory=dict)


@dataclass(frozen=True)
class Effect:
    """One change that was made, by one mutation."""

    mutation: str
    mission: str
    kind: str
    before: Document
    after: Document


def error(status: int, code: str, details: Document | None = None) -> Response:
    return Response(status, {}, {"error": {"code": code, "message": code.replace("_", " "), "details": details or {}}})


def copied(value: Any) -> Any:
    return json.loads(json.dumps(value))
