"""Blockers and cycles (domain.md, Dependencies)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from ..entities import Mission


def find_cycle(edges: Iterable[tuple[str, str]], new: tuple[str, str]) -> list[str] | None:
    """The cycle that a new edge would close, or None. Every edge is (blocker id, blocked id).

    The cycle is the shortest one and is closed: it starts with the new blocker, goes on with the new blocked one,
    each blocks the next, and the last is the first again.
    """
    blocker, blocked = new
    if blocker == blocked:
        return [blocker, blocked]
    blocks: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        blocks[source].append(target)
    came_from = {blocked: blocker}
    waiting = deque([blocked])
    while waiting:
        here = waiting.popleft()
        for following in blocks[here]:
            if following == blocker:
                return _path(came_from, blocker, here)
            if following not in came_from:
                came_from[following] = here
                waiting.append(following)
    return None


def _path(came_from: dict[str, str], blocker: str, last: str) -> list[str]:
    path = [blocker]
    while last != blocker:
        path.append(last)
        last = came_from[last]
    return [*path, blocker][::-1]


def is_resolved(blocker: Mission | None) -> bool:
    """Whether a blocker no longer blocks: it is done. None (missing or not visible) and deleted ones still block."""
    return blocker is not None and blocker.deleted_at is None and blocker.list == "done"
