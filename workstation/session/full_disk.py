"""A session on a full disk: nothing of it counts against its mission, and it goes on by itself when there is room."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace

from ...agents.verdict import Judgement
from ...config import paths
from ...missions.entities import ProjectRepository, Session
from ...missions.errors import SoloUnicornError, TryAgain
from ...system.disk import full_place
from ...workspace import queries
from ..context import ServiceContext

PROBLEM = "room for {}"
"""What is said not to work, with the name of the repository."""


async def park(context: ServiceContext, session: Session, error: Exception) -> str:
    """Let the missions of its repository wait, with a pause that grows up to half a minute; what to say of it.

    That it is so is shown like every other problem until one of them starts.
    """
    repository = await _repository(context, session)
    places = (repository.local_path, paths.worktrees_dir(), paths.home(), tempfile.gettempdir())
    where = await asyncio.to_thread(full_place, places) or paths.home()
    said = TryAgain(f"There is no space left on the disk of {where}", why=str(error), todo="free some space")
    pause = context.supervisor.met(PROBLEM.format(repository.name), said)
    context.full.without_room(repository.id, asyncio.get_running_loop().time() + pause)
    return said.what


async def begun(context: ServiceContext, session: Session) -> None:
    """There is room again."""
    context.supervisor.well(PROBLEM.format((await _repository(context, session)).name))


async def judged(context: ServiceContext, session: Session, judgement: Judgement) -> Judgement:
    """An agent that fails where there is no room to work is not to blame: no attempt counts."""
    places = (session.worktree_path or paths.worktrees_dir(), paths.home(), tempfile.gettempdir())
    if judgement.outcome != "failed" or await asyncio.to_thread(full_place, places) is None:
        return judgement
    why = await park(context, session, SoloUnicornError(judgement.reason or "The agent failed"))
    return replace(judgement, outcome="unavailable", reason=f"{why}; {judgement.reason}", final=False)


async def _repository(context: ServiceContext, session: Session) -> ProjectRepository:
    mission = await context.workspace.read(queries.missions.get, session.mission_id)
    return await context.workspace.read(queries.projects.repository, mission.project_repository_id or "")
