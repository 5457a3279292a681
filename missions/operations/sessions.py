"""Claims and sessions: a mission is taken for a run, and what the end of the run means for it (domain.md, Running).

The record of a session is on the machine that runs it; at a hub there is none, and only the mission changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ..entities import Author, CodeAgent, Mission, Outcome, Session, Usage
from ..errors import AlreadyClaimed, Conflict, NotFound
from ..figures.usage import credible
from ..ids import short_id
from ..rules import landing, sessions
from ..rules.landing import Proof
from .port import Change

SENT_BACK = "sent back to its agent"
"""How the reason of a session begins whose work did not hold what it showed."""


def take(change: Change, ref: str, session_id: str, *, note: str = "") -> Mission:
    """The mission claimed for a session; a run of a loop mission is counted."""
    mission = change.mission(ref)
    if mission.is_loop and mission.list != "doing":
        change.event(mission.project_id, "loop_run", mission_id=mission.id)
    return change.save(mission, sessions.claim(mission, session_id, change.now), "claimed", note=note)


def give_back(change: Change, ref: str, reason: str) -> Mission:
    """A claim given back for which no agent was ever started; no attempt counts and the mission stays ready."""
    mission = change.mission(ref)
    session = _own_session(change, mission.session_id)
    if session is not None and session.phase != "ended":
        ended = replace(session, phase="ended", outcome="cancelled", reason=reason, ended_at=change.now, activity="")
        change.save_session(ended)
    return change.save(mission, sessions.released(mission, change.now), "claim_released", note=reason)


def finish(
    change: Change,
    ref: str,
    outcome: Outcome,
    reason: str = "",
    *,
    reset_at: datetime | None = None,
    question: str | None = None,
    policy: sessions.RetryPolicy | None = None,
    stage_finished: bool = False,
    resume: bool = False,
    counts: bool = True,
) -> Mission:
    """The mission after the run that held it ended; `resume` lets an `unknown` one go on once."""
    mission = change.mission(ref, deleted=True)
    after = sessions.ended(
        mission,
        outcome,
        reason,
        now=change.now,
        policy=policy or sessions.RetryPolicy(),
        reset_at=reset_at,
        question=question,
        stage_finished=stage_finished,
        resume=resume,
        counts=counts,
    )
    return change.save(mission, after, "session_ended", note=f"{outcome}: {reason}" if reason else outcome)


def claim(
    change: Change,
    ref: str,
    *,
    session_id: str,
    agent: CodeAgent,
    workstation_id: str,
    why_not: Callable[[Mission], str | None],
) -> Session:
    """Take a mission for a new session of an agent here.

    Claimed already by the same workstation: its session. By another: AlreadyClaimed. Not eligible by `why_not`:
    Conflict.
    """
    mission = change.mission(ref)
    granted = mission.session_id == session_id  # the hub gave it to this session, and told so before us
    if mission.agent_session_status != "INACTIVE" and mission.session_id and not granted:
        return _held(change, mission, workstation_id)
    reason = why_not(mission)
    if reason and not granted:
        raise Conflict(f"{short_id(mission.number)} cannot start", why=reason)
    session = Session(
        id=session_id,
        mission_id=mission.id,
        project_id=mission.project_id,
        workstation_id=workstation_id,
        agent_type=agent.type,
        agent_name=agent.name,
        stage=mission.stage,
        started_at=change.now,
    )
    change.save_session(session)
    change.by = Author("system", session_id=session_id)
    take(change, mission.id, session_id, note=agent.name)
    return session


def begin(
    change: Change,
    session_id: str,
    *,
    host_pid: int,
    worktree_path: str | None,
    branch: str | None,
    base_commit: str | None,
    folder: str | None = None,
    resumed: bool = False,
    unheld: str = "",
    sandbox: str = "",
) -> Session:
    """The agent process runs: PUSHING → ACTIVE."""
    session = change.session(session_id)
    mission = change.mission(session.mission_id)
    session = replace(
        session,
        phase="running",
        host_pid=host_pid,
        worktree_path=worktree_path,
        branch=branch,
        base_commit=base_commit,
        folder=folder,
        resumed=resumed,
        unasked=bool(unheld),
        unheld=unheld,
        sandbox=sandbox,
        last_event_at=change.now,
    )
    change.save_session(session)
    change.save(mission, sessions.started(mission, change.now), "session_started", note=session.agent_name)
    return session


def progress(
    change: Change,
    session_id: str,
    *,
    activity: str | None = None,
    usage: Usage | None = None,
    context: tuple[int, int] | None = None,
    conversation_id: str | None = None,
    transcript_offset: int | None = None,
    at: datetime | None = None,
) -> Session:
    """Take in what the agent does now; no event is appended, screens read live sessions anew.

    `context`: how many tokens of its model's context are filled, of how many (0: not told).
    """
    session = change.session(session_id)
    after = replace(
        session,
        activity=session.activity if activity is None else activity[:200],
        usage=session.usage if usage is None else credible(usage),
        context_used=context[0] if context else session.context_used,
        context_size=context[1] if context else session.context_size,
        conversation_id=conversation_id or session.conversation_id,
        transcript_offset=max(session.transcript_offset, transcript_offset or 0),
        last_event_at=at or session.last_event_at,
    )
    change.save_session(after)
    if conversation_id and conversation_id != session.conversation_id:
        mission = change.mission(session.mission_id)
        known = sessions.conversation(mission, after, conversation_id, change.now)
        change.by = Author("system", session_id=session_id)
        change.save(mission, known, "conversation_known")
    return after


def end(
    change: Change,
    session_id: str,
    outcome: Outcome,
    reason: str = "",
    *,
    reset_at: datetime | None = None,
    question: str | None = None,
    policy: sessions.RetryPolicy | None = None,
    resume: bool = False,
    proof: Proof | None = None,
    counts: bool = True,
) -> Mission:
    """A session is over: its outcome, and what follows for the mission. Ending it again changes nothing.

    `proof` is what a look at the finished work said, where the session finished its stage.
    """
    session = change.session(session_id)
    mission = change.mission(session.mission_id, deleted=True)
    if session.phase == "ended":
        return mission
    if proof is not None:
        session = replace(session, reviewed_commit=proof.commit)
        reason = f"{SENT_BACK}: {proof.reason}" if proof.reason and proof.by_agent else reason
    change.save_session(
        replace(session, phase="ended", outcome=outcome, reason=reason, ended_at=change.now, activity="", waits_for="")
    )
    if mission.session_id != session_id:
        return mission
    ended = finish(
        change,
        mission.id,
        outcome,
        reason,
        reset_at=reset_at,
        question=question,
        policy=policy,
        stage_finished=session.stage_finished,
        resume=resume,
        counts=counts,
    )
    if proof is None or not proof.reason:
        return ended
    after = landing.unproven(ended, proof.reason, by_agent=proof.by_agent, now=change.now)
    return change.save(ended, after, "sent_back" if proof.by_agent else "unproven", note=proof.reason)


def release(change: Change, session_id: str, reason: str) -> Mission:
    """Give back a session's claim; nothing happens when it no longer holds the mission, or its agent runs."""
    mission = change.mission(change.session(session_id).mission_id)
    if mission.session_id != session_id or mission.agent_session_status != "PUSHING":
        return mission
    return give_back(change, mission.id, reason)


def _own_session(change: Change, session_id: str | None) -> Session | None:
    try:
        return change.session(session_id) if session_id else None
    except NotFound:  # of another machine
        return None


def _held(change: Change, mission: Mission, workstation_id: str) -> Session:
    """The session that holds a mission, when it is of this workstation; AlreadyClaimed."""
    held = _own_session(change, mission.session_id)
    if held is not None and held.workstation_id == workstation_id:
        return held
    holder = held.workstation_id if held else "another machine"
    raise AlreadyClaimed(f"{short_id(mission.number)} is claimed", holder=holder, why=f"{holder} runs it")
