"""From the last stage to done: bringing the work onto the target branch (domain.md, Landing)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..entities import Flow, Mission, ProjectRepository
from ..errors import Conflict, InvalidValue
from ..ids import short_id
from ..records import record, replace
from .flows import at_stage, enabled_stages
from .moving import closed, to_review

BRANCH_PREFIX = "solo-unicorn/"
SLUG_MAX = 40
CONFLICTS_MAX = 3
"""Landings of a mission that may meet conflicts in a row before a person is asked."""


@record
class Proof:
    """What a look at a finished stage's worktree said."""

    commit: str | None = None
    """What the review shows."""
    reason: str = ""
    """Why it is not what would land; empty: it is."""
    by_agent: bool = False
    """The agent is asked to mend it, and not a person."""


def landing_started(mission: Mission, now: datetime) -> Mission:
    """The mission being landed. Begun again after a crash it is the same; Conflict when it cannot be landed now."""
    name = short_id(mission.number)
    if mission.landing_status not in ("queued", "landing"):
        raise Conflict(f"{name} cannot be landed now", why="its last stage is not finished")
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{name} cannot be landed yet", why="its agent still runs in the worktree")
    return replace(mission, landing_status="landing", updated_at=now)


def check_undoable(mission: Mission) -> str:
    """The commit of a landing that may be taken back; Conflict says in words about the work why it may not."""
    name = short_id(mission.number)
    if mission.landed_commit is None:
        raise Conflict(f"{name} has no landing to undo", why="nothing of it was landed from here")
    if mission.is_loop:
        raise Conflict(
            f"The landing of {name} cannot be undone",
            why="it is a loop mission, and its next run starts from the landed commit",
            todo=f"use `git revert {mission.landed_commit[:10]}`",
        )
    if mission.github_pr_number is not None:
        raise Conflict(
            f"The landing of {name} cannot be undone here",
            why=f"pull request #{mission.github_pr_number} landed it, and others may already have it",
            todo="revert the pull request on GitHub",
        )
    if mission.list != "done":
        raise Conflict(f"{name} is not done", why=f"it is in {mission.list}")
    return mission.landed_commit


def landing_undone(mission: Mission, now: datetime) -> Mission:
    """The mission back in review after its landing was taken back: approving lands it again."""
    check_undoable(mission)
    return replace(to_review(mission, now), landed_commit=None, landing_status=None, landing_error=None, updated_at=now)


def landed(mission: Mission, flow: Flow, *, commit: str | None, now: datetime) -> Mission:
    """The mission after landing: done, or, a loop mission, back in `loop` at its first stage for the next run.

    `commit` is where the target branch stands now, None when there was nothing to land.
    """
    if mission.list == "done":
        raise Conflict(f"{short_id(mission.number)} is already done")
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{short_id(mission.number)} is running", why="its agent still works in the worktree")
    if not mission.is_loop:
        return replace(closed(mission), list="done", to_check=None, landed_commit=commit, updated_at=now)
    first = at_stage(mission, flow, enabled_stages(flow, mission.flow_config)[0].stage)
    return replace(
        first,
        list="loop",
        tasks=(),
        tasks_current=0,
        to_check=None,
        review_status=None,
        review_feedback=None,
        review_requested_at=None,
        pr_created=False,
        github_pr_number=None,
        github_pr_url=None,
        pull_request=None,
        landing_status=None,
        landing_error=None,
        landed_commit=commit,
        updated_at=now,
    )


def landing_conflicted(mission: Mission, files: Sequence[str], now: datetime) -> Mission:
    """The mission back at its last stage, ready, so that an agent resolves the conflicts in the named files.

    An approval is over with it: what the agent makes of the conflicts is reviewed like any other work.
    """
    named = ", ".join(files) if files else "unnamed files"
    return replace(
        mission,
        list="doing",
        ready=True,
        review_status=None,
        landing_status="failed",
        landing_error=f"Landing on {mission.target_branch or 'its target branch'} met conflicts in: {named}",
        updated_at=now,
    )


def conflicted_too_often(mission: Mission, times: int) -> Mission:
    """The mission left to a person: its landing met conflicts again and again, with nobody looking in between."""
    if times < CONFLICTS_MAX:
        return mission
    return replace(mission, ready=False, attention=f"{mission.landing_error} ({times} times in a row)")


def landing_failed(mission: Mission, reason: str, now: datetime) -> Mission:
    """The mission left to a person, because landing failed otherwise; nothing was changed on the target branch."""
    return replace(
        mission,
        list="doing",
        ready=False,
        attention=_attention(reason),
        landing_status="failed",
        landing_error=reason,
        updated_at=now,
    )


def unproven(mission: Mission, reason: str, *, by_agent: bool, now: datetime) -> Mission:
    """The mission whose finished work is not what would land: sent back to its agent, or left to a person.

    In review it stays there with the reason. One that goes on to another stage is left as it is.
    """
    if mission.list != "review" and mission.landing_status not in ("queued", "landing"):
        return mission
    if by_agent:
        return replace(
            mission,
            list="doing",
            ready=True,
            review_status="rejected",
            review_feedback=reason,
            landing_status=None,
            updated_at=now,
        )
    return (
        replace(mission, attention=reason, updated_at=now)
        if mission.list == "review"
        else landing_failed(mission, reason, now)
    )


def awaits_retry(mission: Mission) -> bool:
    """Whether the mission was left to a person because landing failed, and not for anything that came later."""
    return mission.landing_status == "failed" and mission.attention == _attention(mission.landing_error)


def retry(mission: Mission, now: datetime) -> Mission:
    """A failed landing queued once more, with nothing else open; Conflict when there is none or an agent runs."""
    name = short_id(mission.number)
    if mission.landing_status != "failed":
        raise Conflict(f"{name} has no failed landing", todo="approve its last stage first")
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{name} is running", why="an agent works on what stopped the landing", todo="stop it first")
    return replace(
        mission,
        ready=True,
        attempts=0,
        limit_hits=0,
        retry_at=None,
        attention=None,
        question=None,
        landing_status="queued",
        landing_error=None,
        updated_at=now,
    )


def _attention(reason: str | None) -> str:
    return f"Landing failed: {reason}"


def check_branches(mission: Mission) -> None:
    """Raise InvalidValue where a mission would work on the very branch that it lands on."""
    if mission.work_branch and mission.work_branch == mission.target_branch:
        raise InvalidValue(
            "workBranch",
            f"{mission.work_branch} is the branch that the mission lands on",
            why="its work would be there before anybody had reviewed it",
            todo="choose another name for its own branch",
        )


def worktree_branch(mission: Mission, repository: ProjectRepository | None = None) -> str:
    """The mission's branch: `solo-unicorn/mission-42-retry-payments`. Once kept in `pr_branch_name` it stays; before
    that, the name that a person chose holds.

    The repository's prefix may be a template of the whole name: `feat/{mission}-{slug}` is `feat/m-42-retry-payments`.
    """
    if mission.pr_branch_name or mission.work_branch:
        return mission.pr_branch_name or mission.work_branch
    prefix = BRANCH_PREFIX if repository is None else repository.pr_branch_prefix
    slug = _slug(mission.title)
    if "{" in prefix:
        return _filled(
            prefix, {"mission": short_id(mission.number).lower(), "number": str(mission.number), "slug": slug}
        )
    return f"{prefix}mission-{mission.number}" + (f"-{slug}" if slug else "")


def _filled(template: str, words: Mapping[str, str]) -> str:
    """A branch name by template; it ends in the mission's number where the template names none, so no two are alike."""
    name = re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], ""), template)
    if "{mission}" not in template and "{number}" not in template:
        name = f"{name}-{words['number']}"
    return re.sub(r"-+(?=/|$)|(?<=/)-+|^-+", "", re.sub(r"-{2,}", "-", name))


def _slug(title: str) -> str:
    """The words of a title in small ASCII letters and digits, as many as fit."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = ""
    for word in re.findall(r"[a-z0-9]+", plain.replace("'", "")):
        longer = f"{slug}-{word}" if slug else word[:SLUG_MAX]
        if len(longer) > SLUG_MAX:
            break
        slug = longer
    return slug
