"""What the adapter for `codex app-server` prints (agents/app_server): notifications of Codex, and lines of its own.

Read from 0.169.0 and the schema it generates. Codex names the kind of an error; where it does not, its text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from ...missions.entities import Json, JsonObject, Usage
from ..events import (
    Compacted,
    ContextUsed,
    ErrorKind,
    Event,
    Failure,
    Interrupted,
    LimitNear,
    LimitReached,
    McpServer,
    MessageText,
    PlanUpdate,
    Result,
    Retrying,
    SessionStarted,
    Thinking,
    UsageUpdate,
)
from ..mcp_files import SERVER
from . import acp, tools
from .codex import kind_of_error, reset_clock
from .codex_items import answered, called

TELLS: Final = frozenset({"reset"})
"""What its lines say beside what it does: agents/capabilities.py."""
_ERRORS: Final[dict[str, ErrorKind]] = {
    "usageLimitExceeded": "limit",
    "rateLimitExceeded": "requests",
    "sessionBudgetExceeded": "budget",
    "unauthorized": "signed_out",
    "serverOverloaded": "overloaded",
    "flexUnavailable": "overloaded",
    "policyCapacityUnavailable": "overloaded",
    "internalServerError": "overloaded",
}
_STATUSES: Final[dict[int, ErrorKind]] = {401: "signed_out", 403: "signed_out", 402: "billing", 429: "requests"}
_STATES: Final = {"inProgress": "in_progress"}
_RETRY: Final = re.compile(r"(\d+)/(\d+)")
_FULL: Final = 100
"""Percent of a usage limit at which it refuses."""
_SILENT: Final = {"thread/", "turn/started", "remoteControl/", "account/", "serverRequest/", "skills/", "hook/", "app/"}


def events(line: JsonObject) -> tuple[Event, ...] | None:
    """The events of one line; None when its shape is unknown."""
    match line:
        case {"type": "session", "threadId": str() as id_}:
            return (SessionStarted(id_, tools.word(line, "model"), tools.word(line, "version")),)
        case {"type": "usage", "usage": dict() as used}:
            cached = tools.number(used, "cachedInputTokens")
            fresh = max(0, tools.number(used, "inputTokens") - cached)
            total = UsageUpdate(Usage(fresh, tools.number(used, "outputTokens"), cached), "conversation")
            match line.get("context"):
                case dict() as context if filled := tools.number(context, "used"):
                    return (total, ContextUsed(filled, tools.number(context, "size")))
            return (total,)
        case {"type": "limits", "rateLimits": dict() as limits}:
            return tuple(_near(limits))
        case {"type": "asking" | "permission"}:
            return acp.events(line)
        case {"type": "taken"}:
            return ()
        case {"type": "result", "ok": bool() as ok}:
            return tuple(_ended(line, ok))
        case {"type": "codex", "method": str() as method, "params": dict() as params}:
            within = tools.word(line, "within")
            return _notified(method, params, within)
    return None


def _notified(method: str, params: JsonObject, within: str) -> tuple[Event, ...] | None:
    match method, params:
        case "item/started" | "item/completed", {"item": dict() as item}:
            return _item(item, within, done=method == "item/completed")
        case "item/agentMessage/delta", {"delta": str() as text}:
            return (MessageText(text, partial=True),) if not within else ()
        case "turn/plan/updated", {"plan": list() as steps}:
            named = [step for step in steps if isinstance(step, dict)]
            return (PlanUpdate(tools.steps_of([_step(step) for step in named])),) if not within else ()
        case "error", {"error": dict() as error, **rest}:
            text, kind = tools.word(error, "message"), _kind(error)
            if rest.get("willRetry") is not True:
                return (Failure(kind, text),)
            if "waiting for network" in text:
                return (Retrying(0, 0, 0.0, text),)  # it never gives up by itself
            tries = _RETRY.search(text)
            why = tools.word(error, "additionalDetails") or text
            return (Retrying(int(tries[1]), int(tries[2]), 0.0, why) if tries else Retrying(1, 1, 0.0, why),)
        case "mcpServer/startupStatus/updated", {"name": str() as name, "status": str() as status, **rest}:
            if name != SERVER or status not in ("failed", "cancelled"):
                return ()
            return (SessionStarted(None, mcp_servers=(McpServer(name, False, str(rest.get("error") or status)),)),)
        case "warning" | "configWarning" | "deprecationNotice", _:
            return ()
        case _ if any(method.startswith(name) for name in _SILENT):
            return ()
    return None


def _item(item: JsonObject, within: str, *, done: bool) -> tuple[Event, ...] | None:
    match item:
        case {"type": "userMessage" | "hookPrompt" | "plan" | "sleep" | "imageView"}:
            return ()
        case {"type": "agentMessage", "text": str() as text}:
            return (MessageText(text),) if done and text.strip() and not within else ()
        case {"type": "reasoning"}:
            return (Thinking(_lines(item.get("summary")) or _lines(item.get("content"))),) if done else ()
        case {"type": "contextCompaction"}:
            return (Compacted(),) if done else ()
        case {"id": str() as id_, "type": str() as type_}:
            call = called(id_, item, within)
            if call is None:
                return None
            if not done:
                return (call,)
            answer = answered(id_, item)
            return (call, answer) if type_ in ("webSearch", "subAgentActivity") else (answer,)
    return None


def _ended(line: JsonObject, ok: bool) -> Iterator[Event]:
    if ok:
        yield Result(True)
        return
    if line.get("status") == "interrupted":
        yield Interrupted()
        yield Result(False, "", "interrupted")
        return
    error = line.get("error")
    told: JsonObject = error if isinstance(error, dict) else {}
    text, kind = tools.word(told, "message"), _kind(told)
    if kind == "limit":
        limits = line.get("rateLimits")
        reset_at, scope = _full(limits if isinstance(limits, dict) else {})
        yield LimitReached(reset_at, scope, text, None if reset_at else reset_clock(text))
    yield Result(False, text, kind)


def _kind(error: JsonObject) -> ErrorKind:
    """The kind of an error: as Codex names it, else by the status of an answer, else by its text."""
    text = f"{tools.word(error, 'message')} {tools.word(error, 'additionalDetails')}"
    match error:
        case {"kind": "conversation_unknown"}:
            return "conversation_unknown"
        case {"codexErrorInfo": str() as name} if name in _ERRORS:
            read = kind_of_error(text)
            return read if name == "usageLimitExceeded" and read == "billing" else _ERRORS[name]
        case (
            {"codexErrorInfo": {"httpConnectionFailed": dict() as told}}
            | {"codexErrorInfo": {"responseStreamConnectionFailed": dict() as told}}
            | {"codexErrorInfo": {"responseTooManyFailedAttempts": dict() as told}}
            | {"codexErrorInfo": {"responseStreamDisconnected": dict() as told}}
        ):
            status = told.get("httpStatusCode")
            if not isinstance(status, int):
                read = kind_of_error(text)
                return "overloaded" if read == "other" else read
            return _STATUSES.get(status) or ("overloaded" if status >= 500 else "other")
    return kind_of_error(text)


def _windows(limits: JsonObject) -> Iterator[tuple[int, datetime | None, str]]:
    """Of each limit: percent used, when it resets, its length in words."""
    for name in ("primary", "secondary"):
        window = limits.get(name)
        if isinstance(window, dict) and window.get("usedPercent") is not None:
            at, minutes = window.get("resetsAt"), tools.number(window, "windowDurationMins")
            reset_at = datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else None
            yield tools.number(window, "usedPercent"), reset_at, f"{minutes // 60} hours" if minutes else name


def _near(limits: JsonObject) -> Iterator[LimitNear]:
    fullest = max(_windows(limits), key=lambda window: window[0], default=None)
    if fullest is not None:
        used, reset_at, scope = fullest
        yield LimitNear(used / 100, reset_at, scope)


def _full(limits: JsonObject) -> tuple[datetime | None, str]:
    """When the limit that refuses resets: the last of those that are used up."""
    full = [(at, scope) for used, at, scope in _windows(limits) if used >= _FULL and at is not None]
    return max(full, default=(None, "usage"), key=lambda one: one[0] or datetime.min.replace(tzinfo=UTC))


def _step(step: JsonObject) -> JsonObject:
    status = step.get("status")
    return {"text": step.get("step"), "status": _STATES.get(str(status), status)}


def _lines(texts: Json) -> str:
    return "\n".join(text for text in texts if isinstance(text, str)) if isinstance(texts, list) else ""
