"""Where a mission's work stands, for screens and `mission show`: worktree, branch, pull request, ahead and behind."""

from __future__ import annotations

from datetime import datetime

from ..entities import Mission, Project, PullRequest, Session, Worktree
from ..records import record
from .pull_requests import is_followed, merge_hindrance


@record
class ChangeMeasure:
    """What git said of a mission's worktree when somebody looked last."""

    at: datetime
    head: str
    branch: str
    """Empty: a detached HEAD."""
    ahead: int
    """Commits that the target branch lacks."""
    behind: int
    """Commits of the target branch that the mission's branch lacks."""
    uncommitted: int
    """Files with changes that are not committed."""


@record
class ChangeState:
    """A mission's change as far as this machine knows it."""

    mission_id: str
    worktree_path: str | None
    branch: str | None
    target_branch: str
    base: str
    """What the diff is made against: the target branch, else the commit the work started from; empty: neither."""
    measured: ChangeMeasure | None
    """None: nobody has looked yet."""
    pull_request_number: int | None = None
    pull_request_url: str | None = None
    pull_request: PullRequest | None = None
    """With checks, review and unresolved comments."""
    not_merged: str | None = None
    """What an open pull request waits for, in a few words."""


def change_state(
    mission: Mission,
    project: Project,
    sessions: tuple[Session, ...],
    slot: Worktree | None,
    measured: ChangeMeasure | None,
) -> ChangeState:
    """The state, from what is recorded; `sessions` are the mission's, oldest first, `slot` its worktree."""
    started = next((one.base_commit for one in reversed(sessions) if one.base_commit), None)
    worktree = mission.worktree_path or (slot.path if slot else None)
    return ChangeState(
        mission_id=mission.id,
        worktree_path=worktree,
        branch=(slot.branch if slot else None) or mission.pr_branch_name,
        target_branch=mission.target_branch,
        base=mission.target_branch or started or "",
        measured=measured if worktree else None,
        pull_request_number=mission.github_pr_number,
        pull_request_url=mission.github_pr_url,
        pull_request=mission.pull_request,
        not_merged=merge_hindrance(mission, project) if is_followed(mission) else None,
    )
