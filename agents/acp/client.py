"""Our side of the protocol: what the agent tells is printed, what it asks is answered by the rules.

No file system and no terminal are offered: an agent that has none of ours uses its own tools, which ask first. One
that writes through us all the same (OpenCode does, beside its own tool) does so inside the worktree alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from os.path import realpath
from pathlib import Path
from typing import Any

from acp.exceptions import RequestError
from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    ReadTextFileResponse,
    RequestPermissionResponse,
    ToolCallUpdate,
    WriteTextFileResponse,
)

from ...missions.entities import JsonObject
from ...missions.rules.permissions import PermissionRule
from .inbox import Inbox
from .rules import Ruling, inside, paths_of, ruling


def tell(type_: str, **values: Any) -> None:
    """One line for the transcript."""
    sys.stdout.write(json.dumps({"type": type_, **values}, ensure_ascii=True, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def plain(model: Any) -> JsonObject:
    """A model of the protocol as it is on the wire."""
    found: JsonObject = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


class Listener:
    """What the agent talks to. Not derived from the SDK's Client, whose methods would answer what is not offered."""

    def __init__(
        self, worktree: Path, *, allow_all: bool, inbox: Inbox | None = None, rules: Sequence[PermissionRule] = ()
    ) -> None:
        self._worktree = worktree
        self._inbox = inbox
        self._rules = rules
        self._allow_all = allow_all
        self._known: dict[str, JsonObject] = {}
        self._granted: set[tuple[str, str]] = set()
        """Kind and real path of what the last call was allowed, each for once: some ask, then write through us."""
        self._files = 0
        self.replaying = False
        """While an earlier conversation is loaded: its updates were told before."""
        self.refused = ""
        """Why the last thing it asked for was refused, until it does something else."""

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Something happened."""
        told = plain(update)
        if told.get("sessionUpdate") in ("tool_call", "agent_message_chunk"):
            self.refused = ""
        match told:
            case {"toolCallId": str() as id_}:
                self._known[id_] = self._known.get(id_, {}) | told
                if told.get("status") in ("completed", "failed"):
                    del self._known[id_]
        if not self.replaying:
            tell("update", update=told)

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        """The agent waits for a permission, for this one call: the rules answer at once, else a person in time."""
        call = self._known.get(tool_call.tool_call_id, {}) | plain(tool_call)
        found = await self._ruled(call)
        wanted = ["reject_once", "reject_always"]
        if found.allowed:  # once: the next call may be another matter
            wanted = ["allow_once", "allow_always"] if self._allow_all else ["allow_once"]
        chosen = next((option for kind in wanted for option in options if option.kind == kind), None)
        allowed = found.allowed and chosen is not None
        reason = found.reason if allowed == found.allowed else "it cannot be allowed once"
        tell("permission", call=call, allowed=allowed, reason=reason)
        self.refused = "" if allowed else reason
        self._granted = {(str(call.get("kind")), self._real(path)) for path in paths_of(call)} if allowed else set()
        if chosen is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=chosen.option_id))

    async def read_text_file(
        self, session_id: str, path: str, line: int | None = None, limit: int | None = None, **_: Any
    ) -> ReadTextFileResponse:
        """A file of the worktree that no rule keeps from it; any other is refused."""
        file = await self._mine("read", path)
        try:
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError as error:
            raise RequestError.resource_not_found(path) from error
        start = max(0, (line or 1) - 1)
        return ReadTextFileResponse(content="".join(lines[start : None if limit is None else start + limit]))

    async def write_text_file(self, session_id: str, path: str, content: str, **_: Any) -> WriteTextFileResponse:
        """A file of the worktree that no rule keeps from it; any other is refused."""
        file = await self._mine("edit", path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        return WriteTextFileResponse()

    async def _mine(self, kind: str, path: str) -> Path:
        if not inside(path, self._worktree):
            raise RequestError.invalid_params({"details": f"{path} is outside the worktree"})
        file = self._worktree / path
        if (kind, self._real(path)) in self._granted:
            self._granted.discard((kind, self._real(path)))
            return file
        self._files += 1
        call: JsonObject = {
            "toolCallId": f"file-{self._files}",
            "kind": kind,
            "title": f"{kind.capitalize()} {path}",
            "locations": [{"path": path}],
        }
        found = await self._ruled(call)
        if not found.allowed:
            tell("permission", call=call, allowed=False, reason=found.reason)
            raise RequestError.invalid_params({"details": f"{path} is kept from you: {found.reason}"})
        return file

    def _real(self, path: str) -> str:
        try:
            return realpath(self._worktree / path)
        except ValueError:  # no file can have such a name
            return path

    async def _ruled(self, call: JsonObject) -> Ruling:
        """What the rules say to the call, or where they leave it to a person, that person."""
        if self._allow_all:
            return Ruling(True, "a person allowed it everything")
        found = ruling(call, self._worktree, self._rules)
        if found.allowed or not found.may_be_asked or self._inbox is None:
            return found
        tell("asking", call=call)
        answer = found
        for about in found.about or ("",):
            answer = Ruling(*await self._inbox.ask(call, about))
            if not answer.allowed:
                return answer
        return answer
