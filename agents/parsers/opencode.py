"""OpenCode: `opencode run --format json`, from recordings of 1.18.33."""

from __future__ import annotations

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
    Thinking,
    ToolCall,
    ToolResult,
    UsageUpdate,
)
from . import tools
from .codex import kind_of_error, reset_clock

_STATUSES: Final[dict[int, ErrorKind]] = {401: "signed_out", 402: "billing", 403: "signed_out"}


def events(line: JsonObject) -> tuple[Event, ...] | None:
    """The events of one line; None when its shape is unknown."""
    match line:
        case {"type": "step_start", "sessionID": str() as id_}:
            return (SessionStarted(id_),)
        case {"type": "text", "part": {"text": str() as text}}:
            return (MessageText(text),)
        case {"type": "reasoning", "part": {"text": str() as text}}:
            return (Thinking(text),)
        case {"type": "tool_use", "part": {"tool": str() as tool, "callID": str() as id_, "state": dict() as state}}:
            return _used(id_, tool, state)
        case {"type": "step_finish", "part": dict() as part}:
            return (UsageUpdate(_usage(part)), *([Result(True)] if part.get("reason") == "stop" else []))
        case {"type": "error", "error": dict() as error}:
            return _failed(error)
    return None


def _used(id_: str, tool: str, state: JsonObject) -> tuple[Event, ...]:
    given = state.get("input")
    values: JsonObject = given if isinstance(given, dict) else {}
    files: tuple[FileChange, ...] = ()
    match values:
        case {"filePath": str() as path, "oldString": str() as old, "newString": str() as new}:
            files = (tools.replaced(path, [(old, new)]),)
        case {"filePath": str() as path, "content": str() as content}:
            files = (tools.written(path, content, "edit"),)
    summary, detail = tools.summary_of(values), tools.detail_of(values)
    call = ToolCall(id_, tools.plain_name(tool), tools.kind_of(tool), summary, files, detail)
    found: list[Event] = [call]
    steps = tools.plan_of_tasks(values) if tool.endswith("update_tasks") else tools.steps_of(values.get("todos"))
    if steps:
        found.append(PlanUpdate(steps))
    if state.get("status") in ("completed", "error"):
        text = tools.text_of(state.get("output")) or tools.text_of(state.get("error"))
        found.append(ToolResult(id_, state.get("status") == "completed", text))
    return tuple(found)


def _usage(part: JsonObject) -> Usage:
    cost = part.get("cost")
    match part.get("tokens"):
        case {"input": int() as taken, "output": int() as given, **rest}:
            cached = _cached(part)
            told = float(cost) if isinstance(cost, int | float) and cost else None
            reasoning = rest.get("reasoning")
            return Usage(taken, given + (reasoning if isinstance(reasoning, int) else 0), cached, told, 1)
    return Usage()


def _cached(part: JsonObject) -> int:
    match part:
        case {"tokens": {"cache": {"read": int() as read}}}:
            return read
    return 0


def _failed(error: JsonObject) -> tuple[Event, ...]:
    kind, text = _kind(error), _text(error)
    limit = (LimitReached(None, "usage", text, reset_clock(text)),) if kind == "limit" else ()
    return (Failure(kind, text), *limit, Result(False, text, kind))


def _kind(error: JsonObject) -> ErrorKind:
    match error:
        case {"name": "ProviderAuthError"}:
            return "signed_out"
        case {"name": "MessageAbortedError"}:
            return "interrupted"
        case {"data": {"statusCode": int() as status, **rest}}:
            told = kind_of_error(f"{_text(error)} {rest.get('responseBody') or ''}")
            if status == 429 or (status == 400 and told == "billing"):
                return told if told in ("limit", "billing") else "requests"
            return _STATUSES.get(status, "overloaded" if status >= 500 else "other")
    return kind_of_error(_text(error))


def _text(error: JsonObject) -> str:
    data: Json = error.get("data")
    match data:
        case {"message": str() as text}:
            return text
    return str(error.get("name", ""))
