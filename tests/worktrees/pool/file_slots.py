"""Slots of the pool that are kept in files, as another process sees them."""

from __future__ import annotations

import pickle
from pathlib import Path

from solo_unicorn.missions.entities import Worktree


class FileSlots:
    """Slots that survive a killed process, as the store's do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> dict[str, Worktree]:
        return pickle.loads(self.path.read_bytes()) if self.path.exists() else {}

    def write(self, rows: dict[str, Worktree]) -> None:
        beside = self.path.with_suffix(".new")
        beside.write_bytes(pickle.dumps(rows))
        beside.replace(self.path)

    def worktrees(self, repository: str | None = None) -> list[Worktree]:
        return list(self.rows().values())

    def put_worktree(self, worktree: Worktree) -> None:
        self.write({**self.rows(), worktree.id: worktree})

    def remove_worktree(self, worktree_id: str) -> None:
        self.write({key: row for key, row in self.rows().items() if key != worktree_id})
