"""Landing by pull request: push and open, follow until it is merged or closed, clear up (domain.md, Landing).

Nothing is remembered between two looks but what spares GitHub questions (ETags, the end of a rate limit): which pull
requests there are is read from the workspace each time. A service that is killed after a push or after opening finds
at its next try what it had done, and one killed after a merge finds it merged.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ...config.log import logger
from ...missions.entities import SYSTEM, Mission, Project, ProjectRepository, Worktree
from ...missions.errors import Conflict, NotFound, SoloUnicornError, TryAgain
from ...missions.ids import short_id
from ...missions.rules.pull_requests import base_branch, body, is_followed, merge_hindrance, title
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ...worktrees.github import branches, pulls
from ...worktrees.github.answers import NotMergeable, Unavailable
from ...worktrees.github.client import GitHub
from ...worktrees.github.hosts import Host, RepositoryName, name_of
from ...worktrees.github.pulls import Pull
from ...worktrees.landing.landing import Landed
from ..context import ServiceContext
from ..upkeep.gc import give_back

LEFT_ALONE_SECONDS = 60 * 60.0
"""The longest that GitHub is left alone: its limits are hourly, and what it names is a time on its own clock."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The work waits in this pull request."""

    pull: Pull


@dataclass(frozen=True, slots=True)
class Followed:
    """A mission with an open pull request, and what is needed to look at it."""

    mission: Mission
    project: Project
    repository: ProjectRepository
    name: RepositoryName
    worktree: Worktree | None


class PullRequests:
    """Opens and follows pull requests."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._clients: dict[tuple[str, str], GitHub] = {}
        self._not_before: dict[str, float] = {}
        self._told: dict[str, str] = {}
        self._turn = asyncio.Lock()
        self._log = logger("workstation.pull_requests")

    async def propose(
        self,
        mission: Mission,
        project: Project,
        repository: ProjectRepository,
        branch: str,
        worktree: Worktree | None = None,
    ) -> Proposed | Landed:
        """Push the mission's branch and open its pull request, or find it open; Landed when there is nothing to land.

        Raises TryAgain while GitHub wants to be left alone, and any SoloUnicornError with the reason otherwise.
        """
        name = name_of(repository)
        if name is None:
            raise NotFound(
                f"{repository.name} is not on GitHub",
                why=f"{short_id(mission.number)} has to land by pull request",
                todo="set prMode of the mission or of the project to disabled, or link a repository of GitHub",
            )
        github = self._github(name)
        try:
            facts = await self._context.git(pulls.repository, github, name)
            if repository.github_repo_id not in (None, facts.id):
                raise Conflict(
                    f"{name.full_name} is another repository than the one that was linked",
                    why=f"its number on GitHub is {facts.id}, not {repository.github_repo_id}",
                    todo="check the remote; link the repository again if that is intended",
                )
            await self._context.workspace.run(
                lambda workspace: workspace.write_as(
                    SYSTEM, operations.pull_requests.repository_identified, repository.id, facts.id, facts.full_name
                )
            )
            return await self._context.git(_propose, github, name, mission, project, repository, branch, worktree)
        except Unavailable as error:
            self._leave_alone(name.host, error)
            raise

    async def follow(self) -> float:
        """Look at every open pull request; seconds until the next look."""
        for one in await self._context.workspace.run(read_followed):
            name = f"pull request of {short_id(one.mission.number)}"
            await self._context.supervisor.tried(name, partial(self._look, one))
        return self._context.settings.github.poll_seconds

    async def look(self, mission_id: str) -> None:
        """Look at one mission's pull request now, if it has an open one; what cannot be seen now is seen later."""
        for one in await self._context.workspace.run(read_followed):
            if one.mission.id == mission_id:
                await self._look(one)

    async def merge(self, mission_id: str) -> None:
        """Merge a mission's open pull request because a person said so; a refusal goes into its history."""
        for one in await self._context.workspace.run(read_followed):
            if one.mission.id == mission_id:
                try:
                    async with self._turn:
                        await self._merge(one)
                except SoloUnicornError as error:
                    await self._context.workspace.run(
                        _tell, mission_id, f"The pull request could not be merged: {error}"
                    )
                await self._look(one)

    def close(self) -> None:
        """Let go of connections."""
        for client in self._clients.values():
            client.close()

    # ---- one look

    async def _look(self, one: Followed) -> None:
        """Take in what happened; trouble is logged once, and the next look tries again."""
        key = one.mission.id
        try:
            async with self._turn:
                await self._take_in(one)
            self._told.pop(key, None)
        except (Unavailable, TryAgain) as error:
            if isinstance(error, Unavailable):
                self._leave_alone(one.name.host, error)
        except SoloUnicornError as error:
            if self._told.get(key) != str(error):
                self._told[key] = str(error)
                self._log.warning("pull request not seen", extra={"mission": key, "why": str(error)})

    async def _take_in(self, one: Followed) -> None:
        github, number = self._github(one.name), one.mission.github_pr_number or 0
        pull = await self._context.git(pulls.look, github, one.name, number)
        mission = await self._seen(one, pull)
        if is_followed(mission) and merge_hindrance(mission, one.project) is None:
            await self._merge(one, pull)

    async def _merge(self, one: Followed, pull: Pull | None = None) -> None:
        """Merge exactly what was seen, then take in that it is merged."""
        github, number = self._github(one.name), one.mission.github_pr_number or 0
        if pull is None:
            pull = await self._context.git(pulls.look, github, one.name, number)
        try:
            await self._context.git(
                pulls.merge,
                github,
                one.name,
                number,
                strategy=one.mission.pr_merge_strategy,
                head=pull.seen.head,
                title=title(one.mission),
            )
        except NotMergeable as error:
            raise NotMergeable(
                f"GitHub refuses to merge pull request #{number} now",
                why=error.why,
                todo="check the pull request on GitHub",
            ) from error
        await self._seen(one, await self._context.git(pulls.look, github, one.name, number))

    async def _seen(self, one: Followed, pull: Pull) -> Mission:
        """Record it. A merged branch is cleared up first: killed in between, the next look does it again."""
        context, repository = self._context, one.repository
        files: tuple[str, ...] = ()
        target = base_branch(one.mission, repository)
        if pull.seen.state == "merged" and one.mission.agent_session_status == "INACTIVE":
            delete = one.project.pr_delete_branch_after_merge and repository.auto_delete_pr_branches
            try:
                await context.git(
                    branches.settle_merged,
                    repository.local_path,
                    branch=pull.branch,
                    merged=pull.seen.head,
                    target=target,
                    delete=delete,
                )
            except SoloUnicornError as error:
                self._log.warning("merged branch not cleared up", extra={"mission": one.mission.id, "why": str(error)})
        elif pull.seen.mergeable is False:
            files = await context.git(
                branches.conflicting_files, repository.local_path, branch=pull.branch, target=target
            )
        before = one.mission
        mission = await context.workspace.run(
            lambda workspace: workspace.write_as(
                SYSTEM, operations.pull_requests.seen, before.id, pull.number, pull.seen, files
            )
        )
        if mission.list in ("done", "loop") and one.worktree is not None and mission.list != before.list:
            await give_back(context, one.worktree)
        if (mission.list, mission.landing_status) != (before.list, before.landing_status):
            self._log.info("pull request", extra={"mission": mission.id, "state": pull.seen.state})
            self._context.wakeup.look()
        return mission

    # ---- GitHub

    def _github(self, name: RepositoryName) -> GitHub:
        """The client of that host; TryAgain while its rate limit is used up."""
        until = self._not_before.get(name.host)
        if until is not None and until > time.monotonic():
            raise Unavailable(f"{name.host} asks for a pause of {until - time.monotonic():.0f} seconds")
        key = (name.host, self._context.settings.github.api_url)
        if key not in self._clients:
            self._clients[key] = GitHub(Host.of(*key))
        return self._clients[key]

    def _leave_alone(self, host: str, error: Unavailable) -> None:
        if error.until is not None:
            told = (error.until - datetime.now(UTC)).total_seconds()
            self._not_before[host] = time.monotonic() + min(max(0.0, told), LEFT_ALONE_SECONDS)
        self._log.info("GitHub does not answer now", extra={"host": host, "why": str(error)})


def read_followed(workspace: Workspace) -> list[Followed]:
    """What there is to look at."""
    slots = {worktree.mission_id: worktree for worktree in workspace.read(queries.workstation.worktrees)}
    found = []
    for mission in workspace.read(queries.pull_requests.followed):
        try:
            repository = workspace.read(queries.projects.repository, mission.project_repository_id or "")
        except NotFound:
            continue
        name = name_of(repository)
        if name is not None:
            project = workspace.read(queries.projects.get, mission.project_id)
            found.append(Followed(mission, project, repository, name, slots.get(mission.id)))
    return found


def _tell(workspace: Workspace, mission_id: str, note: str) -> None:
    workspace.write_as(SYSTEM, operations.missions.add_note, mission_id, "progress", note)


def _propose(
    github: GitHub,
    name: RepositoryName,
    mission: Mission,
    project: Project,
    repository: ProjectRepository,
    branch: str,
    worktree: Worktree | None,
) -> Proposed | Landed:
    """On a thread: push, open."""
    target = base_branch(mission, repository)
    known = mission.pull_request if is_followed(mission) else None
    pushed = branches.push_branch(
        repository.local_path,
        branch=branch,
        target=target,
        pushed_before=known.head if known else None,
        worktree=Path(worktree.path) if worktree else None,
    )
    if not pushed.ahead:
        return Landed(None, False, "there was nothing to land")
    if known is not None and mission.github_pr_number is not None:
        there = pulls.look(github, name, mission.github_pr_number)
        if there.seen.state == "open" or (there.seen.state == "merged" and there.seen.head == pushed.head):
            return Proposed(there)
    text = body(mission, project.pr_template or pushed.template)
    opened = pulls.open_pull(github, name, branch=branch, base=target, title=title(mission), body=text)
    return Proposed(opened)
