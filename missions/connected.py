"""How connected projects stand, as every screen and command says it."""

from __future__ import annotations

from datetime import datetime

from .records import record


@record
class SyncState:
    """How the connected projects stand; of all of them, or of one."""

    connected: int = 0
    waiting: int = 0
    """Edits that are not at the hub yet."""
    parked: int = 0
    conflicts: int = 0
    offline_since: datetime | None = None
    error: str = ""
    signed_out: tuple[str, ...] = ()
    """Profiles that need a sign-in."""
    synced_at: datetime | None = None
    first_sync: bool = False
    """Nothing was read yet, or everything is read again."""
    read_only: str = ""
    oldest_waiting: datetime | None = None

    @property
    def word(self) -> str:
        """In a few words, the most urgent first; empty for local projects only."""
        if not self.connected:
            return ""
        parts = []
        if self.signed_out:
            parts.append("needs sign-in")
        if self.offline_since is not None:
            parts.append(f"offline since {self.offline_since.astimezone():%H:%M}")
        if self.conflicts:
            parts.append(f"{self.conflicts} conflict{'s' if self.conflicts > 1 else ''}")
        if self.parked:
            parts.append(f"{self.parked} parked")
        if self.waiting:
            parts.append(f"{self.waiting} to send")
        if not parts and self.read_only:
            parts.append("may only read")
        if not parts and self.first_sync:
            parts.append("first sync")
        return ", ".join(parts) or "synced"
