"""Where commits came from, as far as the logs of the repository say it."""

from __future__ import annotations

from pathlib import Path

from ..git import Git, GitError
from . import landing_log

_MADE = ("commit", "cherry-pick", "revert", "rebase (pick)", "rebase (continue)", "rebase (squash)", "rebase (fixup)")
"""How the log of HEAD begins what was made there, and not only looked at."""


def made_here(git: Git) -> set[str]:
    """Commits that were made in this worktree, as the log of its HEAD has them."""
    try:
        logged = git.line("log", "--walk-reflogs", "--format=%H %gs", "HEAD", "--")
    except GitError:
        return set()
    lines = (line.partition(" ") for line in logged.splitlines())
    return {
        commit
        for commit, _, how in lines
        if how.startswith(_MADE) or (how.startswith("merge ") and not how.endswith("Fast-forward"))
    }


def landed_by_us(git: Git, common_dir: Path, target: str) -> set[str]:
    """Commits that landings brought onto the target, and that were not there before them."""
    found: set[str] = set()
    for entry in landing_log.history(common_dir):
        if entry.target == target and entry.new and set(entry.old) != {"0"}:
            found.update(git.line("rev-list", entry.branch_head, entry.new, f"^{entry.old}").split())
    return found


def of_nobody(git: Git, common_dir: Path, came: set[str]) -> set[str]:
    """Those of the commits that no checkout had and no remote has: made by plumbing, or where the logs were deleted.

    Nothing is known, and none are found, where the person's own checkout keeps no log.
    """
    main = common_dir / "logs" / "HEAD"
    if not came or not (main.exists() or git.maybe("config", "--bool", "core.bare") == "true"):
        return set()
    tips = {tip for log in (main, *sorted(common_dir.glob("worktrees/*/logs/HEAD"))) for tip in _tips(log)}
    asked = "\n".join([*came, *(f"^{tip}" for tip in tips)])
    found = git.run("rev-list", "--ignore-missing", "--stdin", "--not", "--remotes", stdin=asked.encode()).out
    return came.intersection(found.decode().split())


def _tips(log: Path) -> set[str]:
    """What HEAD of one checkout stood on at any time."""
    try:
        lines = log.read_bytes().splitlines()
    except OSError:
        return set()
    ids = (part.decode("ascii", "replace") for line in lines for part in line.split(b" ", 2)[:2])
    return {one for one in ids if set(one) != {"0"}}
