"""Claims: a mission is taken for a new session, or given back."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from ...missions.entities import SYSTEM, CodeAgent, Mission, Session
from ...missions.errors import Conflict
from ...missions.ids import short_id
from ...missions.operations import sessions as sessions_of
from ...missions.rules import sessions
from ..change import Change
from ..integrity import salvage
from ..queries.eligibility_facts import FactFinder
from ..workspace import Workspace


def claim(change: Change, ref: str, *, session_id: str, agent: CodeAgent, workstation_id: str) -> Session:
    """Take a mission for a new session: one conditional write (domain.md, Running).

    Claimed already by the same workstation: its session. By another: AlreadyClaimed. Not eligible: Conflict.
    """
    return sessions_of.claim(
        change,
        ref,
        session_id=session_id,
        agent=agent,
        workstation_id=workstation_id,
        why_not=FactFinder(change.connection, change.now).why_not,
    )


def release_stale_claims(workspace: Workspace) -> list[Mission]:
    """Return missions to INACTIVE that were claimed over two minutes ago and never got a session."""
    if not workspace.read(_stale_claims, workspace.now()):
        return []
    return workspace.write_as(SYSTEM, _release_stale)


def _release_stale(change: Change) -> list[Mission]:
    stale = _stale_claims(change.connection, change.now)
    return [sessions_of.give_back(change, mission.id, "it never started") for mission in stale]


def refused(change: Change, session_id: str, attempt: str) -> None:
    """An agent tried in its session what it may not; told in the history of its mission."""
    session = change.session(session_id)
    change.event(session.project_id, "refused", mission_id=session.mission_id, note=attempt)


def said(change: Change, ref: str, text: str, *, later: str = "") -> Mission:
    """A person's words to an agent: handed over, or (`later`: why not now) kept for the prompt of its next session."""
    mission = change.mission(ref)
    kind = "said_later" if later else "said"
    change.event(mission.project_id, kind, mission_id=mission.id, note=f"{text}\n({later})" if later else text)
    return mission


def take_over(change: Change, ref: str, words: str) -> Mission:
    """A person has the mission's conversation open in a terminal; nothing starts on it meanwhile."""
    mission = change.mission(ref)
    if mission.agent_session_status != "INACTIVE":
        raise Conflict(f"{short_id(mission.number)} is running", todo="stop it first")
    return change.save(mission, replace(mission, ready=False, attention=words), "taken_over", note=words)


def hand_back(change: Change, ref: str, *, ready: bool) -> Mission:
    """The terminal was closed: the mission goes on from there."""
    mission = change.mission(ref)
    return change.save(mission, replace(mission, ready=ready, attention=None), "handed_back")


def set_token(change: Change, session_id: str, sha256: str) -> None:
    """Keep the SHA-256 of a run's token; the token itself is nowhere in the workspace."""
    change.connection.execute("UPDATE session SET token_hash = ? WHERE id = ?", (sha256, session_id))


def _stale_claims(connection: sqlite3.Connection, now: datetime) -> list[Mission]:
    docs = connection.execute(
        "SELECT doc FROM mission m WHERE session_status <> 'INACTIVE' AND session_status = 'PUSHING' "
        "AND (session_id IS NULL OR EXISTS (SELECT 1 FROM session s WHERE s.id = m.session_id))"
    ).fetchall()
    return [one for one in salvage.missions(connection, docs) if sessions.stale_push(one, now)]
