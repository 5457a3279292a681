"""Whether and how a person who looks elsewhere is told that something waits."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import TYPE_CHECKING, Final

from ...config.settings import ScreenSettings
from ...missions.board import Waits
from ...missions.ids import short_id
from ...workspace import queries

if TYPE_CHECKING:
    from .application import Application

HOURS: Final = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")


def is_quiet(settings: ScreenSettings, now: datetime) -> bool:
    """Whether the settings' quiet hours hold, in the person's own time; a text that says no hours is never quiet."""
    found = HOURS.fullmatch(settings.quiet_hours)
    if found is None:
        return False
    hour, minute, last_hour, last_minute = (int(number) for number in found.groups())
    try:
        start, end = time(hour, minute), time(last_hour, last_minute)
    except ValueError:
        return False
    here = now.astimezone().time()
    return start <= here < end if start <= end else here >= start or here < end


async def say_what_waits(app: Application, count: int) -> None:
    """Tell a person whose terminal is not in front; in quiet hours nothing is said."""
    settings = app.settings.ui
    if settings.notify == "off" or is_quiet(settings, app.clock()):
        return
    if settings.notify == "bell":
        app.terminal.bell()
        return
    waiting = await app.read(queries.missions.waiting)
    if waiting:
        newest = max(waiting, key=lambda one: one.since)
        what = _WAITS[newest.kind]
        said = f"{short_id(newest.mission.number)} {what}: {newest.mission.title}"
        app.terminal.notify(said if count == 1 else f"{said} ({count} wait for you)")


_WAITS: dict[Waits, str] = {
    "permission": "asks for your permission",
    "review": "waits for your review",
    "question": "asks",
    "attention": "needs you",
}
