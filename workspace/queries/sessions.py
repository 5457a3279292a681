"""Who may run next, who runs, and why the others wait (domain.md, Eligible and Running)."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from ...missions.board import QueueEntry
from ...missions.entities import Mission, Session
from ...missions.limits import STARTS_AN_HOUR
from .. import lookup, rows
from ..integrity import salvage


def landing_queue(connection: sqlite3.Connection) -> list[Mission]:
    """Missions whose work is to be brought onto their target branch, oldest decision first."""
    docs = connection.execute(
        "SELECT doc FROM mission m WHERE landing_status IN ('queued', 'landing') AND deleted = 0 "
        "AND session_status = 'INACTIVE' AND (session_id IS NULL "  # a connected one: where it was done
        "OR NOT EXISTS (SELECT 1 FROM mirror r WHERE r.project_id = m.project_id) "
        "OR EXISTS (SELECT 1 FROM session s WHERE s.id = m.session_id)) ORDER BY updated_at, id"
    ).fetchall()
    return [one for one in salvage.missions(connection, docs) if one.attention != salvage.UNREADABLE]


DISPATCH_LISTS = ("todo", "doing", "loop")


def why_not(connection: sqlite3.Connection, ref: str, *, now: datetime) -> str | None:
    """Why a mission is not running: the first rule that fails, in one sentence; None when it may start."""
    from .eligibility_facts import FactFinder

    return FactFinder(connection, now).why_not(lookup.mission(connection, ref))


def queue(
    connection: sqlite3.Connection, project: str | None = None, *, limit: int | None = None, now: datetime
) -> list[QueueEntry]:
    """Every ready mission that does not run yet, in dispatch order, with what holds it back; or the first of them."""
    from ...missions.rules.eligibility import dispatch_key
    from .eligibility_facts import FactFinder

    facts = FactFinder(connection, now)
    only = lookup.project(connection, project).id if project else None
    docs = connection.execute(
        "SELECT doc FROM mission WHERE ready = 1 AND deleted = 0 AND session_status = 'INACTIVE' "
        f"AND list IN {DISPATCH_LISTS} AND coalesce(landing_status, 'failed') = 'failed' "
        "AND (?1 IS NULL OR project_id = ?1) ORDER BY priority DESC LIMIT ?2",
        (only, -1 if limit is None else limit),
    ).fetchall()
    missions = sorted(salvage.missions(connection, docs), key=dispatch_key)
    return [
        QueueEntry(one, salvage.UNREADABLE if one.attention == salvage.UNREADABLE else facts.why_not(one))
        for one in missions
    ]


def find(
    connection: sqlite3.Connection, mission: str | None = None, *, active: bool = False, limit: int = 200
) -> list[Session]:
    """Sessions, oldest first: of one mission or of all, live ones only when asked for."""
    owner = lookup.mission(connection, mission, deleted=True).id if mission else None
    docs = connection.execute(
        "SELECT doc FROM session WHERE (?1 IS NULL OR mission_id = ?1) "
        + ("AND phase <> 'ended' " if active else "")
        + "ORDER BY started_at DESC, id DESC LIMIT ?2",
        (owner, limit),
    ).fetchall()
    return salvage.sessions(reversed(docs))


def get(connection: sqlite3.Connection, session_id: str) -> Session:
    """One session; NotFound."""
    return lookup.session(connection, session_id)


def holds_claim(connection: sqlite3.Connection, session_id: str) -> bool:
    """Whether the mission is still this session's; False means superseded, and the holder must stop."""
    row = connection.execute(
        "SELECT 1 FROM mission WHERE session_id = ? AND session_status <> 'INACTIVE'", (session_id,)
    ).fetchone()
    return row is not None


def next_dispatch_at(connection: sqlite3.Connection, *, now: datetime) -> datetime | None:
    """When a ready mission may become eligible by time alone.

    A back-off, a limit or a loop's pause ends; a machine got over its pressure; a day's budget is new.
    """
    from ...missions.rules.eligibility import starts_again_at
    from ...missions.rules.loops import next_run
    from ...missions.waits import is_over
    from .eligibility_facts import FactFinder

    facts = FactFinder(connection, now)
    docs = connection.execute(
        "SELECT doc FROM mission WHERE ready = 1 AND deleted = 0 AND session_status = 'INACTIVE' "
        f"AND list IN {DISPATCH_LISTS} AND (retry_at IS NOT NULL OR is_loop = 1)"
    ).fetchall()
    times = [agent.limited_until for agent in facts.agents if agent.limited_until]
    times += facts.limits_end() if _any_waits(connection) else ()
    for mission in _started_too_often(connection, now):
        again = starts_again_at(facts.starts(mission))
        times += [again] if again is not None else []
    for mission in salvage.missions(connection, docs):
        if mission.retry_at and not is_over(mission.agent_session_status_changed_at, mission.retry_at, now):
            times.append(mission.retry_at)
        if mission.is_loop and mission.list != "doing":
            times.append(next_run(mission.loop_schedule, facts.loop_runs(mission), now))
    return min((time for time in times if time > now), default=None)


def of_token(connection: sqlite3.Connection, sha256: str) -> Session | None:
    """The live session whose token has this SHA-256."""
    row = connection.execute("SELECT doc FROM session WHERE token_hash = ? AND phase <> 'ended'", (sha256,)).fetchone()
    return rows.load(Session, row[0]) if row else None


def _any_waits(connection: sqlite3.Connection) -> bool:
    """Whether a ready mission is not running."""
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM mission WHERE ready = 1 AND deleted = 0 AND session_status = 'INACTIVE' "
            f"AND list IN {DISPATCH_LISTS})"
        ).fetchone()[0]
    )


def _started_too_often(connection: sqlite3.Connection, now: datetime) -> list[Mission]:
    """Ready missions that had as many sessions within the hour as may be started without a person."""
    docs = connection.execute(
        "SELECT m.doc FROM mission m JOIN session s ON s.mission_id = m.id AND s.started_at > ?1 "
        "WHERE m.ready = 1 AND m.deleted = 0 AND m.session_status = 'INACTIVE' "
        f"AND m.list IN {DISPATCH_LISTS} GROUP BY m.id HAVING count(*) >= ?2",
        (rows.stamp(now - timedelta(hours=1)), STARTS_AN_HOUR),
    ).fetchall()
    return salvage.missions(connection, docs)


def to_keep(connection: sqlite3.Connection) -> set[str]:
    """Sessions that are live, or whose mission is not done: their transcripts may still be asked for."""
    found = connection.execute(
        "SELECT s.id FROM session s LEFT JOIN mission m ON m.id = s.mission_id "
        "WHERE s.phase <> 'ended' OR (m.deleted = 0 AND m.list <> 'done')"
    ).fetchall()
    return {name for (name,) in found}
