"""What a path is as a repository, and its first commit where it has none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..worktrees.repository.repositories import RepositoryFacts


def facts_of(path: str, *, first_commit: bool = False) -> RepositoryFacts:
    """What a path is; an error says why missions cannot work in it.

    A repository without a commit gets its first one when that is wanted: by the option, or asked on a terminal.
    """
    from ..worktrees.repository.repositories import NoCommits, inspect, make_first_commit

    try:
        return inspect(Path(path))
    except NoCommits as error:
        if not (first_commit or _wants_first_commit(error.root)):
            raise
        make_first_commit(error.root)
        return inspect(Path(path))


def _wants_first_commit(root: Path) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    asked = f"{root} has no commit yet, and missions start from one. Make an empty first commit? [y/N] "
    print(asked, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
