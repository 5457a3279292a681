"""How far a mission's branch is from its target: what `ChangeMeasure` keeps, from two git commands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ..missions.change_state import ChangeMeasure
from .bases import ahead_behind
from .git import Git, decode


def measure(worktree: Path | str, target: str, *, now: datetime) -> ChangeMeasure | None:
    """Branch, commits ahead of and behind `target`, uncommitted files; None when the worktree is not there.

    A target that git does not know counts as equal: there is nothing to compare with.
    """
    path = Path(worktree)
    if not path.is_dir():
        return None
    git = Git(path)
    head = branch = ""
    uncommitted = 0
    entries = iter(git.out("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all").split(b"\0"))
    for entry in entries:
        match entry[:2]:
            case b"# ":
                name, _, value = decode(entry[2:]).partition(" ")
                head = value if name == "branch.oid" else head
                branch = value if name == "branch.head" and value != "(detached)" else branch
            case b"2 ":
                uncommitted += 1
                next(entries, None)
            case b"":
                continue
            case _:
                uncommitted += 1
    ahead, behind = ahead_behind(git, "HEAD", target) if git.commit(target) else (0, 0)
    return ChangeMeasure(
        at=now, head=head, branch=branch, ahead=ahead, behind=behind, uncommitted=uncommitted
    )  # fmt: skip
