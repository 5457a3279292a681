"""Our side of the protocol: what the agent tells is printed, what it asks is answered by the rules.

No file system and no terminal are offered: an agent that has none of ours uses its own tools, which ask first. One
that writes through us all the same (OpenCode does, beside its own tool) does so inside the worktree alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from os.path import realpath
from pathlib import Path

from ...missions.entities import Json, JsonObject
from ...missions.rules.permissions import PermissionRule
from ..adapter import tell
from .inbox import Inbox
from .questions import question
from .rules import Ruling, inside, paths_of, placed, ruling
from .wire import METHOD_UNKNOWN, PARAMS_WRONG, AgentRefused

NOT_FOUND = -32002
BROKEN_OFF = "the turn was interrupted"


class AcpClient:
    """Our side of a conversation: takes the agent's messages and answers its requests."""

    def __init__(
        self,
        worktree: Path,
        *,
        allow_all: bool,
        inbox: Inbox | None = None,
        rules: Sequence[PermissionRule] = (),
        readable: Sequence[Path] = (),
        when_asked: Callable[[], None] = lambda: None,
        start: Path | None = None,
    ) -> None:
        self._worktree, self._start = worktree, start
        self._inbox = inbox
        self._rules = rules
        self._readable = tuple(readable)
        self._allow_all = allow_all
        self._when_asked = when_asked
        self._known: dict[str, JsonObject] = {}
        self._held: set[str] = set()
        """Calls that did not say yet what they are about; they are told once they do."""
        self._granted: set[tuple[str, str]] = set()
        """Kind and real path of what the last call was allowed, each for once: some ask, then write through us."""
        self._asking: set[asyncio.Task[Ruling]] = set()
        self._files = 0
        self._spent_before: float | None = 0.0
        """What the conversation had cost when this session began, in US dollars; None until it tells."""
        self.replaying = False
        """Until the first prompt: what comes now was told in an earlier session."""
        self.refused = ""
        """Why the last thing it asked for was refused, until it does something else."""
        self.asked = ""
        """What it asked the person in this turn; the turn is broken off, and the answer is the next prompt."""

    def opening(self, *, resumes: bool) -> None:
        """A conversation is about to be opened."""
        self.replaying = True
        self._spent_before = None if resumes else 0.0

    def begins_anew(self) -> None:
        """It is not the earlier conversation: nothing was spent in it yet."""
        self._spent_before = 0.0

    def begin_turn(self) -> None:
        """It is about to be prompted."""
        self.replaying = False
        self.refused = self.asked = ""

    def end_turn(self) -> None:
        """Its turn is over: what it never said more of is told as it is."""
        for id_ in list(self._held):
            self._release(id_)
        self._known.clear()

    def cancel(self) -> None:
        """Nobody is asked any more: each request that waits for a person is answered as cancelled."""
        for task in self._asking:
            task.cancel()

    def hear(self, method: str, params: JsonObject) -> None:
        match method, params:
            case "session/update", {"update": {"sessionUpdate": str()}}:
                self._updated(params["update"])
            case ("elicitation/complete", _):
                pass
            case _ if not method.startswith(("_", "$/")) and not self.replaying:
                tell("unknown", method=method, params=params)

    async def answer(self, method: str, params: JsonObject) -> Json:
        """The agent asks for something; Refused when it is not offered or not allowed."""
        match method, params:
            case "session/request_permission", {"toolCall": dict() as call, "options": list() as options}:
                return await self._permission(call, [one for one in options if isinstance(one, dict)])
            case "fs/read_text_file", {"path": str() as path}:
                return await self._read(path, params.get("line"), params.get("limit"))
            case "fs/write_text_file", {"path": str() as path, "content": str() as content}:
                return await self._write(path, content)
            case "elicitation/create", {"mode": "form", "message": str()}:
                return self._elicited(params)
            case ("session/request_permission" | "fs/read_text_file" | "fs/write_text_file" | "elicitation/create", _):
                tell("unknown", method=method, params=params)
                raise AgentRefused(PARAMS_WRONG, "Invalid params")
        raise AgentRefused(METHOD_UNKNOWN, f"Method not found: {method}")

    # ---- what it tells ---------------------------------------------------------------------------------------------

    def _updated(self, told: Json) -> None:
        assert isinstance(told, dict)
        update: JsonObject = {key: value for key, value in told.items() if value is not None}
        if update["sessionUpdate"] in ("tool_call", "agent_message_chunk"):
            self.refused = ""
        match update:
            case {"toolCallId": str() as id_}:
                update = self._completed(id_, update)
            case {"sessionUpdate": "usage_update"}:
                self._spent(update)
                return
        if update and not self.replaying:
            tell("update", update=update)

    def _completed(self, id_: str, update: JsonObject) -> JsonObject:
        """The update as it is told: a call whose input is still being written, once that is there; else nothing."""
        call = self._known[id_] = self._known.get(id_, {}) | update
        if update["sessionUpdate"] == "tool_call" and _is_begun(call):
            self._held.add(id_)
        if id_ in self._held:
            if _is_begun(call):
                return {}
            self._held.discard(id_)
            update = call | {"sessionUpdate": "tool_call"}
        if call.get("status") in ("completed", "failed"):
            del self._known[id_]
        return update

    def _release(self, id_: str) -> None:
        """Tell of the call as far as it is known."""
        if id_ in self._held and not self.replaying:
            tell("update", update=self._known[id_] | {"sessionUpdate": "tool_call"})
        self._held.discard(id_)

    def _spent(self, update: JsonObject) -> None:
        """How full the conversation is, and its cost less what was spent before this session."""
        cost = None
        match update.get("cost"):
            case {"amount": int() | float() as amount, "currency": "USD"} if not isinstance(amount, bool):
                if self.replaying or self._spent_before is None:
                    self._spent_before = amount
                cost = max(0.0, amount - self._spent_before)
        if not self.replaying:
            tell("usage", used=update.get("used"), size=update.get("size"), cost=cost)

    # ---- what it asks ----------------------------------------------------------------------------------------------

    async def _permission(self, asked: JsonObject, options: list[JsonObject]) -> JsonObject:
        """For this one call: the rules answer at once, else a person in time."""
        id_ = str(asked.get("toolCallId"))
        # what it leaves empty here it has told before, as OpenCode does
        said = {key: value for key, value in asked.items() if value not in (None, "", [], {})}
        call = self._known.get(id_, {}) | said
        call = placed(call, self._start) if self._start else call
        if id_ in self._held:
            self._known[id_] = call
            self._release(id_)
        found = await self._unless_cancelled(call)
        if found is None:
            tell("permission", call=call, allowed=False, reason=BROKEN_OFF)
            return {"outcome": {"outcome": "cancelled"}}
        wanted = ["reject_once", "reject_always"]
        if found.allowed:  # once: the next call may be another matter
            wanted = ["allow_once", "allow_always"] if self._allow_all else ["allow_once"]
        known = [one for one in options if isinstance(one.get("optionId"), str)]
        chosen = next((one for kind in wanted for one in known if one.get("kind") == kind), None)
        allowed = found.allowed and chosen is not None
        reason = found.reason if allowed == found.allowed else "it cannot be allowed once"
        tell("permission", call=call, allowed=allowed, reason=reason)
        self.refused = "" if allowed else reason
        self._granted = {(str(call.get("kind")), self._real(path)) for path in paths_of(call)} if allowed else set()
        if chosen is None:
            return {"outcome": {"outcome": "cancelled"}}
        return {"outcome": {"outcome": "selected", "optionId": chosen["optionId"]}}

    async def _unless_cancelled(self, call: JsonObject) -> Ruling | None:
        task = asyncio.ensure_future(self._ruled(call))
        self._asking.add(task)
        try:
            await asyncio.wait([task])
        finally:
            self._asking.discard(task)
            task.cancel()
        return None if task.cancelled() else task.result()

    def _elicited(self, params: JsonObject) -> JsonObject:
        """A question in words: the person answers in time, not now, so the turn ends here (domain.md, Questions)."""
        self.asked = question(params)
        tell("question", id=str(params.get("toolCallId") or "question"), text=self.asked)
        asyncio.get_running_loop().call_soon(self._when_asked)
        return {"action": "cancel"}

    async def _read(self, path: str, line: Json, limit: Json) -> JsonObject:
        """A file of the worktree that no rule keeps from it; any other is refused."""
        file = await self._mine("read", path)
        try:
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError as error:
            raise AgentRefused(NOT_FOUND, f"Resource not found: {path}") from error
        start = max(0, (line if isinstance(line, int) else 1) - 1)
        return {"content": "".join(lines[start : start + limit if isinstance(limit, int) else None])}

    async def _write(self, path: str, content: str) -> JsonObject:
        """A file of the worktree that no rule keeps from it; any other is refused."""
        file = await self._mine("edit", path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        return {}

    async def _mine(self, kind: str, path: str) -> Path:
        path = str(self._start / path) if self._start else path
        readable = self._readable if kind == "read" else ()
        if not any(inside(path, place) for place in (self._worktree, *readable)):
            raise AgentRefused(PARAMS_WRONG, "Invalid params", {"details": f"{path} is outside the worktree"})
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
            raise AgentRefused(PARAMS_WRONG, "Invalid params", {"details": f"{path} is not allowed: {found.reason}"})
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
        found = ruling(call, self._worktree, self._rules, self._readable)
        if found.allowed or not found.may_be_asked or self._inbox is None:
            return found
        tell("asking", call=call)
        answer = found
        for about in found.about or ("",):
            answer = Ruling(*await self._inbox.ask(call, about))
            if not answer.allowed:
                return answer
        return answer


def _is_begun(call: JsonObject) -> bool:
    """Whether the model still writes its input, of which some agents tell with an empty one."""
    given = call.get("rawInput")
    waits = call.get("status") in (None, "pending") and not call.get("content")
    return waits and isinstance(given, dict) and given.keys() <= {"cwd"}
