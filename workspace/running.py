"""Sessions and claims: who may run, who runs, and how it ended (domain.md, Eligible and Running)."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from ..missions import sessions
from ..missions.board import QueueEntry
from ..missions.eligibility import dispatch_key
from ..missions.entities import SYSTEM, Author, CodeAgent, Mission, Outcome, Session, Usage
from ..missions.landing import Proof
from ..missions.loops import next_run
from ..missions.operations import sessions as operations
from . import lookup, rows
from .base import WorkspaceBase
from .facts import FactFinder

DISPATCH_LISTS = ("todo", "doing", "loop")


class RunningOperations(WorkspaceBase):
    """Operations of the workstation service on missions and sessions."""

    def why_not(self, ref: str) -> str | None:
        """Why a mission is not running: the first rule that fails, in one sentence; None when it may start."""
        with self._reading() as connection:
            return FactFinder(connection, self._clock()).why_not(lookup.mission(connection, ref))

    def queue(self, project: str | None = None) -> list[QueueEntry]:
        """Every ready mission that does not run yet, in dispatch order, with what holds it back."""
        with self._reading() as connection:
            facts = FactFinder(connection, self._clock())
            only = lookup.project(connection, project).id if project else None
            docs = connection.execute(
                "SELECT doc FROM mission WHERE ready = 1 AND deleted = 0 AND session_status = 'INACTIVE' "
                f"AND list IN {DISPATCH_LISTS} AND coalesce(landing_status, 'failed') = 'failed' "
                "AND (?1 IS NULL OR project_id = ?1)",
                (only,),
            ).fetchall()
            missions = sorted((rows.load(Mission, doc) for (doc,) in docs), key=dispatch_key)
            return [QueueEntry(mission, facts.why_not(mission)) for mission in missions]

    def claim(self, ref: str, *, session_id: str, agent: CodeAgent, workstation_id: str) -> Session:
        """Take a mission for a new session: one conditional write (domain.md, Running).

        Claimed already by the same workstation: its session. By another: AlreadyClaimed. Not eligible: Conflict.
        """
        with self._change(SYSTEM) as change:
            return operations.claim(
                change,
                ref,
                session_id=session_id,
                agent=agent,
                workstation_id=workstation_id,
                why_not=FactFinder(change.connection, change.now).why_not,
            )

    def session_started(
        self,
        session_id: str,
        *,
        host_pid: int,
        worktree_path: str | None,
        branch: str | None,
        base_commit: str | None,
        resumed: bool = False,
        unasked: bool = False,
    ) -> Session:
        """The agent process runs: PUSHING → ACTIVE."""
        return self.write_as(
            Author("system", session_id=session_id),
            operations.begin,
            session_id,
            host_pid=host_pid,
            worktree_path=worktree_path,
            branch=branch,
            base_commit=base_commit,
            resumed=resumed,
            unasked=unasked,
        )

    def session_progress(
        self,
        session_id: str,
        *,
        activity: str | None = None,
        usage: Usage | None = None,
        conversation_id: str | None = None,
        transcript_offset: int | None = None,
        at: datetime | None = None,
    ) -> Session:
        """Take in what the agent does now; no event is appended, screens read live sessions anew."""
        return self.write_as(
            SYSTEM,
            operations.progress,
            session_id,
            activity=activity,
            usage=usage,
            conversation_id=conversation_id,
            transcript_offset=transcript_offset,
            at=at,
        )

    def end_session(
        self,
        session_id: str,
        outcome: Outcome,
        reason: str = "",
        *,
        reset_at: datetime | None = None,
        question: str | None = None,
        policy: sessions.RetryPolicy | None = None,
        resume: bool = False,
        proof: Proof | None = None,
    ) -> Mission:
        """A session is over: its outcome, and what follows for the mission. Ending it again changes nothing.

        `resume` lets a mission with outcome `unknown` stay ready, so that its conversation goes on once.
        """
        return self.write_as(
            Author("system", session_id=session_id),
            operations.end,
            session_id,
            outcome,
            reason,
            reset_at=reset_at,
            question=question,
            policy=policy,
            resume=resume,
            proof=proof,
        )

    def sessions(self, mission: str | None = None, *, active: bool = False, limit: int = 200) -> list[Session]:
        """Sessions, oldest first: of one mission or of all, live ones only when asked for."""
        with self._reading() as connection:
            owner = lookup.mission(connection, mission, deleted=True).id if mission else None
            docs = connection.execute(
                "SELECT doc FROM session WHERE (?1 IS NULL OR mission_id = ?1) "
                + ("AND phase <> 'ended' " if active else "")
                + "ORDER BY started_at DESC, id DESC LIMIT ?2",
                (owner, limit),
            ).fetchall()
        return [rows.load(Session, doc) for (doc,) in reversed(docs)]

    def session(self, session_id: str) -> Session:
        """One session; NotFound."""
        with self._reading() as connection:
            return lookup.session(connection, session_id)

    def release_stale_claims(self) -> list[Mission]:
        """Return missions to INACTIVE that were claimed over two minutes ago and never got a session."""
        with self._reading() as connection:
            if not _stale_claims(connection, self._clock()):
                return []
        with self._change(SYSTEM) as change:
            stale = _stale_claims(change.connection, change.now)
            return [operations.give_back(change, mission.id, "it never started") for mission in stale]

    def release_claim(self, session_id: str, reason: str) -> Mission:
        """Give a claim back for which no agent was ever started; no attempt counts and the mission stays ready."""
        return self.write_as(Author("system", session_id=session_id), operations.release, session_id, reason)

    def renew_claim(self, session_id: str) -> bool:
        """Whether the mission is still this session's; False means superseded, and the holder must stop."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM mission WHERE session_id = ? AND session_status <> 'INACTIVE'", (session_id,)
            ).fetchone()
        return row is not None

    def next_dispatch_at(self) -> datetime | None:
        """When a ready mission may become eligible by time alone.

        A back-off, a limit or a loop's pause ends; a machine got over its pressure; a day's budget is new.
        """
        with self._reading() as connection:
            now = self._clock()
            facts = FactFinder(connection, now)
            docs = connection.execute(
                "SELECT doc FROM mission WHERE ready = 1 AND deleted = 0 AND session_status = 'INACTIVE' "
                f"AND list IN {DISPATCH_LISTS} AND (retry_at IS NOT NULL OR is_loop = 1)"
            ).fetchall()
            times = [agent.limited_until for agent in facts.agents if agent.limited_until]
            times += facts.limits_end() if _any_waits(connection) else ()
            for mission in (rows.load(Mission, doc) for (doc,) in docs):
                if mission.retry_at:
                    times.append(mission.retry_at)
                if mission.is_loop and mission.list != "doing":
                    times.append(next_run(mission.loop_schedule, facts.loop_runs(mission), now))
        return min((time for time in times if time > now), default=None)

    def set_session_token(self, session_id: str, sha256: str) -> None:
        """Keep the SHA-256 of a run's token; the token itself is nowhere in the workspace."""
        with self._store.writing() as connection:
            connection.execute("UPDATE session SET token_hash = ? WHERE id = ?", (sha256, session_id))

    def session_for_token(self, sha256: str) -> Session | None:
        """The live session whose token has this SHA-256."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT doc FROM session WHERE token_hash = ? AND phase <> 'ended'", (sha256,)
            ).fetchone()
        return rows.load(Session, row[0]) if row else None


def _stale_claims(connection: sqlite3.Connection, now: datetime) -> list[Mission]:
    docs = connection.execute(
        "SELECT doc FROM mission m WHERE session_status <> 'INACTIVE' AND session_status = 'PUSHING' "
        "AND (session_id IS NULL OR EXISTS (SELECT 1 FROM session s WHERE s.id = m.session_id))"
    ).fetchall()
    return [mission for (doc,) in docs if sessions.stale_push(mission := rows.load(Mission, doc), now)]


def _any_waits(connection: sqlite3.Connection) -> bool:
    """Whether a ready mission is not running."""
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM mission WHERE ready = 1 AND deleted = 0 AND session_status = 'INACTIVE' "
            f"AND list IN {DISPATCH_LISTS})"
        ).fetchone()[0]
    )
