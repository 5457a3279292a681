"""The parts of one running hub process, and where further parts join."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from .bus import Bus
from .identity import Identity
from .permissions import Permissions
from .settings import HubSettings
from .signin.keys import Keys
from .storage.database import Database


class Part(Protocol):
    """Something that starts and stops with the hub: rooms, orchestrator, housekeeping."""

    async def start(self) -> None:
        """Called once the database is ready, in the order in which parts were added."""

    async def stop(self) -> None:
        """Called in the opposite order."""


@dataclass(slots=True)
class Hub:
    """`app.state.hub`."""

    settings: HubSettings
    database: Database
    identity: Identity
    permissions: Permissions
    bus: Bus
    keys: Keys
    parts: list[Part] = field(default_factory=list)
    epoch: int = 1
    """What an operator raises after a restore; part of every cursor (hub/storage/epoch.py)."""
