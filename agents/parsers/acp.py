"""What the adapter for ACP agents prints (agents/acp): the protocol's updates, permissions, and the end of a turn.

ACP has no shape for limits, so the kind of an error is read from its text, but for `auth_required`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final, get_args

from ...missions.entities import Json, JsonObject, Usage
from ..events import (
    ContextUsed,
    ErrorKind,
    Event,
    FileChange,
    Interrupted,
    LimitReached,
    MessageText,
    Notice,
    PermissionAsked,
    PermissionDenied,
    PlanUpdate,
    QuestionAsked,
    Result,
    Retrying,
    SessionStarted,
    Thinking,
    ToolCall,
    ToolKind,
    ToolResult,
    UsageUpdate,
)
from . import tools
from .codex import kind_of_error, reset_clock

_KINDS: Final[dict[str, ToolKind]] = {
    "read": "read",
    "edit": "edit",
    "delete": "edit",
    "move": "edit",
    "search": "search",
    "execute": "run",
    "fetch": "fetch",
}
_SILENT: Final = {
    "user_message_chunk",
    "available_commands_update",
    "current_mode_update",
    "config_option_update",
    "session_info_update",
    "plan_update",
    "plan_removed",
}
LOST: Final = "Its earlier conversation is lost ({reason}): it begins a new one and is told what was done so far"
_PASSING: Final[dict[ErrorKind, ErrorKind]] = {"other": "overloaded", "billing": "requests"}
"""What a refusal that it tries again is about: Google words its quota of a minute like one that has to be paid for."""
_SIGNED_OUT: Final = -32000
_DIFF_LINES: Final = 4000


def events(line: JsonObject) -> tuple[Event, ...] | None:
    """The events of one line; None when its shape is unknown."""
    match line:
        case {"type": "session", "sessionId": str() as id_}:
            agent = line.get("agent")
            version = agent.get("version") if isinstance(agent, dict) else ""
            model = line.get("model")
            model, version = (value if isinstance(value, str) else "" for value in (model, version))
            started = SessionStarted(id_, model, version)
            lost = line.get("lost")
            return (started, Notice(LOST.format(reason=lost))) if isinstance(lost, str) and lost else (started,)
        case {"type": "update", "update": dict() as update}:
            return _update(update)
        case {"type": "asking", "call": dict() as call}:
            return (PermissionAsked(str(call.get("toolCallId", "")), _name(call), _summary(call)),)
        case {"type": "permission", "call": dict() as call, "allowed": bool() as allowed, **rest}:
            name, id_ = _name(call), str(call.get("toolCallId", ""))
            if allowed:
                return (PermissionAsked(id_, name, _summary(call)),)
            return (PermissionDenied(name, id_, str(rest.get("reason", ""))),)
        case {"type": "question", "id": str() as id_, "text": str() as text}:
            return (QuestionAsked(id_, text),)
        case {"type": "usage"}:
            cost = line.get("cost")
            told = float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None
            return (ContextUsed(tools.number(line, "used"), tools.number(line, "size"), told),)
        case {"type": "retrying", "error": str() as text}:
            return (Retrying(0, 0, 0.0, text, _PASSING.get(kind := kind_of_error(text), kind)),)
        case {"type": "turn"}:
            return tuple(_used(line))
        case {"type": "result", "ok": bool() as ok}:
            return tuple(_ended(line, ok))
    return None


def _update(update: JsonObject) -> tuple[Event, ...] | None:
    match update:
        case {"sessionUpdate": "agent_message_chunk", "content": dict() as content}:
            text = tools.text_of(content)
            return (MessageText(text, partial=True),) if text else ()
        case {"sessionUpdate": "agent_thought_chunk", "content": dict() as content}:
            return (Thinking(tools.text_of(content)),)
        case {"sessionUpdate": "plan", "entries": list() as entries}:
            return (PlanUpdate(tools.steps_of(entries)),)
        case {"sessionUpdate": "tool_call", "toolCallId": str() as id_}:
            values = update.get("rawInput")
            detail = tools.detail_of(values) if isinstance(values, dict) else ""
            call = ToolCall(id_, _name(update), _kind(update), _summary(update), _files(update), detail)
            return (call, *_answer(id_, update))
        case {"sessionUpdate": "tool_call_update", "toolCallId": str() as id_}:
            return _answer(id_, update)
        case {"sessionUpdate": str() as name} if name in _SILENT:
            return ()
    return None


def _answer(id_: str, update: JsonObject) -> tuple[Event, ...]:
    if update.get("status") not in ("completed", "failed"):
        return ()
    return (ToolResult(id_, update.get("status") == "completed", _text(update), _files(update)),)


def _name(call: JsonObject) -> str:
    title = call.get("title")
    name = title if isinstance(title, str) else ""
    return tools.plain_name(name.removesuffix(" (solo MCP Server)")) or str(call.get("kind") or "tool")


def _kind(call: JsonObject) -> ToolKind:
    title, kind = str(call.get("title", "")), call.get("kind")
    if kind in (None, "other") and title.endswith("(solo MCP Server)"):
        return "mission"
    return _KINDS.get(str(kind)) or tools.kind_of(title)


def _summary(call: JsonObject) -> str:
    values = call.get("rawInput")
    if isinstance(values, dict) and (told := tools.summary_of(values)):
        return told
    return ", ".join(change.path for change in _files(call)) or str(call.get("title", ""))


def _text(update: JsonObject) -> str:
    content = update.get("content")
    parts = [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []
    text = "\n".join(filter(None, (tools.text_of(item.get("content")) for item in parts)))
    return text or tools.text_of(update.get("rawOutput"))


def _files(call: JsonObject) -> tuple[FileChange, ...]:
    content: Json = call.get("content")
    found = []
    for item in content if isinstance(content, list) else ():
        match item:
            case {"type": "diff", "path": str() as path, "newText": str() as new, **rest}:
                old = rest.get("oldText")
                found.append(_changed(path, old, new) if isinstance(old, str) else tools.written(path, new))
    return tuple(found)


def _changed(path: str, old: str, new: str) -> FileChange:
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > _DIFF_LINES:
        return FileChange(path, "edit")
    lines = [line for line in difflib.unified_diff(before, after, n=2, lineterm="")][2:]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return FileChange(path, "edit", added, removed, "\n".join(lines)[: tools.DIFF_CAP])


def _used(line: JsonObject) -> Iterator[Event]:
    usage = line.get("usage")
    if isinstance(usage, dict):
        used = Usage(
            tools.number(usage, "inputTokens") + tools.number(usage, "cachedWriteTokens"),
            tools.number(usage, "outputTokens"),
            tools.number(usage, "cachedReadTokens"),
            None,
            1,
        )
        yield UsageUpdate(used, "turn")


def _ended(line: JsonObject, ok: bool) -> Iterator[Event]:
    yield from _used(line)
    if ok:
        yield Result(True)
        return
    kind, text = _error(line)
    if kind == "limit":
        yield LimitReached(None, "usage", text, reset_clock(text))
    if kind == "interrupted":
        yield Interrupted()
    yield Result(False, text, kind)


def _error(line: JsonObject) -> tuple[ErrorKind, str]:
    match line:
        case {"stopReason": "cancelled"}:
            return "interrupted", "the turn was interrupted"
        case {"stopReason": "max_turn_requests"}:
            return "turns", "it used up its turns"
        case {"stopReason": str() as reason}:
            return "other", f"the model stopped: {reason.replace('_', ' ')}"
        case {"error": {"message": str() as text, **rest}}:
            text = " ".join(filter(None, (text, _detail(line))))
            given = next((kind for kind in get_args(ErrorKind) if kind == rest.get("kind")), None)
            if rest.get("code") == _SIGNED_OUT:
                return "signed_out", text
            return given or kind_of_error(text), text
    return "other", ""


def _detail(line: JsonObject) -> str:
    match line:
        case {"error": {"data": str() as text}}:
            return text
        case {"error": {"data": {"details": str() as text} | {"message": str() as text}}}:
            return text
    return ""
