"""What an agent may do when it asks and nobody sits in front of it: work inside its worktree, and report to us.

The default is to refuse. Allowed are reading and changing files of the worktree (what links lead out of it is outside,
and so is its `.git`) where no rule of the project denies or asks, our own tools, and git's own record keeping, as one
plain command. Our tools change nothing but their own mission, and what git records is in the files already, so neither
is held against the rules; `git mv` and `git rm` change files and are, where there are rules, commands like any other.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path
from typing import Final

from ...missions.entities import Json, JsonObject
from ...missions.rules.permissions import PermissionRule, decide
from ..mcp_files import SERVER

FILES: Final = {"read", "edit", "delete", "move", "search"}
MOVES: Final = {"mv", "rm"}
RECORDS: Final = {"add", "commit", "status", "diff", "log", "show"} | MOVES
_OURS: Final = re.compile(
    rf"(?:Run )?(?:mcp__{SERVER}__|mcp_{SERVER}_|{SERVER}_)[a-z_]+|[a-z_]+ \({SERVER} MCP Server\)"
)
_SHELL: Final = re.compile(r"[;&|<>$`\n\r\\(){}*?\[\]~#!]")
_CUT: Final = re.compile(r"\.\.\.|…")
"""A title that may leave out what follows is not a command."""
_BEYOND: Final = ("--output", "--ext-diff", "--no-index", "--textconv", "--exec", "--git-dir", "--work-tree", "-O")
DENIED: Final = "a rule of the project denies it"
_TOOLS: Final[Mapping[str, str]] = {
    "execute": "Bash",
    "edit": "Edit",
    "read": "Read",
    "delete": "Delete",
    "move": "Move",
    "search": "Search",
    "fetch": "WebFetch",
}
_PATHS: Final = ("file_path", "filePath", "filepath", "path", "absolute_path", "abs_path")


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer to one request, with its reason as a sentence that begins small."""

    allowed: bool
    reason: str
    may_be_asked: bool = False
    """A person may allow it all the same; what is outside the worktree stays refused."""
    about: tuple[str, ...] = ()
    """The files for which a rule asks; empty: the call as a whole."""


def ruling(
    call: JsonObject, worktree: Path, rules: Sequence[PermissionRule] = (), readable: Sequence[Path] = ()
) -> Ruling:
    """Whether the tool call (ACP's ToolCallUpdate, as JSON) may go on; `rules` are those of the project.

    `readable` are directories it may read, too: the mission's files.

    Where it needs an answer by more than this, the inbox holds it against the rules once more, as they are by then.
    """
    kind = call.get("kind")
    title = call.get("title")
    command = command_of(call)
    if kind in (None, "other") and command is None and isinstance(title, str) and _OURS.fullmatch(title):
        return Ruling(True, "it is a tool of Solo Unicorn")
    if kind == "execute" or command is not None:
        if command is not None and keeps_records(command) and not (rules and keeps_records(command, of=MOVES)):
            return Ruling(True, "git keeps its own files")
        return Ruling(False, "commands need permission", may_be_asked=True)
    paths = paths_of(call)
    places = (worktree, *(readable if kind in ("read", "search") else ()))
    outside = [path for path in paths if not any(inside(path, place) for place in places)]
    if outside:
        return Ruling(False, f"{outside[0]} is outside the worktree")
    said = {path: decide(rules, tool_of(call), {"file_path": path}, str(worktree), real=realpath) for path in paths}
    if "deny" in said.values():
        return Ruling(False, DENIED)
    if kind not in FILES or not paths:
        return Ruling(False, "it is not known to stay inside the worktree", may_be_asked=True)
    if asked := tuple(path for path, effect in said.items() if effect == "ask"):
        return Ruling(False, "a rule of the project asks a person", may_be_asked=True, about=asked)
    return Ruling(True, "it stays inside the worktree")


def placed(call: JsonObject, start: Path) -> JsonObject:
    """The call with its relative paths as its agent means them: from the folder in which it started."""

    def whole(item: Json) -> Json:
        if isinstance(item, dict) and isinstance(path := item.get("path"), str):
            return {**item, "path": str(start / path)}
        return item

    changed: JsonObject = {}
    for key in ("locations", "content"):
        if isinstance(items := call.get(key), list):
            changed[key] = [whole(item) for item in items]
    if isinstance(values := call.get("rawInput"), dict):
        paths = {key: str(start / given) for key in _PATHS if isinstance(given := values.get(key), str)}
        changed["rawInput"] = {**values, **paths}
    return call | changed


def tool_of(call: JsonObject) -> str:
    """The tool as rules name it: by ACP's kind, so that it is the same for every agent; else its title."""
    kind = _TOOLS.get(str(call.get("kind")))
    return kind or str(call.get("title") or "a tool")[:200]


def inside(path: str, worktree: Path) -> bool:
    """Whether the path, links followed, is in the worktree, its `.git` excepted."""
    root = worktree.resolve()
    try:
        found = (root / path).resolve()
    except (OSError, ValueError, RuntimeError):
        return False
    return found.is_relative_to(root) and not found.is_relative_to(root / ".git")


def keeps_records(command: str | Sequence[str], *, of: Set[str] = RECORDS) -> bool:
    """Whether it is one plain git command of those that a stage needs to commit its work."""
    if isinstance(command, str):
        if _SHELL.search(command):
            return False
        try:
            words = shlex.split(command)
        except ValueError:
            return False
    else:
        words = list(command)
    if len(words) < 2 or words[0] != "git" or words[1] not in of:
        return False
    return not any(word.startswith(_BEYOND) for word in words[2:])


def paths_of(call: JsonObject) -> list[str]:
    """Every file that the call names: its locations, its diffs, and what its input calls a path."""
    found: list[str] = []
    for key in ("locations", "content"):
        items = call.get(key)
        for item in items if isinstance(items, list) else ():
            match item:
                case {"path": str() as path}:
                    found.append(path)
    match call.get("rawInput"):
        case dict() as values:
            found += [given for key in _PATHS if isinstance(given := values.get(key), str)]
    return found


def command_of(call: JsonObject) -> str | list[str] | None:
    """The command it runs: of its input, else, for a call of that kind without any, its title, as with Gemini CLI."""
    match call.get("rawInput"):
        case {"command": str() as command}:
            return command
        case {"command": list() as words}:
            return [str(word) for word in words]
    title = call.get("title")
    if call.get("kind") != "execute" or call.get("rawInput") is not None or not isinstance(title, str):
        return None
    return None if _CUT.search(title) else title
