"""An agent that speaks ACP, made with the official SDK: what it does is told by the words of the prompt.

`python acp_agent.py [STATE]`: conversations are kept in the directory STATE, so that they can be loaded again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from acp import (
    PROTOCOL_VERSION,
    Agent,
    plan_entry,
    run_agent,
    start_edit_tool_call,
    start_tool_call,
    tool_diff_content,
    update_agent_message_text,
    update_agent_thought_text,
    update_plan,
    update_tool_call,
    update_user_message_text,
)
from acp.exceptions import RequestError
from acp.schema import (
    AgentCapabilities,
    ContentToolCallContent,
    FileEditToolCallContent,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    McpCapabilities,
    NewSessionResponse,
    PermissionOption,
    PromptResponse,
    SessionMode,
    SessionModeState,
    TerminalToolCallContent,
    ToolCallLocation,
    ToolCallStatus,
    ToolCallUpdate,
    Usage,
)

MODES = SessionModeState(
    current_mode_id="ask", available_modes=[SessionMode(id="ask", name="Ask"), SessionMode(id="code", name="Code")]
)
OPTIONS = [
    PermissionOption(option_id="yes", name="Allow", kind="allow_once"),
    PermissionOption(option_id="always", name="Always", kind="allow_always"),
    PermissionOption(option_id="no", name="Reject", kind="reject_once"),
]


class Echo(Agent):
    """Says back what it hears, and acts on a few words."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._client: Any = None
        self._cwd = Path()
        self._cancelled = asyncio.Event()

    def on_connect(self, conn: Any) -> None:
        self._client = conn

    async def initialize(self, protocol_version: int, *_: Any, **__: Any) -> InitializeResponse:
        return InitializeResponse(
            protocol_version=PROTOCOL_VERSION,
            agent_capabilities=AgentCapabilities(
                load_session=True, mcp_capabilities=McpCapabilities(http="ECHO_NO_HTTP" not in os.environ)
            ),
            agent_info=Implementation(name="echo", version="1.2.3"),
        )

    async def new_session(  # type: ignore[override]  # the SDK calls by name
        self, cwd: str, mcp_servers: Any = None, **_: Any
    ) -> NewSessionResponse:
        if "ECHO_SIGNED_OUT" in os.environ:
            raise RequestError.auth_required()
        self._begin(cwd, mcp_servers)
        return NewSessionResponse(session_id="echo-1", modes=MODES)

    async def load_session(  # type: ignore[override]  # the SDK calls by name
        self, cwd: str, session_id: str, mcp_servers: Any = None, **_: Any
    ) -> LoadSessionResponse:
        said = self._state / session_id
        if not said.exists():
            raise RequestError.resource_not_found(session_id)
        self._begin(cwd, mcp_servers)
        for text in json.loads(said.read_text()):
            await self._client.session_update(session_id, update_user_message_text(text))
            await self._client.session_update(session_id, update_agent_message_text(f"echo: {text}"))
        return LoadSessionResponse(modes=MODES)

    def _begin(self, cwd: str, mcp_servers: Any) -> None:
        self._cwd = Path(cwd)
        told = [server.model_dump(mode="json", by_alias=True) for server in mcp_servers or ()]
        (self._state / "servers.json").write_text(json.dumps(told))

    async def set_session_mode(self, session_id: str, mode_id: str, **_: Any) -> None:
        (self._state / "mode").write_text(mode_id)

    async def cancel(self, session_id: str, **_: Any) -> None:
        self._cancelled.set()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> PromptResponse:
        text = "".join(block.text for block in prompt)
        kept = self._state / session_id
        kept.write_text(json.dumps([*(json.loads(kept.read_text()) if kept.exists() else []), text]))
        self._cancelled.clear()

        async def tell(update: Any) -> None:
            await self._client.session_update(session_id, update)

        await tell(update_agent_thought_text("hm"))
        await tell(update_agent_message_text("echo: "))
        await tell(update_agent_message_text(text))
        if "plan" in text:
            await tell(update_plan([plan_entry("One", status="completed"), plan_entry("Two")]))
        for word in text.split():
            name, path = word.partition("=")[::2]
            if name == "write":
                await self._write(session_id, path)
            if name == "save":
                await self._client.write_text_file(session_id=session_id, path=str(self._cwd / path), content="saved")
            if name == "look":
                asked = ToolCallUpdate(tool_call_id=word, kind="read", locations=[ToolCallLocation(path=path)])
                await self._allowed(session_id, asked)
            if name == "run" and path:
                await self._run(session_id, path.replace("+", " "))
        if "limit" in text:
            raise RequestError.internal_error({"details": "You've hit your usage limit"})
        if "grumble" in text:
            print("[now] [WARN] Attempt 1 failed with status 503. Retrying", file=sys.stderr, flush=True)
        if "die" in text:
            os._exit(7)
        if "wait" in text:
            await tell(update_agent_message_text("waiting"))
            await self._cancelled.wait()
            return PromptResponse(stop_reason="cancelled")
        if "decline" in text:
            return PromptResponse(stop_reason="refusal")
        return PromptResponse(stop_reason="end_turn", usage=Usage(total_tokens=12, input_tokens=7, output_tokens=5))

    async def _allowed(self, session_id: str, call: ToolCallUpdate) -> bool:
        answer = await self._client.request_permission(session_id=session_id, tool_call=call, options=OPTIONS)
        return getattr(answer.outcome, "option_id", "no") in ("yes", "always")

    async def _write(self, session_id: str, path: str) -> None:
        target = self._cwd / path
        start = start_edit_tool_call("t1", f"Write {path}", path=str(target), content="new\n")
        await self._client.session_update(session_id, start)
        diff: list[ContentToolCallContent | FileEditToolCallContent | TerminalToolCallContent] = [
            tool_diff_content(str(target), "new\n", "old\n")
        ]
        asked = ToolCallUpdate(tool_call_id="t1", content=diff)
        allowed = await self._allowed(session_id, asked)
        if allowed:
            target.write_text("new\n")
        status: ToolCallStatus = "completed" if allowed else "failed"
        await self._client.session_update(session_id, update_tool_call("t1", status=status, content=diff))

    async def _run(self, session_id: str, command: str) -> None:
        given = {"command": command}
        await self._client.session_update(session_id, start_tool_call("t2", command, kind="execute", raw_input=given))
        allowed = await self._allowed(session_id, ToolCallUpdate(tool_call_id="t2", title=command))
        if allowed:
            await self._client.session_update(session_id, update_agent_message_text("done"))
        status: ToolCallStatus = "completed" if allowed else "failed"
        await self._client.session_update(session_id, update_tool_call("t2", status=status))


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()
    asyncio.run(run_agent(Echo(place)))  # type: ignore[abstract]  # a protocol with bodies: what we leave out is unsupported
