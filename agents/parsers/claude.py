"""Claude Code: `--output-format stream-json`, and whoever speaks it (the rehearsal agent does).

Read from recordings of 2.1.330 and 2.1.197 (tests/agents/recordings/claude). What costs money to get wrong:
an API error comes as `subtype: success` with `is_error: true`; the reset time of a limit is in `rate_limit_event`,
never in the text; `total_cost_usd` counts the whole conversation, `model_usage_since_last_result` this turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from ...missions.entities import Json, JsonObject, Usage
from ..events import (
    BackgroundWork,
    ContextUsed,
    ErrorKind,
    Event,
    Failure,
    FileChange,
    Interrupted,
    LimitNear,
    LimitReached,
    McpServer,
    MessageText,
    PermissionAsked,
    PermissionDenied,
    PlanUpdate,
    QuestionAsked,
    Result,
    Retrying,
    SessionStarted,
    Thinking,
    ToolCall,
    ToolResult,
    UsageUpdate,
)
from . import tools

TELLS: Final = frozenset({"reset", "cost"})
"""What its lines say beside what it does: agents/capabilities.py."""
_ERRORS: Final[dict[str, ErrorKind]] = {
    "authentication_failed": "signed_out",
    "oauth_org_not_allowed": "signed_out",
    "verification_required": "signed_out",
    "account_on_hold": "signed_out",
    "cloud_credential_error": "signed_out",
    "billing_error": "billing",
    "rate_limit": "requests",
    "overloaded": "overloaded",
    "server_error": "overloaded",
}
_STATUSES: Final[dict[int, ErrorKind]] = {401: "signed_out", 403: "signed_out", 402: "billing", 429: "requests"}
_SUBTYPES: Final[dict[str, ErrorKind]] = {"error_max_turns": "turns", "error_max_budget_usd": "budget"}
_SILENT: Final = {
    "task_started",
    "task_updated",
    "task_notification",
    "status",
    "thinking_tokens",
    "hook_started",
    "hook_response",
}


def events(line: JsonObject) -> tuple[Event, ...] | None:
    """The events of one line; None when its shape is unknown."""
    match line:
        case {"type": "system", "subtype": "init"}:
            return (_started(line),)
        case {"type": "system", "subtype": "api_retry", **rest}:
            seconds = tools.number(rest, "retry_delay_ms") / 1000
            error = f"{rest.get('error_status') or ''} {rest.get('error') or ''}".strip()
            return (Retrying(tools.number(rest, "attempt"), tools.number(rest, "max_retries"), seconds, error),)
        case {"type": "system", "subtype": "permission_denied", "tool_name": str() as tool, **rest}:
            return (PermissionDenied(tool, str(rest.get("tool_use_id", "")), str(rest.get("message", ""))),)
        case {"type": "system", "subtype": "background_tasks_changed", "tasks": list() as tasks}:
            return (BackgroundWork(tuple(_background(tasks))),)
        case {"type": "system", "subtype": str() as subtype} if subtype in _SILENT:
            return ()
        case {"type": "assistant", "error": str() as error, "message": {"content": list() as content}}:
            return (Failure(_ERRORS.get(error, "other"), tools.text_of(content)),)
        case {"type": "assistant", "message": {"content": list() as content}}:
            nested = bool(line.get("parent_tool_use_id"))
            return (*_said(content, nested=nested), *_message_usage(line["message"], nested=nested))
        case {"type": "user", "message": {"content": list() as content}}:
            return tuple(_answered(content, line.get("tool_use_result")))
        case {"type": "user", "message": {"content": str() as text}}:
            return (Interrupted(),) if text.startswith("[Request interrupted") else ()
        case {"type": "rate_limit_event", "rate_limit_info": dict() as limit}:
            return _limit(limit)
        case {"type": "control_request", "request_id": str() as id_, "request": dict() as request}:
            return _asked(id_, request)
        case {"type": "result"}:
            return tuple(_ended(line))
        case {"type": "stream_event" | "control_response" | "control_cancel_request" | "keep_alive" | "tool_progress"}:
            return ()
    return None


def _started(line: JsonObject) -> SessionStarted:
    servers = []
    found = line.get("mcp_servers")
    for server in found if isinstance(found, list) else ():
        match server:
            case {"name": str() as name, "status": str() as status}:
                servers.append(McpServer(name, status == "connected", status))
    return SessionStarted(
        _text(line, "session_id") or None, _text(line, "model"), _text(line, "claude_code_version"), tuple(servers)
    )


def _background(tasks: list[Json]) -> Iterator[str]:
    """What runs beside the turn; an ambient task goes on for as long as the agent does."""
    for task in tasks:
        match task:
            case {"task_id": str() as id_, **rest} if rest.get("ambient") is not True:
                yield str(rest.get("description") or id_)


def _said(content: list[Json], *, nested: bool) -> Iterator[Event]:
    """The blocks of one message; what a sub-agent says is part of its tool call, only what it does shows."""
    for block in content:
        match block:
            case {"type": "text", "text": str() as text}:
                if text.strip() and not nested:
                    yield MessageText(text)
            case {"type": "thinking", "thinking": str() as text}:
                if not nested:
                    yield Thinking(text)
            case {"type": "tool_use", "id": str() as id_, "name": str() as name, "input": dict() as values}:
                yield _called(id_, name, values)
                steps = tools.plan_of_tasks(values) if name.endswith("__update_tasks") else ()
                if name == "TodoWrite":
                    steps = tools.steps_of(values.get("todos"))
                if steps:
                    yield PlanUpdate(steps)


def _called(id_: str, name: str, values: JsonObject) -> ToolCall:
    files: tuple[FileChange, ...] = ()
    match values:
        case {"file_path": str() as path, "old_string": str() as old, "new_string": str() as new}:
            files = (tools.replaced(path, [(old, new)]),)
        case {"file_path": str() as path, "edits": list() as edits}:
            pairs = [(_text(edit, "old_string"), _text(edit, "new_string")) for edit in edits if isinstance(edit, dict)]
            files = (tools.replaced(path, pairs),)
        case {"file_path": str() as path, "content": str() as content} if name == "Write":
            files = (tools.written(path, content, "edit"),)
        case {"notebook_path": str() as path, "new_source": str() as source}:
            files = (tools.written(path, source, "edit"),)
    summary, detail = tools.summary_of(values), tools.detail_of(values)
    return ToolCall(id_, tools.plain_name(name), tools.kind_of(name), summary, files, detail)


def _answered(content: list[Json], told: Json) -> Iterator[Event]:
    for block in content:
        match block:
            case {"type": "tool_result", "tool_use_id": str() as id_, "is_error": True, "content": output}:
                yield ToolResult(id_, False, tools.text_of(output))
            case {"type": "tool_result", "tool_use_id": str() as id_, "content": output}:
                yield ToolResult(id_, True, tools.text_of(output), _changed(told))
            case {"type": "text", "text": str() as text} if text.startswith("[Request interrupted"):
                yield Interrupted()


def _changed(told: Json) -> tuple[FileChange, ...]:
    match told:
        case {"type": "create", "filePath": str() as path, "content": str() as content}:
            return (tools.written(path, content),)
        case {"filePath": str() as path, "structuredPatch": hunks}:
            return (tools.patched(path, hunks),)
    return ()


def _message_usage(message: Json, *, nested: bool) -> tuple[Event, ...]:
    match message:
        case {"id": str() as id_, "usage": dict() as usage, "model": str() as model} if model != "<synthetic>":
            used = _usage(usage)
            filled = ContextUsed(used.input_tokens + used.cached_tokens + used.output_tokens, 0)
            return (UsageUpdate(used, "message", id_), *(() if nested else (filled,)))
    return ()


def _usage(values: JsonObject) -> Usage:
    return Usage(
        input_tokens=tools.number(values, "input_tokens", "inputTokens")
        + tools.number(values, "cache_creation_input_tokens", "cacheCreationInputTokens"),
        output_tokens=tools.number(values, "output_tokens", "outputTokens"),
        cached_tokens=tools.number(values, "cache_read_input_tokens", "cacheReadInputTokens"),
    )


def _limit(limit: JsonObject) -> tuple[Event, ...]:
    reset = limit.get("resetsAt")
    reset_at = datetime.fromtimestamp(reset, UTC) if isinstance(reset, int | float) and 0 < reset < 1e11 else None
    scope = _text(limit, "rateLimitType")
    match limit.get("status"):
        case "rejected" if limit.get("isUsingOverage") is not True:
            return (LimitReached(reset_at, scope),)
        case "allowed_warning":
            used = limit.get("utilization")
            return (LimitNear(float(used) if isinstance(used, int | float) else None, reset_at, scope),)
    return ()


def _asked(id_: str, request: JsonObject) -> tuple[Event, ...] | None:
    match request:
        case {"subtype": "can_use_tool", "tool_name": str() as tool, "input": dict() as values}:
            return (PermissionAsked(id_, tool, tools.summary_of(values), tools.detail_of(values)),)
        case {"subtype": "elicitation", "message": str() as text}:
            return (QuestionAsked(id_, text),)
    return None


def _ended(line: JsonObject) -> Iterator[Event]:
    usage = _turn_usage(line)
    if usage is not None:
        yield UsageUpdate(usage, "turn")
    if size := _context_size(line):
        yield ContextUsed(0, size)
    ok = line.get("is_error") is False and line.get("subtype") == "success"
    denials = line.get("permission_denials")
    errors = line.get("errors")
    text = _text(line, "result") or ("; ".join(str(error) for error in errors) if isinstance(errors, list) else "")
    yield Result(ok, text, None if ok else _error(line, text), len(denials) if isinstance(denials, list) else 0)


def _turn_usage(line: JsonObject) -> Usage | None:
    turns = tools.number(line, "num_turns")
    match line:
        case {"model_usage_since_last_result": dict() as models}:
            parts = [part for part in models.values() if isinstance(part, dict)]
            cost = [float(value) for part in parts if isinstance(value := part.get("costUSD"), int | float)]
            each = [_usage(part) for part in parts]
            return Usage(
                sum(usage.input_tokens for usage in each),
                sum(usage.output_tokens for usage in each),
                sum(usage.cached_tokens for usage in each),
                sum(cost) if cost else None,
                turns,
            )
        case {"usage": dict() as usage, **rest}:
            total, found = rest.get("total_cost_usd"), _usage(usage)
            told = float(total) if isinstance(total, int | float) else None
            return Usage(found.input_tokens, found.output_tokens, found.cached_tokens, told, turns)
    return None


def _context_size(line: JsonObject) -> int:
    """Of the model that did most of the turn; helpers use smaller ones."""
    models = line.get("modelUsage")
    parts = [part for part in models.values() if isinstance(part, dict)] if isinstance(models, dict) else []
    most = max(parts, key=lambda part: tools.number(part, "outputTokens"), default={})
    return tools.number(most, "contextWindow")


def _error(line: JsonObject, text: str) -> ErrorKind:
    status = line.get("api_error_status")
    if isinstance(status, int):
        return _STATUSES.get(status, "overloaded" if status >= 500 else "other")
    reason = _text(line, "terminal_reason")
    if reason.startswith("aborted"):
        return "interrupted"
    if "No conversation found" in text:
        return "conversation_unknown"
    return _SUBTYPES.get(_text(line, "subtype"), "other")


def _text(values: JsonObject, key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""
