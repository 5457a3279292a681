"""Codex: `codex exec --json`, from recordings of 0.169.0.

Errors come as text alone, so their kind is read from it, and the minute at which a limit resets. Token counts are
those of the whole conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Final

from ...missions.entities import JsonObject, Usage
from ..events import (
    ErrorKind,
    Event,
    Failure,
    LimitReached,
    MessageText,
    PlanUpdate,
    Result,
    Retrying,
    SessionStarted,
    Thinking,
    UsageUpdate,
)
from . import tools
from .codex_items import answered, called, spelled

TELLS: Final = frozenset({"minute"})
"""What its lines say beside what it does: agents/capabilities.py."""
_KINDS: Final[tuple[tuple[ErrorKind, re.Pattern[str]], ...]] = (
    ("limit", re.compile(r"hit your usage limit|usage_limit_reached|daily (?:quota|limit)", re.I)),
    (
        "billing",
        re.compile(
            r"to use codex with your chatgpt plan|insufficient.?quota|quota exceeded|exceeded your current quota"
            r"|credit balance|out of credits|billing|payment required|status:? 402",
            re.I,
        ),
    ),
    ("requests", re.compile(r"status:? 429|too many requests|rate.?limit|resource.?exhausted", re.I)),
    (
        "signed_out",
        re.compile(
            r"status:? 40[13]|unauthorized|not logged in|sign in again|log in again|api.?key not valid"
            r"|(?:invalid|incorrect) (?:x-)?api.?key|authentication.?error",
            re.I,
        ),
    ),
    (
        "overloaded",
        re.compile(
            r"high demand|status:? 5\d\d|overloaded|stream disconnected|unavailable|ECONNREFUSED|ECONNRESET|ENOTFOUND"
            r"|ETIMEDOUT|fetch failed|network error|error sending request|connection (?:failed|refused|reset|error)",
            re.I,
        ),
    ),
)
_RESET: Final = re.compile(
    r"try again at (?:([A-Z][a-z]{2}) (\d{1,2})(?:st|nd|rd|th), (\d{4}) )?(\d{1,2}):(\d{2}) ([AP]M)", re.I
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def events(line: JsonObject) -> tuple[Event, ...] | None:
    """The events of one line; None when its shape is unknown."""
    match line:
        case {"type": "thread.started", "thread_id": str() as id_}:
            return (SessionStarted(id_),)
        case {"type": "turn.started"}:
            return ()
        case {"type": "item.started" | "item.updated" | "item.completed" as step, "item": dict() as item}:
            return _item(str(step).removeprefix("item."), item)
        case {"type": "turn.completed", "usage": dict() as usage}:
            cached = tools.number(usage, "cached_input_tokens")
            used = Usage(tools.number(usage, "input_tokens") - cached, tools.number(usage, "output_tokens"), cached)
            return (UsageUpdate(used, "conversation"), Result(True))
        case {"type": "turn.completed"}:
            return (Result(True),)
        case {"type": "turn.failed", "error": {"message": str() as text}}:
            return (*_limit(text), Result(False, text, kind_of_error(text)))
        case {"type": "error", "message": str() as text} if "waiting for network" in text:
            return (Retrying(0, 0, 0.0, text),)  # it never gives up by itself
        case {"type": "error", "message": str() as text}:
            return (Failure(kind_of_error(text), text),)
    return None


def kind_of_error(text: str) -> ErrorKind:
    """What kind of error the text is about."""
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), "other")


def _limit(text: str) -> Iterator[Event]:
    if kind_of_error(text) == "limit":
        yield LimitReached(None, "usage", text, reset_clock(text))


def reset_clock(text: str) -> datetime | time | None:
    """The minute at which it may be tried again, on this machine's clock; without its day when that is today."""
    match = _RESET.search(text)
    if match is None:
        return None
    month, day, year, hour, minute, half = match.groups()
    try:
        clock = time(int(hour) % 12 + (12 if half.upper() == "PM" else 0), int(minute))
        if month is None:
            return clock
        return datetime.combine(date(int(year), _MONTHS.index(month.title()) + 1, int(day)), clock)
    except ValueError:  # no such day
        return None


def _item(step: str, item: JsonObject) -> tuple[Event, ...] | None:
    match item:
        case {"type": "agent_message", "text": str() as text}:
            return (MessageText(text),) if step == "completed" else ()
        case {"type": "reasoning", "text": str() as text}:
            return (Thinking(text),) if step == "completed" else ()
        case {"type": "todo_list", "items": list() as items}:
            return (PlanUpdate(tools.steps_of(items)),)
        case {"type": "error", "message": str() as text}:
            return (Failure(kind_of_error(text), text),)
        case {"id": str() as id_, "type": str()}:
            item = spelled(item)
            call = called(id_, item)
            if call is not None and step == "started":
                return (call,)
            if call is not None:
                return (answered(id_, item),) if step == "completed" else ()
    return None
