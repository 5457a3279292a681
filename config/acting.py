"""Who acts in this process: a person (or a program of theirs), or an agent in a session of this home."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from ..system.ancestry import session_above
from . import paths


def acting_session() -> str | None:
    """The id of the session that this process belongs to; None when no agent of this home started it."""
    return _session(os.getpid(), str(paths.home()))


def session_of(pid: int | None) -> str | None:
    """The id of the session that another process belongs to; None when it belongs to none.

    A system that does not say which process it is (`pid` None) tells nothing. Raises ancestry.Gone.
    """
    return None if pid is None else session_above(pid, paths.home() / "runs")


@cache
def _session(pid: int, home: str) -> str | None:
    return session_above(pid, Path(home) / "runs")
