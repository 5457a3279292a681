"""The states of a mission while agents work on it, and what each outcome means for it (domain.md, Running).

    INACTIVE --claim--> PUSHING --started--> ACTIVE
        ^                  |                    |
        +--released/ended--+-------ended--------+

A mission in PUSHING or ACTIVE has exactly one session, `session_id`; afterwards that is its last one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ..entities import OUTCOMES, Mission, Outcome, Session
from ..errors import AlreadyClaimed, Conflict, InvalidValue
from ..ids import short_id
from ..limits import RETRY_ATTEMPTS, RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS
from ..records import record, replace
from ..waits import believed, left

PUSH_LIMIT = timedelta(seconds=120)
"""A claim that got no session for longer than this is given back."""
CLAIMABLE = frozenset({"todo", "doing", "loop"})


@record
class RetryPolicy:
    """When a failed mission is tried again, and how often; and how long a limit without a reset time parks it."""

    first: timedelta = timedelta(seconds=RETRY_FIRST_SECONDS)
    cap: timedelta = timedelta(seconds=RETRY_LONGEST_SECONDS)
    attempts: int = RETRY_ATTEMPTS
    limit_first: timedelta = timedelta(minutes=1)
    limit_cap: timedelta = timedelta(hours=1)

    def after_failure(self, attempts: int) -> timedelta:
        """The pause after so many failed attempts in a row: first · 2ⁿ, at most the cap."""
        return _doubled(self.first, attempts, self.cap)

    def after_limit(self, hits: int) -> timedelta:
        """The pause after meeting a limit so many times in a row without hearing when it resets."""
        return _doubled(self.limit_first, hits, self.limit_cap)


def _doubled(first: timedelta, times: int, cap: timedelta) -> timedelta:
    return min(cap, first * (1 << min(times - 1, 30)))


def claim(mission: Mission, session_id: str, now: datetime) -> Mission:
    """The mission claimed for a session: PUSHING, in doing. The same session may claim again.

    Raises AlreadyClaimed naming the session that holds it, Conflict where no agent may work on it.
    """
    name = short_id(mission.number)
    if mission.agent_session_status != "INACTIVE":
        if mission.session_id == session_id:
            return mission
        holder = mission.session_id or "another session"
        raise AlreadyClaimed(f"{name} is claimed", holder=holder, why=f"{holder} works on it")
    if mission.list not in CLAIMABLE:
        raise Conflict(f"{name} is in {mission.list}", why="agents work on missions in todo, doing or loop")
    if mission.landing_status in ("queued", "landing", "pull_request"):
        raise Conflict(f"{name} is about to be landed", why="its last stage is finished")
    return replace(
        mission,
        agent_session_status="PUSHING",
        agent_session_status_changed_at=now,
        session_id=session_id,
        list="doing",
        attention=None,
        retry_at=None,
        updated_at=now,
    )


def started(mission: Mission, now: datetime) -> Mission:
    """The agent process runs: ACTIVE. Raises Conflict when the claim was lost meanwhile."""
    match mission.agent_session_status:
        case "ACTIVE":
            return mission
        case "INACTIVE":
            raise Conflict(
                f"{short_id(mission.number)} is no longer claimed",
                why="its claim was released before the agent started",
                todo="stop the agent and claim the mission again",
            )
    return replace(mission, agent_session_status="ACTIVE", agent_session_status_changed_at=now, updated_at=now)


def conversation(mission: Mission, session: Session, conversation_id: str, now: datetime) -> Mission:
    """The mission knowing the agent's conversation, to resume it later with the same agent.

    Unchanged when that session no longer is the mission's, or the mission went on to another stage.
    """
    known = (mission.last_code_agent_session_id, mission.last_code_agent_name) == (conversation_id, session.agent_name)
    if known or (mission.session_id, mission.stage) != (session.id, session.stage):
        return mission
    return replace(
        mission, last_code_agent_session_id=conversation_id, last_code_agent_name=session.agent_name, updated_at=now
    )


def stale_push(mission: Mission, now: datetime) -> bool:
    """Whether a claim got no session for two minutes, so that it returns to INACTIVE."""
    since = mission.agent_session_status_changed_at
    return mission.agent_session_status == "PUSHING" and not left(since, PUSH_LIMIT, now)


def released(mission: Mission, now: datetime) -> Mission:
    """The mission with its claim given back: no agent ran, no attempt counts."""
    return replace(mission, agent_session_status="INACTIVE", agent_session_status_changed_at=now, updated_at=now)


def ended(
    mission: Mission,
    outcome: Outcome,
    reason: str,
    *,
    now: datetime,
    policy: RetryPolicy,
    reset_at: datetime | None = None,
    question: str | None = None,
    stage_finished: bool = False,
    resume: bool = False,
    counts: bool = True,
) -> Mission:
    """The mission after its session ended with exactly one outcome.

    `stage_finished`: the agent finished its stage through the MCP tool in this session; that alone is success, and
    what came after it does not take it back. `resume`: its conversation goes on by itself, once: the machine died under
    it (still shown as `unknown`), its turn ended without its stage, or its agent did not know the conversation any more
    and begins a new one. `counts` False: the agent had no chance, so it
    is no attempt; it is tried again at `reset_at`, without one a person is asked at once. Raises Conflict when no
    session runs.
    """
    if outcome not in OUTCOMES:
        raise InvalidValue("outcome", f"{outcome!r} is not a valid outcome", todo=f"use one of {', '.join(OUTCOMES)}")
    if mission.agent_session_status == "INACTIVE":
        raise Conflict(f"{short_id(mission.number)} has no running session", why="it has already ended")
    free = released(mission, now)
    if outcome == "cancelled":
        return free if stage_finished and mission.list == "review" else replace(free, ready=False)
    if stage_finished or mission.list not in CLAIMABLE:
        return free
    if not counts and reset_at is not None:
        return replace(free, retry_at=reset_at)
    if not counts:
        return _waiting(free, reason[:1].upper() + reason[1:])
    asked = (question or "").strip() or mission.question
    match outcome:
        case "rate_limited":
            return _limited(free, now, policy, reset_at)
        case "unavailable":
            return replace(free, retry_at=None)  # its agent is held; whoever takes it next is the rules' choice
        case "auth_failed":
            return replace(free, retry_at=None, attention=reason or "Its agent is signed out; sign it in again")
        case "unknown":
            told = f"Outcome unknown: {reason or 'there is no proof of how the session ended'}"
            return replace(free, attention=told) if resume else _waiting(free, told)
        case "needs_input" if asked or mission.answer is None:
            return _asking(free, asked or reason or "The agent needs your input")
        case "needs_input":
            return free  # the answer came while the session was ending: the next one takes it along
        case "completed" | "failed" | "timeout" if asked:
            return _asking(free, asked)
        case "completed" | "failed" if resume:
            return replace(free, retry_at=None)
        case "completed" if reason:  # told before, and did so again
            return _waiting(replace(free, attempts=free.attempts + 1), reason[:1].upper() + reason[1:])
        case "completed":
            return _failed(free, "ended without finishing its stage", now, policy)
        case _:
            return _failed(free, reason or outcome, now, policy)


def _failed(mission: Mission, reason: str, now: datetime, policy: RetryPolicy) -> Mission:
    attempts = mission.attempts + 1
    if attempts < policy.attempts:
        return replace(mission, attempts=attempts, retry_at=now + policy.after_failure(attempts))
    times = "once" if attempts == 1 else f"{attempts} times"
    return _waiting(replace(mission, attempts=attempts), f"Failed {times}: {reason}")


def _limited(mission: Mission, now: datetime, policy: RetryPolicy, reset_at: datetime | None) -> Mission:
    """Parked: it keeps its place, and no attempt counts."""
    if (reset_at := believed(reset_at, now)) is not None:
        return replace(mission, retry_at=reset_at, limit_hits=0)
    hits = mission.limit_hits + 1
    return replace(mission, retry_at=now + policy.after_limit(hits), limit_hits=hits)


def _waiting(mission: Mission, attention: str) -> Mission:
    """Left to a person, who marks it ready again."""
    return replace(mission, ready=False, retry_at=None, attention=attention)


def _asking(mission: Mission, question: str) -> Mission:
    return replace(
        mission, question=question, asked_by="", retry_at=None, attention=f"Asks: {question}", answer=None, asked=None
    )
