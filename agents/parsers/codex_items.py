"""Items of Codex: calls of tools and their results, as the app server spells them; `codex exec` differs in spelling."""

from __future__ import annotations

import re
from typing import Final

from ...missions.entities import Json, JsonObject
from ..events import ChangeKind, FileChange, ToolCall, ToolKind, ToolResult
from ..mcp_files import SERVER
from . import tools

_CHANGES: Final[dict[str, ChangeKind]] = {"add": "add", "delete": "delete", "update": "edit"}
_UNDERSCORE: Final = re.compile(r"_([a-z])")


def spelled(item: JsonObject) -> JsonObject:
    """An item of `codex exec` as the app server spells it."""
    values = {_camel(name): value for name, value in item.items()}
    return {**values, "type": _camel(str(item.get("type")))}


def _camel(name: str) -> str:
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


def called(id_: str, item: JsonObject, within: str = "") -> ToolCall | None:
    """The call that an item is about; None when its shape is unknown. `within`: the call that began its sub-agent."""
    match item:
        case {"type": "commandExecution", "command": str() as command}:
            return ToolCall(id_, "shell", "run", bare(command), (), command, within)
        case {"type": "fileChange"}:
            files = _files(item.get("changes"))
            return ToolCall(id_, "apply_patch", "edit", ", ".join(one.path for one in files), files, "", within)
        case {"type": "mcpToolCall" | "dynamicToolCall", "tool": str() as tool}:
            given = item.get("arguments")
            values: JsonObject = given if isinstance(given, dict) else {}
            kind: ToolKind = "mission" if item.get("server") == SERVER else "other"
            return ToolCall(id_, tool, kind, tools.summary_of(values), (), tools.detail_of(values), within)
        case {"type": "webSearch", "query": str() as query}:
            return ToolCall(id_, "web_search", "fetch", query, within=within)
        case {"type": "collabAgentToolCall", "tool": str() as tool}:
            return ToolCall(id_, tool, "delegate", tools.word(item, "prompt"), within=within)
        case {"type": "subAgentActivity", "kind": str() as what}:
            return ToolCall(id_, "agent", "delegate", f"{tools.word(item, 'agentPath')} {what}".strip(), within=within)
    return None


def answered(id_: str, item: JsonObject) -> ToolResult:
    """What came of a call."""
    ok = item.get("status") in ("completed", None) and item.get("exitCode") in (0, None) and not item.get("error")
    text = tools.text_of(item.get("aggregatedOutput")) or tools.text_of(item.get("result") or item.get("error"))
    return ToolResult(id_, ok, text, _files(item.get("changes")))


def bare(command: str) -> str:
    """The command without the shell it is handed to."""
    match = re.fullmatch(r"\S*(?:ba|z)?sh -l?c '(.*)'", command, re.DOTALL)
    return match[1] if match else command


def _files(changes: Json) -> tuple[FileChange, ...]:
    found = []
    for change in changes if isinstance(changes, list) else ():
        if not isinstance(change, dict):
            continue
        match change:
            case {"path": str() as path, "kind": {"type": str() as kind} | (str() as kind)}:
                found.append(_changed(path, _CHANGES.get(kind, "edit"), change.get("diff")))
    return tuple(found)


def _changed(path: str, change: ChangeKind, diff: Json) -> FileChange:
    """A new file is told as its content, a changed one as a unified diff; `codex exec` tells neither."""
    if not isinstance(diff, str):
        return FileChange(path, change)
    if change == "add":
        return tools.written(path, diff)
    lines = diff.splitlines()
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    if change == "delete":
        return FileChange(path, change, 0, len(lines))
    return FileChange(path, change, added, removed, diff[: tools.DIFF_CAP])
