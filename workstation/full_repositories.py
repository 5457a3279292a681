"""Repositories in which nothing more can be started for now: every worktree holds work, or the disk has no room.

They are asked again after a pause that grows, and at once when one of their worktrees changes hands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial

from ..missions.entities import Worktree
from ..system.backoff import Backoff

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 300.0
"""What only git can tell, such as a change that somebody takes out of a vacant worktree, is seen so late."""


class FullRepositories:
    """Repositories without room, by id, and until when; times are those of the event loop."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._worktrees: dict[str, frozenset[Worktree]] = {}
        self._pauses: defaultdict[str, Backoff] = defaultdict(partial(Backoff, FIRST_SECONDS, LONGEST_SECONDS))

    def __bool__(self) -> bool:
        return bool(self._until)

    def without_worktree(self, repository: str, now: float, worktrees: Iterable[Worktree]) -> None:
        """None of these was free for one more mission."""
        self._until[repository] = now + self._pauses[repository].next()
        self._worktrees[repository] = _of(repository, worktrees)

    def without_room(self, repository: str, until: float) -> None:
        """Its disk is full: ask it again at `until`."""
        self._until[repository] = until
        self._worktrees.pop(repository, None)

    def over(self, repository: str) -> None:
        """Ask the repository again: there may be room."""
        self._until.pop(repository, None)
        self._worktrees.pop(repository, None)
        self._pauses.pop(repository, None)

    def still(self, now: float, worktrees: Iterable[Worktree]) -> frozenset[str]:
        """Those that are not to be asked yet."""
        rows = list(worktrees)
        for repository, seen in list(self._worktrees.items()):
            if seen != _of(repository, rows):
                self.over(repository)
        return frozenset(repository for repository, until in self._until.items() if until > now)

    def waits(self, now: float) -> list[float]:
        """The seconds that each of them waits."""
        return [until - now for until in self._until.values() if until > now]


def _of(repository: str, worktrees: Iterable[Worktree]) -> frozenset[Worktree]:
    return frozenset(one for one in worktrees if one.repository_id == repository)
