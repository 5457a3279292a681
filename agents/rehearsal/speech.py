"""What the rehearsal agent prints: events of Claude's stream-json, one JSON object a line."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import BinaryIO

from ...missions.entities import Json, JsonObject
from . import LABEL

_NOTHING_USED: JsonObject = {
    "input_tokens": 0,
    "output_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}


class Speech:
    """Writes events, each flushed, so that what was said is never lost with the process."""

    def __init__(self, out: BinaryIO, session: str, version: str) -> None:
        self._out = out
        self._session = session
        self._version = version
        self._writing = threading.Lock()
        self._turns = 0
        self._since = time.monotonic()

    def begin(self, cwd: str, tools: Iterable[str], servers: dict[str, str]) -> None:
        """The first event of a turn: who speaks, where, and which MCP servers answered."""
        self._turns = 0
        self._since = time.monotonic()
        connected: list[Json] = [{"name": name, "status": status} for name, status in servers.items()]
        self._say(
            {
                "type": "system",
                "subtype": "init",
                "cwd": cwd,
                "tools": list(tools),
                "mcp_servers": connected,
                "model": LABEL,
                "permissionMode": "acceptEdits",
                "apiKeySource": LABEL,
                "agent": LABEL,
                "agent_version": self._version,
            }
        )

    def text(self, text: str, **more: Json) -> None:
        """Words of the agent."""
        self._assistant({"type": "text", "text": text}, more)

    def tool_use(self, name: str, arguments: JsonObject) -> str:
        """The agent uses a tool; returns the id its result names."""
        identity = f"toolu_{uuid.uuid4().hex[:24]}"
        self._assistant({"type": "tool_use", "id": identity, "name": name, "input": arguments}, {})
        return identity

    def tool_result(self, identity: str, content: str, *, is_error: bool = False) -> None:
        """What the tool answered."""
        self._user({"type": "tool_result", "tool_use_id": identity, "content": content, "is_error": is_error})

    def interrupted(self) -> None:
        """A person stopped the turn."""
        self._user({"type": "text", "text": "[Request interrupted by user]"})

    def retrying(self, reason: str, seconds: float) -> None:
        """The board does not answer; tried again until so many seconds have passed."""
        self._say({"type": "system", "subtype": "mcp_retry", "reason": reason, "give_up_after_seconds": seconds})

    def limit(self, resets_at: int) -> None:
        """The usage limit is reached; `resets_at` in seconds since 1970."""
        info: JsonObject = {
            "status": "rejected",
            "resetsAt": resets_at,
            "rateLimitType": "five_hour",
            "isUsingOverage": False,
        }
        self._say({"type": "rate_limit_event", "rate_limit_info": info})

    def control_response(self, request: str) -> None:
        """A request of the host was carried out."""
        self._write(
            {"type": "control_response", "response": {"subtype": "success", "request_id": request, "response": {}}}
        )

    def result(self, text: str, *, is_error: bool = False, subtype: str = "success", **more: Json) -> None:
        """The last event of a turn."""
        lasted = round((time.monotonic() - self._since) * 1000)
        event: JsonObject = {
            "type": "result",
            "subtype": subtype,
            "is_error": is_error,
            "duration_ms": lasted,
            "duration_api_ms": 0,
            "num_turns": self._turns,
            "total_cost_usd": 0,
            "usage": dict(_NOTHING_USED),
            "modelUsage": {},
            "permission_denials": [],
            "terminal_reason": "completed",
        }
        if subtype == "success":
            event["result"] = text if text.startswith(LABEL) else f"{LABEL}: {text}"
        else:
            event["errors"] = [text]
        self._say(event | more)

    def half_a_line(self) -> None:
        """The beginning of an event, as a process leaves it that dies while it writes."""
        self._out.write(b'{"type":"assistant","message":{"id":"msg_torn","content":[{"type":"text","te')
        self._out.flush()

    def _assistant(self, block: JsonObject, more: JsonObject) -> None:
        self._turns += 1
        message: JsonObject = {
            "id": f"msg_{uuid.uuid4().hex[:24]}",
            "type": "message",
            "role": "assistant",
            "model": LABEL,
            "content": [block],
            "stop_reason": None,
            "usage": dict(_NOTHING_USED),
        }
        event: JsonObject = {"type": "assistant", "message": message, "parent_tool_use_id": None}
        self._say(event | more)

    def _user(self, block: JsonObject) -> None:
        self._say({"type": "user", "message": {"role": "user", "content": [block]}, "parent_tool_use_id": None})

    def _say(self, event: JsonObject) -> None:
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._write(event | {"session_id": self._session, "uuid": str(uuid.uuid4()), "timestamp": stamp})

    def _write(self, event: JsonObject) -> None:
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        with self._writing:
            self._out.write(line)
            self._out.flush()
