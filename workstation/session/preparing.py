"""What comes before an agent starts: its worktree, its prompt, its way to report.

Every step may be repeated: the pool hands a mission the worktree it already has, a new token replaces the one before,
the run directory's files are written anew. So a service that is killed in here leaves nothing that must be mended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ...agents import launch
from ...agents.launch import Bounds, McpEntry
from ...config import prompts
from ...config.correlation import correlation
from ...config.settings import Settings
from ...mcp_server.caller import digest, new_token
from ...missions.comments import LineComment
from ...missions.entities import SYSTEM, Attachment, Mission, Session
from ...missions.errors import SoloUnicornError
from ...missions.ids import short_id
from ...missions.prompts import PromptContext, build_prompt, template_name
from ...missions.rules.landing import worktree_branch
from ...missions.rules.pull_requests import is_followed
from ...workspace import operations, queries
from ...workspace.queries.attachments import content_path
from ...workspace.workspace import Workspace
from ...worktrees.bases import remote_base
from ...worktrees.diff.comments import place_comments
from ...worktrees.landing.proofs import note_begin
from ...worktrees.noted_states import note_state
from ...worktrees.pool.pool import Pool
from ...worktrees.pool.preparing import Preparation
from ...worktrees.pool.records import PoolFull, WorktreeLease
from ...worktrees.pool.scripts import ScriptResult
from ...worktrees.repository.folders import start_in
from ..context import ServiceContext
from .brief import Brief, began, conversation_to_resume, read_brief
from .doubting import doubts
from .outcome_policy import ended_unfinished

COMMENTS_SECONDS = 15.0
"""How long the comments of a pull request are waited for before a session starts."""
NOTE_SHOWN = 500
OUTPUT_SHOWN = 4000
"""Characters of a script's output in the mission's history."""
FILES = "files"
"""The mission's files in the run directory."""

ReadComments = Callable[[str], Awaitable[None]]
"""Takes in what is new in the open pull request of a mission."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the session's row says of where it runs."""

    worktree: str
    branch: str
    base_commit: str
    resumed: bool
    folder: str = ""
    """Of the worktree, that the agent is started in."""
    unheld: str = ""
    """What the agent is not held to (agents/guard.py)."""
    sandbox: str = ""
    """What holds it, for people."""


async def prepare(context: ServiceContext, session: Session, run_dir: Path, read_comments: ReadComments) -> Prepared:
    """Bring everything about for `launch.start`; raises SoloUnicornError with the reason when it cannot be."""
    await _read_comments(context, session, read_comments)
    brief = await context.workspace.run(read_brief, session, context.settings.budget.mission_usd)
    branch = worktree_branch(brief.mission, brief.repository)
    async with context.pool_turn(brief.repository.id):
        try:
            lease = await context.git(
                _acquire,
                context.pool,
                brief,
                branch,
                from_remote=context.settings.worktrees.start_from == "remote",
                leave_large=True,
            )
        except PoolFull:
            rows = await context.workspace.read(queries.workstation.worktrees)
            context.full.without_worktree(brief.repository.id, asyncio.get_running_loop().time(), rows)
            raise
    context.full.over(brief.repository.id)
    await context.workspace.run(_keep_worktree, brief.mission, lease)
    await _note_turn(context, brief.mission, lease)
    _begin_in_background(context, brief, lease)
    brief = await _with_doubts(context, brief, lease)
    comments = await _placed_comments(context, brief.mission, lease)
    await context.git(start_in, lease.path, brief.repository.folder)
    preparation = await context.git(context.pool.prepare, lease, brief.repository)
    await context.workspace.run(_note_setup, brief.mission, preparation)
    conversation = conversation_to_resume(brief, str(lease.path))
    token = new_token()
    await context.workspace.write_as(SYSTEM, operations.dispatch.set_token, session.id, digest(token))
    bounds = await context.git(
        _write_run,
        brief,
        comments,
        lease,
        run_dir,
        context.mcp.entry(token),
        conversation,
        context.settings,
        correlation.get(),
        preparation.environment,
    )
    return Prepared(
        str(lease.path),
        lease.branch,
        lease.base_commit,
        conversation is not None,
        brief.repository.folder,
        bounds.unheld,
        bounds.sandbox,
    )


async def _with_doubts(context: ServiceContext, brief: Brief, lease: WorktreeLease) -> Brief:
    """The brief with the memory as the files of the worktree leave it."""
    sections = await context.workspace.read(queries.memory.speaking_of_files, brief.mission)
    if not sections:
        return brief
    found = await context.git(doubts, lease.path, sections)
    await context.workspace.write_as(SYSTEM, operations.doubts.mark, brief.project.id, found)
    return replace(brief, memory=await context.workspace.read(queries.memory.for_mission, brief.mission))


async def _read_comments(context: ServiceContext, session: Session, read: ReadComments) -> None:
    """What reviewers wrote until now goes into the prompt; when GitHub is slow, what was seen last does."""
    mission = await context.workspace.read(queries.missions.get, session.mission_id)
    if is_followed(mission):
        with suppress(TimeoutError):
            async with asyncio.timeout(COMMENTS_SECONDS):
                await read(mission.id)


def _keep_worktree(workspace: Workspace, mission: Mission, lease: WorktreeLease) -> None:
    if (mission.worktree_path, mission.pr_branch_name) != (str(lease.path), lease.branch):
        workspace.write_as(
            SYSTEM, operations.workstation.set_mission_worktree, mission.id, str(lease.path), lease.branch
        )
    for warning in lease.warnings:
        if not any(warning in event.note for event in workspace.read(queries.missions.history, mission.id)):
            workspace.write_as(SYSTEM, operations.missions.add_note, mission.id, "progress", warning)


async def _note_turn(context: ServiceContext, mission: Mission, lease: WorktreeLease) -> None:
    """What the agent begins its turn with, for a reviewer who wants to see this turn alone."""
    words = await context.workspace.read(queries.review_marks.words_of_people, mission.id)
    if (await context.workspace.read(queries.review_marks.of_mission, mission.id)).turn_words != words:
        commit = await context.git(note_state, lease.path, mission.id)
        await context.workspace.write_as(SYSTEM, operations.review_marks.turn_began, mission.id, commit)


def script_note(ran: ScriptResult) -> str:
    """How a script of the repository went, with the end of what it printed; the whole is in its log."""
    printed = ran.output.strip()[-OUTPUT_SHOWN:]
    return f"{ran.sentence}\n{printed}" if printed else ran.sentence


def _note_setup(workspace: Workspace, mission: Mission, preparation: Preparation) -> None:
    """Tell of the setup script where one ran; one that failed keeps the agent from starting in a half-made place."""
    ran = preparation.setup
    if ran is None:
        return
    workspace.write_as(SYSTEM, operations.missions.add_note, mission.id, "progress", script_note(ran))
    if not ran.passed:
        raise SoloUnicornError(
            ran.sentence, why=ran.output[-NOTE_SHOWN:].strip(), todo="fix the script, then try again"
        )


def _acquire(pool: Pool, brief: Brief, branch: str, *, from_remote: bool, leave_large: bool) -> WorktreeLease:
    """On a thread: the worktree, from what the mission names, else from its target branch here or on the remote."""
    target = brief.mission.target_branch or brief.repository.default_branch
    base = brief.mission.start_from or (remote_base(brief.repository.local_path, target) if from_remote else None)
    lease = pool.acquire(brief.repository, brief.mission, branch=branch, base=base, leave_large=leave_large)
    note_begin(lease, brief.mission.id)
    return lease


def _begin_in_background(context: ServiceContext, brief: Brief, lease: WorktreeLease) -> None:
    """What the agent does not wait for."""
    if lease.pending is not None:
        context.background.copy(lease.pending)
    if lease.how != "resumed":
        base = brief.mission.start_from or brief.mission.target_branch or brief.repository.default_branch
        context.background.refresh(brief.repository, brief.mission, base)


async def _placed_comments(context: ServiceContext, mission: Mission, lease: WorktreeLease) -> tuple[LineComment, ...]:
    """The line comments where they stand in the worktree now, which is kept for all who read them."""
    comments = await context.workspace.run(
        lambda workspace: workspace.read(queries.comments.of_mission, mission.id, open_only=True)
    )
    if not comments:
        return ()
    state = await context.workspace.read(queries.missions.change_state_of, mission.id)
    placed = await context.git(place_comments, comments, lease.path, state.base or lease.base_commit)
    await context.workspace.run(
        lambda workspace: workspace.write_as(SYSTEM, operations.change_measures.keep_comments, placed)
    )
    return tuple(placed)


def _write_run(
    brief: Brief,
    comments: tuple[LineComment, ...],
    lease: WorktreeLease,
    run_dir: Path,
    mcp: McpEntry,
    conversation: str | None,
    settings: Settings,
    correlation_id: str,
    environment: dict[str, str],
) -> Bounds:
    files = place_files(brief.files, run_dir / FILES)
    context = PromptContext(
        mission=brief.mission,
        flow=brief.flow,
        stage=brief.stage,
        project=brief.project,
        repository=brief.repository,
        actor=brief.actor,
        memory_excerpt=brief.memory,
        authors=brief.authors,
        blockers=brief.blockers,
        comments=comments,
        branch=lease.branch,
        worktree=str(lease.path),
        resumed=conversation is not None,
        files=tuple((one, str(path)) for one, path in zip(brief.files, files, strict=True)),
        words=brief.words,
        former=brief.earlier[-1] if brief.earlier and conversation is None else None,
        decisions=brief.decisions,
        nudge=ended_unfinished(brief.earlier[-1] if brief.earlier else None, brief.stage.stage),
    )
    anew = replace(context, resumed=False, former=brief.earlier[-1] if brief.earlier else None)
    try:
        return launch.prepare(
            run_dir,
            brief.agent,
            prompt=_prompt(context),
            fresh=_prompt(anew) if conversation is not None else "",
            worktree=lease.path,
            folder=brief.repository.folder,
            mcp=mcp,
            resume=conversation,
            began=began(brief, conversation),
            settings=settings,
            correlation=correlation_id,
            mission=short_id(brief.mission.number),
            extra=environment,
            rules=brief.rules,
            attached=files,
            budget=brief.left,
            level=brief.sandbox,
            model=brief.mission.agent_model or brief.stage.model,
            effort=brief.mission.agent_effort or brief.stage.effort,
        )
    except OSError as error:
        raise SoloUnicornError(f"The run directory {run_dir} cannot be written", why=str(error)) from error


def _prompt(context: PromptContext) -> str:
    where = Path(context.repository.local_path) if context.repository else Path()
    return build_prompt(context, prompts.template(template_name(context), where))


def place_files(attachments: Sequence[Attachment], directory: Path) -> list[Path]:
    """Each file under its own name in the run directory, where the agent may read it; a link, so it takes no room."""
    placed = [directory / one.name for one in attachments]
    for one, path in zip(attachments, placed, strict=True):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.hardlink_to(content_path(one))
    return placed
