"""Bringing a mission's work onto its target branch, as the history tells it (domain.md, Landing)."""

from __future__ import annotations

from collections.abc import Sequence

from ..entities import Mission
from ..errors import printable
from ..rules import landing
from .checks import refuse_agents
from .port import Change


def started(change: Change, ref: str) -> Mission:
    """The landing began; shown on the card."""
    mission = change.mission(ref)
    return change.save(mission, landing.landing_started(mission, now=change.now), "landing_started")


def landed(change: Change, ref: str, commit: str | None) -> Mission:
    """The work is on the target branch (commit None: there was nothing to land): done, or back to loop."""
    mission = change.mission(ref)
    after = landing.landed(mission, change.flow_of(mission), commit=commit, now=change.now)
    return change.save(mission, after, "landed", note=commit or "nothing to land")


def undone(change: Change, ref: str) -> Mission:
    """The landing was taken off the target branch again, as a person wished: back to review."""
    refuse_agents(change.by, "undo a landing")
    mission = change.mission(ref)
    after = landing.landing_undone(mission, change.now)
    return change.save(mission, after, "landing_undone", note=mission.landed_commit or "")


def conflicted(change: Change, ref: str, files: Sequence[str]) -> Mission:
    """The landing met conflicts and changed nothing: back to doing with the files named."""
    mission = change.mission(ref)
    files = [printable(name) for name in files]
    after = landing.landing_conflicted(mission, tuple(files), now=change.now)
    after = landing.conflicted_too_often(after, change.conflicts_in_a_row(mission.id) + 1)
    return change.save(mission, after, "landing_conflicted", note="\n".join(files))


def failed(change: Change, ref: str, reason: str) -> Mission:
    """The landing failed otherwise and changed nothing: a person is asked."""
    mission = change.mission(ref)
    return change.save(mission, landing.landing_failed(mission, reason, now=change.now), "landing_failed", note=reason)


def retry(change: Change, ref: str) -> Mission:
    """Try a failed landing again."""
    mission = change.mission(ref)
    return change.save(mission, landing.retry(mission, now=change.now), "landing_retried")
