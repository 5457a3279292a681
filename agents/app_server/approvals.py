"""What Codex asks before it goes beyond its sandbox, or where rules of the project say that it must ask.

Its requests are put as calls of the Agent Client Protocol, so that the same rules rule on both (acp/rules.py).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ...missions.entities import Json, JsonObject
from ...missions.rules.permissions import PermissionRule, decide
from ..acp.inbox import Inbox
from ..acp.rules import MOVES, RECORDS, Ruling, keeps_records, placed, ruling, tool_of
from ..adapter import tell
from ..mcp_files import SERVER

COMMAND: Final = "item/commandExecution/requestApproval"
FILES: Final = "item/fileChange/requestApproval"
MORE: Final = "item/permissions/requestApproval"
QUESTION: Final = "item/tool/requestUserInput"
ELICITATION: Final = "mcpServer/elicitation/request"
NOBODY: Final = "This session is unattended. Ask with Solo Unicorn's tool ask_user, then end your turn."
READERS: Final = {"cat", "head", "tail", "ls", "pwd", "wc", "nl", "stat", "grep", "rg", "true"}
RUNS: Final = ("--pre", "--hostname-bin")
"""Options of rg by which it runs something else."""
_LINES: Final = re.compile(r"\d+(?:,\d+)?p")
_BEYOND_PLAIN: Final = re.compile(r"[$`\n\r\\*?\[\]{}~]")
_SHELL: Final = re.compile(r"\S*(?:ba|z|da)?sh -l?c (?P<quote>['\"]?)(?P<command>.*)(?P=quote)", re.DOTALL)


class Approvals:
    """Answers the requests of one thread."""

    def __init__(
        self,
        worktree: Path,
        *,
        allow_all: bool,
        inbox: Inbox | None,
        rules: Sequence[PermissionRule],
        start: Path | None = None,
    ) -> None:
        self._worktree, self._start = worktree, start
        self._allow_all = allow_all
        self._inbox = inbox
        self._rules = rules
        self._items: dict[str, JsonObject] = {}

    def saw(self, item: JsonObject) -> None:
        """An item began: a request about it names only its id."""
        match item:
            case {"type": "fileChange", "id": str() as id_}:
                self._items = {id_: item}

    async def answer(self, method: str, params: JsonObject) -> Json:
        """The answer to a request of the app server; None for one that is not offered."""
        match method:
            case _ if method in (COMMAND, FILES):
                call = self._command(params) if method == COMMAND else self._files(params)
                allowed = await self._allowed(placed(call, self._start) if self._start else call)
                return {"decision": "accept" if allowed else "decline"}
            case _ if method == MORE:
                asked = params.get("permissions")
                call = _call(params, "other", f"more permissions: {params.get('reason') or asked}")
                return {"permissions": asked if await self._allowed(call) else {}, "scope": "turn"}
            case _ if method == QUESTION:
                questions = params.get("questions")
                named = [one for one in questions if isinstance(one, dict)] if isinstance(questions, list) else []
                return {"answers": {str(one.get("id")): {"answers": [NOBODY]} for one in named}}
            case _ if method == ELICITATION:
                return await self._elicited(params)
        return None

    async def _elicited(self, params: JsonObject) -> Json:
        """A server wants something of a person: whether its tool may be used, as it seems to Codex, or a form."""
        meta = params.get("_meta")
        if not (isinstance(meta, dict) and meta.get("codex_approval_kind") == "mcp_tool_call"):
            return {"action": "decline", "content": None}
        server = str(params.get("serverName", ""))
        call = _call(params, "other", f"{server}: {params.get('message', '')}")
        allowed = server == SERVER or await self._allowed(call)
        return {"action": "accept" if allowed else "decline", "content": {} if allowed else None}

    def _command(self, params: JsonObject) -> JsonObject:
        match params.get("networkApprovalContext"):
            case {"host": str() as host}:
                return _call(params, "fetch", f"network access to {host}") | {"rawInput": {"url": host}}
        command = bare(str(params.get("command") or ""))
        return _call(params, "execute", command) | {"rawInput": {"command": command}}

    def _files(self, params: JsonObject) -> JsonObject:
        changes = self._items.get(str(params.get("itemId")), {}).get("changes")
        named: list[JsonObject] = [one for one in changes if isinstance(one, dict)] if isinstance(changes, list) else []
        kinds = {str(kind.get("type")) for one in named if isinstance(kind := one.get("kind"), dict)}
        places: list[Json] = [{"path": path} for one in named if isinstance(path := one.get("path"), str)]
        for one in named:
            match one.get("kind"):
                case {"move_path": str() as path} | {"movePath": str() as path}:
                    places.append({"path": path})
        if isinstance(root := params.get("grantRoot"), str):
            places.append({"path": root})
        title = ", ".join(str(place["path"]) for place in places if isinstance(place, dict))
        return _call(params, "delete" if kinds == {"delete"} else "edit", title) | {"locations": places}

    async def _allowed(self, call: JsonObject) -> bool:
        found = await self._ruled(call)
        tell("permission", call=call, allowed=found.allowed, reason=found.reason)
        return found.allowed

    async def _ruled(self, call: JsonObject) -> Ruling:
        if self._allow_all:
            return Ruling(True, "a person allowed it everything")
        found = self._held_against_rules(call)
        if found.allowed or not found.may_be_asked or self._inbox is None:
            return found
        tell("asking", call=call)
        for about in found.about or ("",):
            found = Ruling(*await self._inbox.ask(call, about))
            if not found.allowed:
                break
        return found

    def _held_against_rules(self, call: JsonObject) -> Ruling:
        """Codex reads by its shell: with rules that make it ask, what plainly reads or keeps git's records does not."""
        match call:
            case {"rawInput": {"command": str() as command}} if (words := read_by(command)) is not None:
                said = decide(self._rules, tool_of(call), {"command": command}, str(self._worktree))
                reading = _call({"itemId": call["toolCallId"]}, "read", command)
                files: list[Json] = [{"path": str(self._start / word) if self._start else word} for word in words]
                found = ruling(reading | {"locations": files}, self._worktree, self._rules)
                if said in (None, "allow") and found.allowed:
                    return found
        return ruling(call, self._worktree, self._rules)


def read_by(command: str) -> list[str] | None:
    """What a command may read, where all its parts plainly read or keep git's records; None where one may do more."""
    found = ["."]
    for program, *rest in parts(command) or [[""]]:
        if keeps_records([program, *rest], of=RECORDS - MOVES):
            continue
        given = [word for word in rest if not word.startswith("-")]
        options = [word for word in rest if word.startswith("-")]
        if program == "sed":
            if options != ["-n"] or not given or not _LINES.fullmatch(given.pop(0)):
                return None
        elif program not in READERS or any(option.startswith(RUNS) for option in options):
            return None
        found += given
    return found


def parts(command: str) -> list[list[str]] | None:
    """The words of each plain command in a line of them; None where the shell would do more than to run them."""
    if _BEYOND_PLAIN.search(command):
        return None
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    found: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in ("|", "&&", "||", ";"):
                found.append([])
            elif set(word) <= set("();<>|&"):
                return None
            else:
                found[-1].append(word)
    except ValueError:
        return None
    return found if all(found) else None


def bare(command: str) -> str:
    """The command without the shell it is handed to."""
    match = _SHELL.fullmatch(command)
    return match["command"] if match else command


def _call(params: JsonObject, kind: str, title: str) -> JsonObject:
    id_ = params.get("approvalId") or params.get("itemId") or title
    call: JsonObject = {"toolCallId": str(id_), "kind": kind, "title": title}
    if reason := params.get("reason"):
        call["reason"] = reason
    return call
