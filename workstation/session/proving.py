"""Whether what a session finished is what would land, looked at when the session ends and when it is landed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ...missions.entities import SYSTEM, Mission, ProjectRepository, Worktree
from ...missions.errors import NotFound, SoloUnicornError
from ...missions.operations.sessions import SENT_BACK
from ...missions.rules.landing import Proof
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ...worktrees.bases import is_empty
from ...worktrees.git import Git, hooks_held
from ...worktrees.landing.landing import Landed
from ...worktrees.landing.proofs import (
    Claimed,
    Proven,
    Unproven,
    check_reviewed,
    forget,
    leftovers,
    note_reviewed,
    note_told,
    prove,
)
from ...worktrees.repository.repositories import inspect
from ..context import ServiceContext
from .held import held_by


@dataclass(frozen=True, slots=True)
class Finished:
    """A mission whose work waits for a review or to be landed."""

    mission: Mission
    repository: ProjectRepository
    worktree: Worktree
    sent_back: bool = False
    """Its agent was asked once to put it right."""

    @property
    def target(self) -> str:
        """The branch it is to land on."""
        return self.mission.target_branch or self.repository.default_branch


def read_finished(workspace: Workspace, session_id: str) -> Finished | None:
    """The work of a session that finished its stage; None when nothing is to be reviewed or landed now."""
    session = workspace.read(queries.sessions.get, session_id)
    with suppress(NotFound):
        mission = workspace.read(queries.missions.get, session.mission_id)
        due = mission.list == "review" or mission.landing_status in ("queued", "landing")
        if not session.stage_finished or session.phase == "ended" or not due or mission.session_id != session_id:
            return None
        repository = workspace.read(queries.projects.repository, mission.project_repository_id or "")
        slot = next(
            (
                one
                for one in workspace.read(queries.workstation.worktrees, repository.id)
                if one.mission_id == mission.id
            ),
            None,
        )
        earlier = [
            one
            for one in workspace.read(queries.sessions.find, mission.id)
            if one.id != session_id and one.stage == session.stage
        ]
        sent_back = bool(earlier) and earlier[-1].reason.startswith(SENT_BACK)
        return Finished(mission, repository, slot, sent_back) if slot else None
    return None


async def prove_finished(context: ServiceContext, finished: Finished) -> Proof:
    """Look at the work; what was put right is noted. A fault that its agent can mend goes back to it once."""
    try:
        proven = await context.git(prove_now, finished)
        await context.git(_note_reviewed, finished, proven)
    except Unproven as error:
        return Proof(reason=str(error), by_agent=error.by_agent and not finished.sent_back)
    except SoloUnicornError as error:
        return Proof(reason=str(error))
    await context.workspace.run(adopt, finished, proven)
    return Proof(commit=proven.commit)


def prove_now(finished: Finished) -> Proven:
    """On a git thread: hold the worktree against every proof, with hooks in the sandbox of its session."""
    facts = inspect(finished.repository.local_path, look_at_files=False)
    with hooks_held(held_by(finished.mission.session_id)):
        return prove(facts.root, facts.common_dir, _claimed(finished, facts.remote))


def adopt(workspace: Workspace, finished: Finished, proven: Proven) -> None:
    """The branch that holds the work is the mission's from now on; what was put right stands in its history."""
    mission, slot = finished.mission, finished.worktree
    if proven.branch != slot.branch:
        workspace.write_as(SYSTEM, operations.workstation.put_worktree, replace(slot, branch=proven.branch))
        workspace.write_as(SYSTEM, operations.workstation.set_mission_worktree, mission.id, slot.path, proven.branch)
    for told in proven.told:
        workspace.write_as(SYSTEM, operations.missions.add_note, mission.id, "progress", told)


def note_as_told(finished: Finished) -> None:
    """What was told of this session is not told again of the next."""
    with suppress(SoloUnicornError):  # a repository that is gone has been told
        facts = inspect(finished.repository.local_path, look_at_files=False)
        note_told(Git(facts.root), facts.common_dir, finished.mission.id)


def _claimed(finished: Finished, remote: str | None) -> Claimed:
    mission, slot = finished.mission, finished.worktree
    return Claimed(
        mission_id=mission.id,
        worktree=Path(slot.path),
        branch=slot.branch,
        base_commit=slot.base_commit,
        target=finished.target,
        remote=remote,
        message=f"{mission.title} (uncommitted work)",
    )


def _note_reviewed(finished: Finished, proven: Proven) -> None:
    note_reviewed(Git(finished.repository.local_path), finished.mission.id, proven.commit)


def check_as_reviewed(mission: Mission, repository: ProjectRepository, branch: str) -> None:
    """Raise Unproven when the branch lacks what the review showed."""
    check_reviewed(Git(inspect(repository.local_path, look_at_files=False).root), mission.id, branch)


def check_something_landed(
    landed: Landed, mission: Mission, repository: ProjectRepository, worktree: Worktree | None, branch: str
) -> None:
    """Raise Unproven when a stage was finished whose work nobody reviewed, and its branch has none.

    A loop mission may find nothing to do, and a person may approve that there is nothing.
    """
    facts = inspect(repository.local_path, look_at_files=False)
    git = Git(facts.root)
    head = git.commit(f"refs/heads/{branch}") or ""
    if landed.commit is None and worktree is not None and not mission.is_loop and mission.review_status != "approved":
        base = worktree.base_commit
        finished = Finished(mission, repository, replace(worktree, branch=branch))
        refs = git.refs(*(f"refs/{place}/{finished.target}" for place in ("heads", f"remotes/{facts.remote}")))
        empty = bool(head) and any(is_empty(git, tip, head) for tip in refs.values())
        if empty or (head and base is not None and git.ancestor(head, base)):
            work = _claimed(finished, facts.remote)
            nothing = "its commits change nothing" if empty else "its agent changed nothing"
            elsewhere = leftovers(Git(worktree.path), facts.common_dir, work)
            raise Unproven(
                f"{branch} has nothing to land, although its stage is finished",
                why=f"the agent left its work in {elsewhere}" if elsewhere else nothing,
                todo=f"move the mission to Done if that is right, or bring the work onto {branch} and land again",
            )
    forget(git, facts.common_dir, mission.id)
