"""Missions that wait in a pull request (domain.md, Landing): opened, and what each look at it meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...missions.entities import Mission, ProjectRepository, PullRequest
from ...missions.errors import Conflict, NotFound
from ...missions.ids import short_id
from ...missions.rules import pull_requests
from ...missions.rules.landing import conflicted_too_often
from .. import lookup, rows
from ..change import Change


def opened(change: Change, ref: str, number: int, url: str, branch: str, seen: PullRequest) -> Mission:
    """The mission's branch is pushed and its pull request open (or found open); it waits to be merged."""
    mission = change.mission(ref)
    known = mission.github_pr_number == number
    after = pull_requests.opened(mission, number=number, url=url, branch=branch, seen=seen, now=change.now)
    _mark_synced(change, mission, pushed=True)
    return change.save(mission, after, "pull_request_updated" if known else "pull_request_opened", note=url)


def seen(change: Change, ref: str, number: int, seen: PullRequest, files: Sequence[str] = ()) -> Mission:
    """What a look at the pull request showed, and what follows from it (missions/rules/pull_requests.py).

    Conflict when the mission meanwhile has another pull request. Nothing is written when nothing is new.
    """
    mission = change.mission(ref)
    if mission.github_pr_number != number:
        raise Conflict(f"{short_id(mission.number)} now has another pull request")
    found = pull_requests.observed(mission, change.flow_of(mission), seen, files=files, now=change.now)
    if replace(found.mission, updated_at=mission.updated_at) == mission:
        return mission
    _mark_synced(change, mission)
    after = found.mission
    if found.kind == "landing_conflicted":
        after = conflicted_too_often(after, change.conflicts_in_a_row(mission.id) + 1)
    return change.save(mission, after, found.kind, note=found.note)


def repository_identified(change: Change, repository_id: str, github_repo_id: int, full_name: str) -> None:
    """GitHub's numeric id of a repository, kept there and on its missions; its name where it was renamed."""
    repository = lookup.part(change.connection, ProjectRepository, repository_id)
    owner, _, name = full_name.partition("/")
    after = replace(
        repository, github_repo_id=github_repo_id, github_owner=owner, github_name=name, github_full_name=full_name
    )
    if after == repository:
        return
    change.save_part(repository, replace(after, updated_at=change.now))
    change.event(after.project_id, "repository_changed", note=after.name)
    docs = change.connection.execute(
        "SELECT doc FROM mission WHERE repository_id = ? AND deleted = 0", (repository_id,)
    ).fetchall()
    for (doc,) in docs:
        mission = rows.load(Mission, doc)
        change.save(mission, replace(mission, repository_id=github_repo_id), "repository_identified")


def _mark_synced(change: Change, mission: Mission, *, pushed: bool = False) -> None:
    try:
        repository = lookup.part(change.connection, ProjectRepository, mission.project_repository_id or "")
    except NotFound:
        return
    marked = replace(repository, last_pr_sync_at=change.now)
    if pushed:
        marked = replace(marked, last_mission_pushed_at=change.now)
    rows.put_part(change.connection, "repository", marked)
