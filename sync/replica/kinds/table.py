"""Which class a row of the outbox belongs to."""

from __future__ import annotations

from typing import Final

from ....workspace.change import Change
from ....workspace.sync_state import base
from ....workspace.sync_state.outbox import OutboxEntry
from ..capabilities import FULL, Capabilities
from .files import Files
from .kind import Kind
from .missions import Missions
from .notes import Notes
from .parts import Memory, Parts

KINDS: Final[dict[base.Kind, type[Kind]]] = {
    "mission": Missions,
    "note": Notes,
    "file": Files,
    "memory": Memory,
    "project": Parts,
    "flow": Parts,
    "actor": Parts,
    "repository": Parts,
}


def kind_of(change: Change, entry: OutboxEntry, can: Capabilities = FULL) -> Kind:
    """A row as what it is about."""
    return KINDS[entry.about](change, entry, can)
