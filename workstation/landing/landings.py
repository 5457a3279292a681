"""Bringing finished work onto its target branch: one landing at a time per repository and target.

Nothing is remembered between two looks at the queue: a landing is due while its mission says `queued` or `landing`. One
that a killed service had begun is begun again, which is safe because the landing itself (worktrees/landing/landing.py)
keeps a journal, moves the target branch in one step and finds out when that was done already. What follows (first the
mission done, then its worktree given back) is in this order, so a crash between the two leaves a worktree for
housekeeping.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ...config import paths
from ...config.correlation import correlation
from ...config.log import logger
from ...missions.entities import SYSTEM, Mission, Project, ProjectRepository, Worktree
from ...missions.errors import Conflict, NotFound, SoloUnicornError, TryAgain
from ...missions.ids import short_id
from ...missions.rules.landing import worktree_branch
from ...missions.rules.pull_requests import wanted
from ...system.disk import full_place, is_full
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ...worktrees.github.answers import Unavailable
from ...worktrees.github.pulls import Pull
from ...worktrees.landing.landing import Conflicted, Landed, land
from ...worktrees.landing.messages import LandingMessage
from ...worktrees.landing.proofs import Unproven
from ...worktrees.landing.recovery import recover
from ..context import ServiceContext
from ..session.proving import Finished, adopt, check_as_reviewed, check_something_landed, note_as_told, prove_now
from ..upkeep.gc import give_back
from .pull_requests import Proposed, PullRequests

Target = tuple[str, str]
"""Repository id and branch: what only one landing may move at a time."""
BUSY_SECONDS = 5.0
WAITS = 36
"""How often a landing is begun again whose repository is busy or locked, before a person is asked."""


@dataclass(frozen=True, slots=True)
class Due:
    """One landing and all it needs, read at one moment."""

    mission: Mission
    project: Project
    repository: ProjectRepository | None
    worktree: Worktree | None
    cause: str
    """Correlation of the decision that it follows from."""

    @property
    def target(self) -> Target:
        return self.repository.id if self.repository else "", self.branch_to

    @property
    def branch_to(self) -> str:
        """The target branch: the mission's, else the repository's."""
        return self.mission.target_branch or (self.repository.default_branch if self.repository else "")

    @property
    def by_pull_request(self) -> bool:
        """Whether the mission, else its project, else its repository wants pull requests (domain.md, Landing)."""
        return self.repository is not None and wanted(self.mission, self.project, self.repository)


class Landings:
    """Takes landings from the workspace's queue and does them, each target's in order."""

    def __init__(self, context: ServiceContext, pull_requests: PullRequests) -> None:
        self._context = context
        self._pull_requests = pull_requests
        self._running = set[Target]()
        self._waited = dict[str, int]()
        self._log = logger("workstation.landing")

    @property
    def busy(self) -> bool:
        """Whether something is being landed now."""
        return bool(self._running)

    async def recover(self) -> None:
        """At start: finish or take back what a killed service was about to do in each repository."""
        for repository in await self._context.workspace.read(queries.projects.repositories):
            await self._context.supervisor.tried(f"recovering {repository.name}", partial(self._recover, repository))

    async def _recover(self, repository: ProjectRepository) -> None:
        try:
            for found in await self._context.git(recover, repository.local_path):
                self._log.info("landing recovered", extra={"branch": found.branch, "outcome": found.outcome})
        except SoloUnicornError as error:
            self._log.warning("landing not recovered", extra={"repository": repository.name, "why": str(error)})

    async def begin(self) -> None:
        """Start every landing that is due and whose target nobody moves now."""
        for due in await self._context.workspace.run(read_queue):
            if due.target not in self._running:
                self._running.add(due.target)
                name = f"landing {short_id(due.mission.number)}"
                task = self._context.supervisor.keep(name, partial(self._land, due), give_up=partial(self._ask, due))
                task.add_done_callback(partial(self._ended, due.target))

    def _ended(self, target: Target, _: object) -> None:
        self._running.discard(target)
        self._context.wakeup.look()

    async def _ask(self, due: Due, why: str) -> None:
        """Leave the landing to a person."""
        with suppress(Conflict, NotFound):  # it was moved or deleted meanwhile
            await self._context.workspace.write_as(SYSTEM, operations.landing.failed, due.mission.id, why)

    async def _land(self, due: Due) -> None:
        correlation.set(due.cause)
        name = {"mission": due.mission.id}
        workspace = self._context.workspace
        try:
            await workspace.write_as(SYSTEM, operations.landing.started, due.mission.id)
        except (Conflict, NotFound):
            return  # a person moved or deleted it meanwhile
        try:
            result = await self._bring(due)
        except TryAgain as error:
            self._log.info("landing waits", extra=name | {"why": str(error)})
            waited = self._waited.pop(due.mission.id, 0)
            if waited < WAITS or isinstance(error, Unavailable):
                self._waited[due.mission.id] = waited + 1
                await asyncio.sleep(BUSY_SECONDS)
                return
            await workspace.write_as(SYSTEM, operations.landing.failed, due.mission.id, str(error))
            return
        except (SoloUnicornError, OSError) as error:
            if is_full(error):  # it is said, and tried again until there is room
                places = (due.repository.local_path if due.repository else paths.home(), paths.home())
                where = full_place(places) or places[0]
                raise TryAgain(f"There is no space left on the disk of {where}", why=str(error)) from error
            self._log.warning("landing failed", extra=name | {"why": str(error)})
            await workspace.write_as(SYSTEM, operations.landing.failed, due.mission.id, str(error))
            return
        self._waited.pop(due.mission.id, None)
        match result:
            case Conflicted(files=files):
                self._log.info("landing met conflicts", extra=name | {"files": list(files)})
                await workspace.write_as(SYSTEM, operations.landing.conflicted, due.mission.id, files)
            case Landed(commit=commit, note=note):
                self._log.info("landed", extra=name | {"commit": commit, "note": note})
                await workspace.run(_landed, due, result)
                if due.worktree is not None:
                    await give_back(self._context, due.worktree)
            case Proposed(pull=pull):
                self._log.info("pull request", extra=name | {"number": pull.number})
                await workspace.run(_proposed, due, pull)
                await self._pull_requests.look(due.mission.id)

    async def _bring(self, due: Due) -> Landed | Conflicted | Proposed:
        """Onto the target branch, or into a pull request, once the work is proven to be what was reviewed."""
        if due.repository is None:
            return Landed(None, False, "the mission has no repository")
        finished = Finished(due.mission, due.repository, due.worktree) if due.worktree else None
        branch = worktree_branch(due.mission, due.repository)
        if finished is not None:
            try:
                proven = await self._context.git(prove_now, finished)
            except Unproven:
                await self._context.git(note_as_told, finished)
                raise
            await self._context.workspace.run(adopt, finished, proven)
            branch = proven.branch
        await self._context.git(check_as_reviewed, due.mission, due.repository, branch)
        if due.by_pull_request:
            result: Landed | Conflicted | Proposed = await self._pull_requests.propose(
                due.mission, due.project, due.repository, branch, due.worktree
            )
        else:
            result = await self._context.git(_do, due, due.repository, branch)
        if isinstance(result, Landed):
            await self._context.git(check_something_landed, result, due.mission, due.repository, due.worktree, branch)
        return result


def read_queue(workspace: Workspace) -> list[Due]:
    """The landings that are due, oldest decision first."""
    slots = {worktree.mission_id: worktree for worktree in workspace.read(queries.workstation.worktrees)}
    found = []
    for mission in workspace.read(queries.sessions.landing_queue):
        try:
            repository = workspace.read(queries.projects.repository, mission.project_repository_id or "")
        except NotFound:
            repository = None
        events = workspace.read(queries.missions.history, mission.id, 1)
        cause = events[-1].correlation_id if events else ""
        project = workspace.read(queries.projects.get, mission.project_id)
        found.append(Due(mission, project, repository, slots.get(mission.id), cause))
    return found


def _do(due: Due, repository: ProjectRepository, branch: str) -> Landed | Conflicted:
    """On a git thread: land the branch."""
    mission = due.mission
    message = LandingMessage(mission.title, short_id(mission.number), branch, mission.landing_message or "")
    return land(
        repository.local_path,
        branch=branch,
        target=due.branch_to,
        strategy=mission.pr_merge_strategy,
        message=message,
        worktree=Path(due.worktree.path) if due.worktree else None,
        folder=repository.folder,
    )


def _proposed(workspace: Workspace, due: Due, pull: Pull) -> None:
    """It is open: if it was merged or closed meanwhile, the next look takes that in."""
    workspace.write_as(
        SYSTEM,
        operations.pull_requests.opened,
        due.mission.id,
        pull.number,
        pull.url,
        pull.branch,
        replace(pull.seen, state="open", merge_commit=None),
    )


def _landed(workspace: Workspace, due: Due, result: Landed) -> None:
    if result.note:
        workspace.write_as(SYSTEM, operations.missions.add_note, due.mission.id, "progress", result.note)
    workspace.write_as(SYSTEM, operations.landing.landed, due.mission.id, result.commit)
