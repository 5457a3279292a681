"""What the history of a mission shows of a change."""

from __future__ import annotations

from typing import Final

from .entities import Json, Mission
from .wire import changes

UNRECORDED: Final = frozenset({"updatedAt", "version", "agentSessionStatusChangedAt"})
"""Wire fields of bookkeeping, which a history does not show."""


def recorded(before: Mission, after: Mission) -> dict[str, tuple[Json, Json]]:
    """What differs: wire field -> (before, after)."""
    return {name: pair for name, pair in changes(before, after).items() if name not in UNRECORDED}
