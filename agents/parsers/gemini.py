"""Gemini CLI: `--output-format stream-json`, from recordings of 0.61.0."""

from __future__ import annotations

import re
from typing import Final

from ...missions.entities import Json, JsonObject, Usage
from ..events import (
    ErrorKind,
    Event,
    Failure,
    FileChange,
    LimitReached,
    MessageText,
    PlanUpdate,
    Result,
    SessionStarted,
    ToolCall,
    ToolResult,
    UsageUpdate,
)
from . import tools

_KINDS: Final[tuple[tuple[ErrorKind, re.Pattern[str]], ...]] = (
    ("limit", re.compile(r"per.?day|daily|exhausted your (?:capacity|quota)|quota will reset", re.I)),
    ("billing", re.compile(r'billing|credits are depleted|"code":\s*402', re.I)),
    ("requests", re.compile(r'"code":\s*429|RESOURCE_EXHAUSTED|quota|rate.?limit', re.I)),
    ("signed_out", re.compile(r'API key not valid|"code":\s*40[13]|PERMISSION_DENIED|authenticat', re.I)),
    ("overloaded", re.compile(r'"code":\s*5\d\d|UNAVAILABLE|overloaded|fetch failed|ENOTFOUND|ECONN|ETIMEDOUT', re.I)),
)


def events(line: JsonObject) -> tuple[Event, ...] | None:
    """The events of one line; None when its shape is unknown."""
    match line:
        case {"type": "init", "session_id": str() as id_}:
            model = line.get("model")
            return (SessionStarted(id_, model if isinstance(model, str) else ""),)
        case {"type": "message", "role": "assistant", "content": str() as text}:
            return (MessageText(text, partial=line.get("delta") is True),)
        case {"type": "message", "role": "user"}:
            return ()
        case {"type": "tool_use", "tool_id": str() as id_, "tool_name": str() as name, "parameters": dict() as values}:
            return _called(id_, name, values)
        case {"type": "tool_result", "tool_id": str() as id_, "status": str() as status}:
            output = tools.text_of(line.get("output")) or _message(line.get("error"))
            return (ToolResult(id_, status == "success", output),)
        case {"type": "error"}:
            text = _message(line) or _message(line.get("error"))
            return (Failure(kind_of_error(text), text),)
        case {"type": "result", "status": str() as status}:
            return _ended(line, status == "success")
    return None


def kind_of_error(text: str) -> ErrorKind:
    """What kind of error the text is about."""
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), "other")


def _called(id_: str, name: str, values: JsonObject) -> tuple[Event, ...]:
    files: tuple[FileChange, ...] = ()
    match values:
        case {"file_path": str() as path, "old_string": str() as old, "new_string": str() as new}:
            files = (tools.replaced(path, [(old, new)]),)
        case {"file_path": str() as path, "content": str() as content}:
            files = (tools.written(path, content, "edit"),)
    summary, detail = tools.summary_of(values), tools.detail_of(values)
    call = ToolCall(id_, tools.plain_name(name), tools.kind_of(name), summary, files, detail)
    steps = tools.plan_of_tasks(values) if name.endswith("update_tasks") else tools.steps_of(values.get("todos"))
    return (call, PlanUpdate(steps)) if steps else (call,)


def _ended(line: JsonObject, ok: bool) -> tuple[Event, ...]:
    found: list[Event] = []
    match line.get("stats"):
        case dict() as stats:
            cached = tools.number(stats, "cached")
            used = Usage(tools.number(stats, "input_tokens") - cached, tools.number(stats, "output_tokens"), cached)
            found.append(UsageUpdate(used, "turn"))
    text = _message(line.get("error"))
    kind = None if ok else kind_of_error(text)
    if kind == "limit":
        found.append(LimitReached(None, "usage", text))
    return (*found, Result(ok, text, kind))


def _message(value: Json) -> str:
    match value:
        case {"message": str() as text}:
            return text
    return ""
