"""Times and sizes as people say them: how long ago, how long it runs, how long still, how large."""

from __future__ import annotations

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86400


def clock(seconds: float) -> str:
    """A stop-watch: 04:12, 1:04:12."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def span(seconds: float) -> str:
    """A rounded length of time: 40 s, 12 min, 3 h, 5 d."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < 2 * DAY:
        return f"{whole // HOUR} h"
    return f"{whole // DAY} d"


def duration(hours: float) -> str:
    """A length of time to compare: 40 s, 12 min, 3 h 20 min, 5 d 4 h."""
    whole = round(hours * HOUR)
    if whole < HOUR:
        return span(whole)
    large, small = ((HOUR, "h"), (MINUTE, "min")) if whole < 2 * DAY else ((DAY, "d"), (HOUR, "h"))
    rest = whole % large[0] // small[0]
    return f"{whole // large[0]} {large[1]}" + (f" {rest} {small[1]}" if rest else "")


def ago(then: datetime, now: datetime) -> str:
    """`12 min ago`, or `now` within the first minute."""
    seconds = (now - then).total_seconds()
    return "now" if seconds < MINUTE else f"{span(seconds)} ago"


def at(then: datetime, now: datetime) -> str:
    """Time of day in the person's own zone, with the date when it is not today."""
    local = then.astimezone()
    return local.strftime("%H:%M" if local.date() == now.astimezone().date() else "%d %b %H:%M")


def until(then: datetime, now: datetime) -> str:
    """`02:14 (9 h)`."""
    return f"{at(then, now)} ({span((then - now).total_seconds())})"


def count(number: float) -> str:
    """38k, 1.2M."""
    if number < 1000:
        return f"{number:.0f}"
    if number < 1_000_000:
        return f"{number / 1000:.0f}k"
    return f"{number / 1_000_000:.1f}M"


def size(octets: int) -> str:
    """640 B, 12 kB, 1.3 GB."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if octets >= step:
            number = octets / step
            return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"
    return f"{octets} B"
