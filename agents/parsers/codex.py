"""Codex: `codex exec --json`, from recordings of 0.169.0.

Errors come as text alone, so their kind is read from it, and the minute at which a limit resets. Token counts are
those of the whole conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Final

from ...missions.entities import Json, JsonObject, Usage
from ..events import (
    ChangeKind,
    ErrorKind,
    Event,
    Failure,
    FileChange,
    LimitReached,
    MessageText,
    PlanUpdate,
    Result,
    Retrying,
    SessionStarted,
    Thinking,
    ToolCall,
    ToolKind,
    ToolResult,
    UsageUpdate,
)
from ..mcp_files import SERVER
from . import tools

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
    ("signed_out", re.compile(r"status:? 40[13]|unauthorized|not logged in|sign in again|log in again", re.I)),
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
_CHANGES: Final[dict[str, ChangeKind]] = {"add": "add", "delete": "delete", "update": "edit"}


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
        case {"id": str() as id_, "type": str() as type_}:
            call = _called(id_, type_, item)
            if call is not None and step == "started":
                return (call,)
            if call is not None:
                return (_answered(id_, item),) if step == "completed" else ()
    return None


def _called(id_: str, type_: str, item: JsonObject) -> ToolCall | None:
    match item:
        case {"type": "command_execution", "command": str() as command}:
            return ToolCall(id_, "shell", "run", bare(command), (), command)
        case {"type": "file_change"}:
            files = _files(item.get("changes"))
            return ToolCall(id_, "apply_patch", "edit", ", ".join(change.path for change in files), files)
        case {"type": "mcp_tool_call", "server": str() as server, "tool": str() as tool}:
            given = item.get("arguments")
            values: JsonObject = given if isinstance(given, dict) else {}
            kind: ToolKind = "mission" if server == SERVER else "other"
            return ToolCall(id_, tool, kind, tools.summary_of(values), (), tools.detail_of(values))
        case {"type": "web_search", "query": str() as query}:
            return ToolCall(id_, "web_search", "fetch", query)
    return None


def _answered(id_: str, item: JsonObject) -> ToolResult:
    ok = item.get("status") in ("completed", None) and item.get("exit_code") in (0, None) and not item.get("error")
    text = tools.text_of(item.get("aggregated_output")) or tools.text_of(item.get("result") or item.get("error"))
    return ToolResult(id_, ok, text, _files(item.get("changes")))


def _files(changes: Json) -> tuple[FileChange, ...]:
    found = []
    for change in changes if isinstance(changes, list) else ():
        match change:
            case {"path": str() as path, "kind": str() as kind}:
                found.append(FileChange(path, _CHANGES.get(kind, "edit")))
    return tuple(found)


def bare(command: str) -> str:
    """The command without the shell it is handed to."""
    match = re.fullmatch(r"\S*(?:ba|z)?sh -l?c '(.*)'", command, re.DOTALL)
    return match[1] if match else command
