"""What the end of a session means for its mission and its agent (domain.md, Running).

The agent's protocol and its host say how it ended (agents/verdict.py); the workspace knows what it did for its mission
through our tools. What concerns the agent as a whole (parked, signed out) is written before the session is ended: a
service that dies between the two ends the session late, and nobody is given to a parked agent meanwhile.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ...agents import catalogue
from ...agents.handle import HostOutcome
from ...agents.verdict import NO_TOOLS, Judgement
from ...config import paths
from ...config.settings import SessionSettings
from ...missions import holds
from ...missions.entities import SYSTEM, HoldKind, Mission, Session, service_of
from ...missions.errors import NotFound
from ...missions.rules.landing import Proof
from ...missions.rules.sessions import RetryPolicy
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from .transcript_fold import TranscriptFold

TOOLS_SECONDS = 180.0
"""For so long an agent may use other tools while its token did not come to our MCP server."""
WORDS_SHOWN = 2000
"""Characters of an agent's last message that are kept as the reason of its session's end."""


def policy(settings: SessionSettings) -> RetryPolicy:
    """The person's settings as the rules take them."""
    return RetryPolicy(
        first=timedelta(seconds=settings.retry_first_seconds),
        cap=timedelta(seconds=settings.retry_longest_seconds),
        attempts=settings.retry_attempts,
    )


def judge(workspace: Workspace, session_id: str, reading: TranscriptFold, host: HostOutcome | None) -> Judgement:
    """The outcome of a session whose process is proven dead; `host` None when its host died without a word."""
    session = workspace.read(queries.sessions.get, session_id)
    judgement = reading.verdict.decide(
        host, stage_finished=session.stage_finished, question=_open_question(workspace, session)
    )
    parked = _parked_until(workspace, session)
    if parked is not None and not session.stage_finished and judgement.outcome in ("completed", "failed"):
        # it reported its limit through our tool and ended its turn as it was told to
        reason = "it reported its limit"
        return replace(judgement, outcome="rate_limited", reason=reason, reset_at=parked, hold="limit")
    if _had_no_tools(session, reading, judgement):
        return replace(judgement, outcome="failed", reason=NO_TOOLS, no_chance=True)
    if judgement.outcome == "completed" and not session.stage_finished:
        return _unfinished(judgement, again=ended_unfinished(_before(workspace, session), session.stage) is not None)
    return judgement


UNSTARTED = "could not be started"


def starts_again_at(workspace: Workspace, session_id: str, settings: SessionSettings) -> datetime | None:
    """When a session whose agent could not be started is followed by another; None: a person is asked.

    The pauses and tries are those of failed attempts, which these are not.
    """
    session, tries, failed = workspace.read(queries.sessions.get, session_id), policy(settings), 1
    for earlier in reversed(workspace.read(queries.sessions.find, session.mission_id)):
        if earlier.id == session_id:
            continue
        if earlier.stage != session.stage or not earlier.reason.startswith(UNSTARTED):
            break
        failed += 1
    return datetime.now(UTC) + tries.after_failure(failed) if failed % tries.attempts else None


def works_in_vain(session_id: str, reading: TranscriptFold, now: float) -> bool:
    """Whether it has been at work without our tools for TOOLS_SECONDS (`now`: seconds since the epoch).

    One that only starts, thinks or waits for its service may still come to them.
    """
    since = reading.life.acted_at
    return since is not None and now - since >= TOOLS_SECONDS and not paths.tools_reached(session_id).exists()


def _had_no_tools(session: Session, reading: TranscriptFold, judgement: Judgement) -> bool:
    """Whether it worked, or was given time to, without a request of its token; what refused work is told first."""
    refused = judgement.hold is not None or judgement.conversation_lost
    if session.stage_finished or refused or judgement.outcome not in ("completed", "failed"):
        return False
    return reading.verdict.turn_ended and not paths.tools_reached(session.id).exists()


UNFINISHED = "ended its turn without finishing its stage"


def ended_unfinished(before: Session | None, stage: str) -> str | None:
    """What an agent said when it ended its turn there, without its stage being finished; None when it did not."""
    if before is None or before.stage != stage or not before.reason.startswith(UNFINISHED):
        return None
    return before.reason.removeprefix(UNFINISHED).removeprefix("; it said: ")


def _unfinished(judgement: Judgement, *, again: bool) -> Judgement:
    """A turn that was ended without a word to us: told once, then shown, as a question where it is one."""
    words = judgement.words
    if again and "?" in words:
        return replace(
            judgement, outcome="needs_input", reason="it asked a question in its last message", question=words
        )
    reason = f"{UNFINISHED}; it said: {words[:WORDS_SHOWN]}" if words else UNFINISHED
    return replace(judgement, reason=reason, nudged=not again, final=again)


def _before(workspace: Workspace, session: Session) -> Session | None:
    earlier = [one for one in workspace.read(queries.sessions.find, session.mission_id) if one.id != session.id]
    return earlier[-1] if earlier else None


def end(
    workspace: Workspace,
    session_id: str,
    judgement: Judgement,
    settings: SessionSettings,
    *,
    resume: bool = False,
    proof: Proof | None = None,
) -> Mission:
    """Write it down: first what concerns the agent, then the session and its mission, in one transaction."""
    session = workspace.read(queries.sessions.get, session_id)
    reset_at = judgement.reset_at
    if judgement.hold is not None:
        reset_at = _hold(workspace, session, judgement, judgement.hold) or reset_at
    elif judgement.answered:
        operations.workstation.agent_answered(workspace, session.agent_name)
    return workspace.write_as(
        service_of(session_id),
        operations.sessions.end,
        session_id,
        judgement.outcome,
        judgement.reason,
        reset_at=reset_at,
        question=judgement.question,
        policy=replace(policy(settings), attempts=1) if judgement.final else policy(settings),
        resume=resume,
        proof=proof,
        counts=not judgement.no_chance,
    )


def goes_on_by_itself(workspace: Workspace, session_id: str) -> bool:
    """Whether a mission whose session was lost runs again without a person.

    Once: not when the session before was lost as well. And only where the agent can go on with its conversation, or
    had not begun one.
    """
    session = workspace.read(queries.sessions.get, session_id)
    earlier = [other for other in workspace.read(queries.sessions.find, session.mission_id) if other.id != session.id]
    if earlier and earlier[-1].outcome == "unknown" and earlier[-1].stage == session.stage:
        return False
    entry = catalogue.load(own=paths.home() / "agents").get(session.agent_type)
    return session.conversation_id is None or bool(entry and entry.turn.resume)


def _open_question(workspace: Workspace, session: Session) -> str | None:
    with suppress(NotFound):
        return workspace.read(queries.missions.get, session.mission_id).question
    return None


def _parked_until(workspace: Workspace, session: Session) -> datetime | None:
    """Until when the agent is parked, where this session itself reported the limit through our tool."""
    parked = next(
        (
            agent.rate_limit_reset_at
            for agent in workspace.read(queries.workstation.agents)
            if agent.name == session.agent_name and holds.is_on(agent.hold, datetime.now(UTC))
        ),
        None,
    )
    if parked is None:
        return None
    with suppress(NotFound):
        for event in workspace.read(queries.missions.history, session.mission_id):
            if event.author.session_id == session.id and event.kind == "noted_blocker":
                return parked
    return None


def _hold(workspace: Workspace, session: Session, judgement: Judgement, kind: HoldKind) -> datetime | None:
    """Hold its agent for what refused the run; until when."""
    entry = catalogue.load(own=paths.home() / "agents").get(session.agent_type)
    with suppress(NotFound):  # a person removed the agent meanwhile: nothing of it is left to note
        return workspace.write_as(
            SYSTEM,
            operations.workstation.hold_agent,
            session.agent_name,
            kind,
            judgement.reason,
            reset_at=judgement.reset_at,
            todo=entry.sign_in if entry else "",
        ).until
    return None
