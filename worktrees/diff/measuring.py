"""How far a mission's branch is from its target: what `ChangeMeasure` keeps, from two git commands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ...missions.rules.change_state import ChangeMeasure
from ..bases import ahead_behind
from ..git import Git
from ..pool.status import standing


def measure(worktree: Path | str, target: str, *, now: datetime) -> ChangeMeasure | None:
    """Branch, commits ahead of and behind `target`, uncommitted files; None when the worktree is not there.

    A target that git does not know counts as equal: there is nothing to compare with.
    """
    path = Path(worktree)
    if not path.is_dir():
        return None
    git, seen = Git(path), standing(path)
    ahead, behind = ahead_behind(git, "HEAD", target) if seen.commit and git.commit(target) else (0, 0)
    return ChangeMeasure(
        at=now,
        head=seen.commit or "",
        branch=seen.branch or "",
        ahead=ahead,
        behind=behind,
        uncommitted=len(seen.changes),
    )
