"""One thread: begun or gone on with, a turn for what is said, steered by what is said meanwhile, broken off on request.

Whoever reads our output takes notifications as Codex sends them, beside lines of our own: `session`, `usage` (of this
session alone: Codex counts the whole thread), `asking`, `permission`, `taken` and `result`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from ... import __version__
from ...missions.entities import Json, JsonObject
from ..acp.inbox import Inbox
from ..adapter import Wanted, listen, tell
from ..mcp_files import SERVER
from ..quoting import git_roots
from ..speech import said_by_person
from .approvals import Approvals
from .connection import CodexConnection, CodexRefused, Ended

NEAR: Final = 90
"""Percent of a usage limit from which on it is told."""
UNWANTED: Final = (
    "item/commandExecution/outputDelta",
    "item/fileChange/outputDelta",
    "item/fileChange/patchUpdated",
    "item/plan/delta",
    "item/reasoning/summaryPartAdded",
    "item/reasoning/summaryTextDelta",
    "item/reasoning/textDelta",
    "turn/diff/updated",
)
"""Notifications that say in pieces what an item says whole."""
ENVIRONMENT: Final = ("SOLO_UNICORN_HOME", "SOLO_UNICORN_RUNTIME_DIR")


async def held(wanted: Wanted) -> int:
    """Hold the conversation from start to end; returns the exit code."""
    conversation = CodexConversation(wanted)
    listening = asyncio.create_task(listen(conversation.words.put_nowait, conversation.interrupt, said_by_person))
    try:
        return await conversation.run()
    finally:
        listening.cancel()


class CodexConversation:
    """The turns of one session. What a person says is put into `words`; None: no more comes."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        inbox = Inbox(wanted.mcp_file) if wanted.mcp_file is not None else None
        self._approvals = Approvals(
            wanted.worktree, allow_all=wanted.allow_all, inbox=inbox, rules=wanted.rules, start=wanted.start
        )
        self._codex = CodexConnection(self._notified, self._asked)
        self.words: asyncio.Queue[str | None] = asyncio.Queue()
        self._late: list[str | None] = []
        self._thread = self._turn = ""
        self._over: asyncio.Future[JsonObject] | None = None
        self._taken = 0
        """How many messages were taken into the turn that runs, after its first."""
        self._images = wanted.images
        self._before: dict[str, int] | None = None
        self._limits: JsonObject = {}
        self._within: dict[str, str] = {}
        """By thread of a sub-agent: the item by which it was begun."""

    async def run(self) -> int:
        """Until no more is said; 1 when the last turn ended with an error."""
        try:
            await self._codex.open(self._wanted.command, self._wanted.start or self._wanted.worktree)
        except OSError as error:
            _ended(False, f"{self._wanted.command[0]} cannot be started: {error}")
            return 1
        code = 1
        try:
            await self._begin()
            while (text := await self._next()) is not None:
                code = 0 if await self._turned(text) else 1
        except CodexRefused as error:
            kind = "conversation_unknown" if self._wanted.resume and not self._thread else "other"
            _ended(False, str(error), kind)
            code = 1
        except Ended as error:
            _ended(False, str(error))
            code = 1
        finally:
            await self._codex.close()
        return code

    async def interrupt(self) -> None:
        """Break off the turn; Codex ends it in order and lives on."""
        if self._turn:
            with suppress(CodexRefused, Ended):
                await self._codex.request("turn/interrupt", {"threadId": self._thread, "turnId": self._turn})

    # ---- the thread

    async def _begin(self) -> None:
        capabilities: JsonObject = {"experimentalApi": False, "optOutNotificationMethods": list[Json](UNWANTED)}
        info: JsonObject = {"name": "solo-unicorn", "title": "Solo Unicorn", "version": __version__}
        await self._codex.request("initialize", {"clientInfo": info, "capabilities": capabilities})
        self._codex.notify("initialized")
        wanted = self._wanted
        sandbox = "danger-full-access" if wanted.allow_all else wanted.sandbox or "workspace-write"
        asks = bool(wanted.rules) or sandbox == "danger-full-access"
        settings: JsonObject = {
            "cwd": str(wanted.start or wanted.worktree),
            "sandbox": sandbox,
            "approvalPolicy": "never" if wanted.allow_all else "untrusted" if asks else "on-request",
            "config": _config(wanted),
        }
        if wanted.model:
            settings["model"] = wanted.model
        if wanted.resume:
            known: JsonObject = {"threadId": wanted.resume, "excludeTurns": True}
            begun = await self._codex.request("thread/resume", settings | known)
        else:
            begun = await self._codex.request("thread/start", settings)
        match begun:
            case {"thread": {"id": str() as id_, **thread}}:
                self._thread = id_
                version = thread.get("cliVersion")
                tell("session", threadId=id_, model=begun.get("model"), version=version, resumed=bool(wanted.resume))
            case _:
                raise Ended("it started no thread")

    # ---- a turn

    async def _next(self) -> str | None:
        """What is said next; raises Ended when Codex ends meanwhile."""
        if self._late:
            return self._late.pop(0)
        saying = asyncio.create_task(self.words.get())
        ending = asyncio.create_task(self._codex.ended())
        both: list[asyncio.Future[Any]] = [saying, ending]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not saying.done():
            saying.cancel()
            raise Ended("it ended by itself")
        return saying.result()

    async def _turned(self, text: str) -> bool:
        """One turn, with what is said while it lasts; whether it ended well."""
        self._over = asyncio.get_running_loop().create_future()
        self._taken = 0
        told: JsonObject = {"threadId": self._thread, "input": self._input(text)}
        if self._wanted.effort:
            told["effort"] = self._wanted.effort
        match await self._codex.request("turn/start", told):
            case {"turn": {"id": str() as id_}} if not self._over.done():
                self._turn = id_
        ending = asyncio.create_task(self._codex.ended())
        await self._listen_meanwhile(self._over, ending)
        ending.cancel()
        self._turn = ""
        if not self._over.done():
            raise Ended("it ended in the middle of a turn")
        turn = self._over.result()
        for _ in range(self._taken):
            tell("taken")
        ok = turn.get("status") == "completed"
        tell("result", ok=ok, status=turn.get("status"), error=turn.get("error"), rateLimits=self._limits)
        return ok

    async def _listen_meanwhile(self, over: asyncio.Future[JsonObject], ending: asyncio.Task[None]) -> None:
        """Hand on what is said until the turn or Codex ends; what comes too late for the turn is the next one's."""
        saying = asyncio.create_task(self.words.get())
        both: list[asyncio.Future[Any]] = [over, ending]
        while not over.done() and not ending.done():
            await asyncio.wait([saying, *both], return_when=asyncio.FIRST_COMPLETED)
            if not saying.done():
                continue
            text = saying.result()
            if text is None or not await self._steered(text):
                self._late.append(text)
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                return
            self._taken += 1
            saying = asyncio.create_task(self.words.get())
        saying.cancel()

    async def _steered(self, text: str) -> bool:
        steer: JsonObject = {"threadId": self._thread, "expectedTurnId": self._turn, "input": self._input(text)}
        try:
            await self._codex.request("turn/steer", steer)
        except CodexRefused:
            return False
        return True

    def _input(self, text: str) -> list[Json]:
        images, self._images = self._images, ()
        shown: list[Json] = [{"type": "localImage", "path": str(path)} for path in images]
        return [{"type": "text", "text": text}, *shown]

    # ---- what Codex says

    def _notified(self, method: str, params: JsonObject) -> None:
        thread = params.get("threadId")
        ours = thread in (None, self._thread)
        item = params.get("item")
        if isinstance(item, dict):
            self._approvals.saw(item)
            self._note_agents(item)
        match method:
            case "turn/completed" if ours:
                turn = params.get("turn")
                if self._over is not None and not self._over.done() and isinstance(turn, dict):
                    self._over.set_result(turn)
                return
            case "thread/tokenUsage/updated":
                if ours and self._over is not None and not self._over.done():
                    self._count(params)
                return
            case "account/rateLimits/updated":
                self._limit(params)
                return
        line: JsonObject = {"method": method, "params": params}
        if not ours:
            line["within"] = self._within.get(str(thread), str(thread))
        tell("codex", **line)

    def _note_agents(self, item: JsonObject) -> None:
        match item:
            case {
                "type": "collabAgentToolCall",
                "tool": "spawnAgent",
                "id": str() as id_,
                "receiverThreadIds": list() as to,
            }:
                self._within |= {str(thread): id_ for thread in to}
            case {"type": "subAgentActivity", "id": str() as id_, "agentThreadId": str() as thread}:
                self._within.setdefault(thread, id_)

    def _count(self, params: JsonObject) -> None:
        match params.get("tokenUsage"):
            case {"total": dict() as total, "last": dict() as last, **rest}:
                counted = {name: value for name, value in total.items() if isinstance(value, int)}
                if self._before is None:
                    self._before = {name: value - _number(last, name) for name, value in counted.items()}
                used = {name: value - self._before.get(name, 0) for name, value in counted.items()}
                filled = {"used": last.get("totalTokens"), "size": rest.get("modelContextWindow")}
                tell("usage", usage=used, context=filled)

    def _limit(self, params: JsonObject) -> None:
        found = params.get("rateLimits")
        if not isinstance(found, dict):
            return
        limits = self._limits | {name: value for name, value in found.items() if value is not None}
        if limits != self._limits and any(_number(window, "usedPercent") >= NEAR for window in _windows(limits)):
            tell("limits", rateLimits=limits)
        self._limits = limits

    async def _asked(self, method: str, params: JsonObject) -> Json:
        return await self._approvals.answer(method, params)


def _config(wanted: Wanted) -> JsonObject:
    """Of its configuration, for this thread alone: what a commit writes to, the network, our server.

    The token is in a file. Codex hands on no variables but those it is told of.
    """
    config: JsonObject = {
        "sandbox_workspace_write.writable_roots": [
            str(path) for path in [*([wanted.worktree] if wanted.start else []), *git_roots(wanted.worktree)]
        ],
        "sandbox_workspace_write.network_access": True,
    }
    if wanted.mcp_file is not None:
        config[f"mcp_servers.{SERVER}"] = {
            "command": sys.executable,
            "args": ["-P", "-m", "solo_unicorn", "mcp", "--token-file", str(wanted.mcp_file)],
            "env_vars": list[Json](ENVIRONMENT),
            "required": True,
            "startup_timeout_sec": 30,
            "default_tools_approval_mode": "approve",
        }
    return config


def _windows(limits: JsonObject) -> Sequence[JsonObject]:
    return [window for name in ("primary", "secondary") if isinstance(window := limits.get(name), dict)]


def _number(values: JsonObject, name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) else 0


def _ended(ok: bool, message: str, kind: str = "other") -> None:
    tell("result", ok=ok, status="failed", error={"message": message, "kind": kind})
