"""Usage of sessions and what is left of a budget, worked out by SQL."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Final, get_args

from ...missions.errors import InvalidValue
from ...missions.figures.usage import UsageBy, UsageFigures
from ...missions.ids import short_id
from .. import lookup, rows
from ..integrity.salvage import SOUND_SESSIONS

DAYS_MAX: Final = 3660
_COST: Final = f"SELECT coalesce(sum(json_extract(doc, '$.usage.costUsd')), 0.0) FROM {SOUND_SESSIONS} WHERE "
_KEYS: Final[dict[UsageBy, str]] = {
    "day": "date(s.started_at, 'localtime')",
    "agent": "s.agent_name",
    "mission": "s.mission_id",
    "session": "s.id",
}


def usage(
    connection: sqlite3.Connection, by: UsageBy = "day", *, project: str | None = None, days: int = 30, now: datetime
) -> list[UsageFigures]:
    """What the sessions of the last `days` days used; days newest first, the rest dearest first."""
    if by not in get_args(UsageBy):
        raise InvalidValue("by", f"Usage cannot be grouped by {by}", todo=f"give one of {', '.join(_KEYS)}")
    if not 1 <= days <= DAYS_MAX:
        raise InvalidValue("days", f"{days} days cannot be shown", todo=f"give 1 to {DAYS_MAX}")
    since = rows.stamp(midnight(now) - timedelta(days=days - 1))
    only = lookup.project(connection, project).id if project else None
    found = connection.execute(
        f"""SELECT {_KEYS[by]} AS key, max(m.number), max(m.title), count(*),
            sum(1440 * (julianday(coalesce(json_extract(s.doc, '$.endedAt'), ?3)) - julianday(s.started_at))),
            {", ".join(f"sum(coalesce(json_extract(s.doc, '$.usage.{name}'), 0))" for name in _COUNTS)},
            sum(json_extract(s.doc, '$.usage.costUsd')) AS cost
        FROM {SOUND_SESSIONS} s LEFT JOIN mission m ON m.id = s.mission_id
        WHERE s.started_at >= ?1 AND (?2 IS NULL OR s.project_id = ?2)
        GROUP BY key ORDER BY {"key DESC" if by == "day" else "cost DESC, count(*) DESC, key"}""",
        (since, only, rows.stamp(now)),
    ).fetchall()
    one = by in ("mission", "session")
    return [
        UsageFigures(
            short_id(number) if by == "mission" and number else key,
            (title or "") if one else "",
            sessions,
            max(0.0, minutes or 0.0),
            turns,
            put_in,
            put_out,
            cached,
            cost,
        )
        for key, number, title, sessions, minutes, turns, put_in, put_out, cached, cost in found
    ]


_COUNTS: Final = ("turns", "inputTokens", "outputTokens", "cachedTokens")


def midnight(now: datetime) -> datetime:
    """When the day of this machine began."""
    return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


def cost_since(connection: sqlite3.Connection, since: datetime) -> float:
    """What all sessions of the day that began then cost, in USD, as far as it was reported."""
    day = (rows.stamp(since), rows.stamp(since + timedelta(hours=36)))  # none that a clock set too far has dated
    return float(connection.execute(_COST + "started_at >= ? AND started_at < ?", day).fetchone()[0])


def cost_of(connection: sqlite3.Connection, mission_id: str) -> float:
    """What the sessions of a mission cost, in USD, as far as it was reported."""
    return float(connection.execute(_COST + "mission_id = ?", (mission_id,)).fetchone()[0])
