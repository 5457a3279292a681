"""Throughput, cycle and review times, cost: worked out by SQL from the events and sessions."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ...missions.errors import InvalidValue
from ...missions.figures.metrics import AgentFigures, Metrics, WeekFigures
from .. import lookup
from ..integrity.salvage import SOUND_SESSIONS

WEEKS_MAX: Final = 520
_WEEK: Final = "date({at}, 'weekday 0', '-6 days')"
_MEDIAN: Final = """
SELECT week, avg(value) FROM (
    SELECT week, value, row_number() OVER (PARTITION BY week ORDER BY value) AS place,
        count(*) OVER (PARTITION BY week) AS total FROM ({values}))
WHERE place IN ((total + 1) / 2, (total + 2) / 2) GROUP BY week
"""
_DONE: Final = f"""
SELECT {_WEEK.format(at="d.at")} AS week, 24 * (julianday(d.at) - julianday(coalesce(
    (SELECT min(c.at) FROM event c WHERE c.mission_id = d.mission_id AND c.kind = 'claimed'), m.created_at))) AS value
FROM (SELECT mission_id, max(at) AS at FROM event
    WHERE at >= ?1 AND mission_id IS NOT NULL AND json_extract(changes, '$.list[1]') = 'done' GROUP BY mission_id) d
JOIN mission m ON m.id = d.mission_id
WHERE m.list = 'done' AND m.deleted = 0 AND (?2 IS NULL OR m.project_id = ?2)
"""
_REVIEWS: Final = f"""
SELECT {_WEEK.format(at="at")} AS week, 24 * (julianday(at) - julianday(asked)) AS value, became FROM (
    SELECT at, json_extract(changes, '$.reviewStatus[1]') AS became,
        lag(at) OVER each AS asked, lag(json_extract(changes, '$.reviewStatus[1]')) OVER each AS was
    FROM event WHERE mission_id IS NOT NULL AND json_type(changes, '$.reviewStatus') IS NOT NULL
        AND (?2 IS NULL OR project_id = ?2)
    WINDOW each AS (PARTITION BY mission_id ORDER BY seq))
WHERE was = 'pending' AND became IN ('approved', 'rejected') AND at >= ?1
"""
_SESSIONS: Final = f"""
SELECT agent_name, mission_id, started_at, json_extract(doc, '$.outcome') AS outcome,
    1440 * (julianday(json_extract(doc, '$.endedAt')) - julianday(started_at)) AS minutes,
    coalesce(json_extract(doc, '$.usage.inputTokens'), 0) + coalesce(json_extract(doc, '$.usage.outputTokens'), 0)
        AS tokens,
    json_extract(doc, '$.usage.costUsd') AS cost
FROM {SOUND_SESSIONS} WHERE started_at >= ?1 AND (?2 IS NULL OR project_id = ?2)
"""


def metrics(connection: sqlite3.Connection, project: str | None = None, *, weeks: int = 12, now: datetime) -> Metrics:
    """The figures of the last `weeks` weeks up to that of `now`; of one project, or of all. Raises InvalidValue."""
    if not 1 <= weeks <= WEEKS_MAX:
        raise InvalidValue("weeks", f"{weeks} weeks cannot be shown", todo=f"give 1 to {WEEKS_MAX}")
    today = now.astimezone(UTC).date()
    monday = today - timedelta(days=today.weekday())
    starts = [str(monday - timedelta(weeks=back)) for back in reversed(range(weeks))]
    values = (starts[0], lookup.project(connection, project).id if project else None)
    by_week = _by_week(connection, values)
    weeks_found = tuple(WeekFigures(start, **by_week.get(start, {})) for start in starts)
    return Metrics(weeks_found, _agents(connection, values))


def _by_week(connection: sqlite3.Connection, values: tuple[str, str | None]) -> dict[str, dict[str, Any]]:
    """The fields of WeekFigures by week; a week without any is absent."""
    found: dict[str, dict[str, Any]] = {}

    def put(query: str, *names: str) -> None:
        for week, *figures in connection.execute(query, values):
            found.setdefault(str(week), {}).update(zip(names, figures, strict=True))

    put(f"SELECT week, count(*) FROM ({_DONE}) GROUP BY week", "done")
    put(_MEDIAN.format(values=_DONE), "cycle_hours")
    put(f"SELECT week, count(*), sum(became = 'rejected') FROM ({_REVIEWS}) GROUP BY week", "reviews", "rejected")
    put(_MEDIAN.format(values=_REVIEWS), "review_hours")
    put(
        f"SELECT {_WEEK.format(at='started_at')}, count(*), sum(tokens), coalesce(sum(cost), 0.0) "
        f"FROM ({_SESSIONS}) GROUP BY 1",
        "sessions",
        "tokens",
        "cost_usd",
    )
    return found


def _agents(connection: sqlite3.Connection, values: tuple[str, str | None]) -> tuple[AgentFigures, ...]:
    named = f"SELECT agent_name AS week, minutes AS value FROM ({_SESSIONS}) WHERE minutes IS NOT NULL"
    minutes = dict(connection.execute(_MEDIAN.format(values=named), values).fetchall())
    found = connection.execute(
        "SELECT agent_name, count(*), sum(outcome IS 'completed'), "
        "sum(outcome IN ('failed', 'timeout', 'unknown')), count(DISTINCT mission_id), sum(tokens), sum(cost) "
        f"FROM ({_SESSIONS}) GROUP BY agent_name ORDER BY count(*) DESC, agent_name",
        values,
    ).fetchall()
    return tuple(
        AgentFigures(name, sessions, completed or 0, failed or 0, missions, minutes.get(name, 0.0), tokens or 0, cost)
        for name, sessions, completed, failed, missions, tokens, cost in found
    )
