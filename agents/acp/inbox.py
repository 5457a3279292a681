"""Asking a person by our MCP server's `approve`, as Claude Code does itself: the question goes into the inbox.

The wait is a thread of its own that nobody waits for: a session that is stopped does not hang on a person.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Final

from ... import __version__
from ...missions.entities import Json, JsonObject
from ...missions.errors import SoloUnicornError
from ...system import strict_json
from ..mcp_client import McpClient, McpServerEntry, Unanswered
from .rules import command_of, tool_of

GONE_SECONDS: Final = 15.0
"""The service may be away this long; it is back within a second or two after a restart."""
ANSWER_SECONDS: Final = 600.0


class Inbox:
    """The way to the person."""

    def __init__(self, mcp_file: Path) -> None:
        found: JsonObject = strict_json.heard(mcp_file.read_text(encoding="utf-8"))
        self._server = McpServerEntry("solo", str(found["url"]), {"Authorization": f"Bearer {found['token']}"})

    async def ask(self, call: JsonObject, about: str = "") -> tuple[bool, str]:
        """Whether the call may go on, for one file when that is named, and the reason. Nobody reachable: no."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[bool, str]] = loop.create_future()

        def settle(found: tuple[bool, str]) -> None:
            if not answer.done():
                answer.set_result(found)

        def wait() -> None:
            found = self._asked(call, about)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=wait, name="inbox", daemon=True).start()
        return await answer

    def _asked(self, call: JsonObject, about: str) -> tuple[bool, str]:
        client = McpClient(
            self._server,
            version=__version__,
            wait=time.sleep,
            retrying=lambda *_: None,
            patience=GONE_SECONDS,
            answer_seconds=ANSWER_SECONDS,
        )
        given: JsonObject = {"tool_name": tool_of(call), "input": input_of(call, about)}
        given |= {"tool_use_id": _question(call.get("toolCallId"), given)}
        try:
            told = client.call("approve", given, took_effect=lambda: False)  # the same id asks once
            verdict = strict_json.heard(told.text.partition("\n")[0])
        except (SoloUnicornError, Unanswered, ValueError) as error:
            return False, f"no person could be asked: {error}"
        finally:
            client.close()
        match verdict:
            case {"behavior": "allow"}:
                return True, "a person allowed it"
            case {"behavior": "deny", "message": str() as message}:
                return False, message
        return False, f"no person could be asked: {told.text[:200]}"


def _question(call_id: Json, given: JsonObject) -> str:
    """The id under which a question is asked once: an agent that uses an id again asks something else by it."""
    return hashlib.sha256(json.dumps([call_id, given], sort_keys=True).encode()).hexdigest()


def input_of(call: JsonObject, about: str = "") -> Json:
    """What it is used with; the command and the file by the names that rules know, `about` being the one file."""
    if about:
        return {"file_path": about}
    raw = call.get("rawInput")
    found: dict[str, Json] = dict(raw) if isinstance(raw, dict) else {}
    match command_of(call):
        case str() as command:
            found["command"] = command
        case list() as words:
            found["command"] = " ".join(words)
    if not found:
        found = {"title": str(call.get("title") or "")}
    return found
