"""What agents' tools have in common: their kind, one line about a call, the lines of an edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Final

from ...missions.entities import Json, JsonObject
from ...system import strict_json
from ..events import ChangeKind, FileChange, PlanStep, StepState, ToolKind

_KINDS: Final[dict[str, ToolKind]] = {
    "read": "read",
    "notebookread": "read",
    "read_file": "read",
    "read_many_files": "read",
    "view": "read",
    "glob": "search",
    "grep": "search",
    "ls": "search",
    "list": "search",
    "search_file_content": "search",
    "list_directory": "search",
    "toolsearch": "search",
    "codesearch": "search",
    "edit": "edit",
    "multiedit": "edit",
    "write": "edit",
    "notebookedit": "edit",
    "write_file": "edit",
    "replace": "edit",
    "patch": "edit",
    "apply_patch": "edit",
    "bash": "run",
    "bashoutput": "run",
    "killshell": "run",
    "monitor": "run",
    "run_shell_command": "run",
    "shell": "run",
    "webfetch": "fetch",
    "websearch": "fetch",
    "web_fetch": "fetch",
    "google_web_search": "fetch",
    "task": "delegate",
    "agent": "delegate",
    "workflow": "delegate",
    "todowrite": "plan",
    "todoread": "plan",
    "write_todos": "plan",
    "exitplanmode": "plan",
    "enterplanmode": "plan",
}
_OURS: Final = ("mcp__solo__", "mcp_solo_", "solo_")
_TELLING: Final = (
    "file_path",
    "path",
    "notebook_path",
    "filePath",
    "absolute_path",
    "command",
    "pattern",
    "query",
    "url",
    "description",
    "title",
    "titles",
    "summary",
    "text",
    "question",
    "document",
    "prompt",
)
_STATES: Final[dict[str, StepState]] = {
    "in_progress": "active",
    "active": "active",
    "completed": "done",
    "done": "done",
    "cancelled": "done",
}
DIFF_CAP: Final = 64 << 10


def plain_name(tool: str) -> str:
    """The tool's name without what agents put before our own."""
    return next((tool.removeprefix(prefix) for prefix in _OURS if tool.startswith(prefix)), tool)


def kind_of(tool: str) -> ToolKind:
    """What sort of tool it is, by its name."""
    if any(tool.startswith(prefix) for prefix in _OURS):
        return "mission"
    return _KINDS.get(tool.lower(), "other")


def summary_of(values: JsonObject) -> str:
    """One line that says what the call is about: a path, a command, a query."""
    for key in _TELLING:
        match values.get(key):
            case str() as text if text.strip():
                return text.strip().splitlines()[0]
            case list() as items if items:
                return ", ".join(str(item) for item in items)
    return next((str(value) for value in values.values() if isinstance(value, str | int | float)), "")


def detail_of(values: JsonObject) -> str:
    """The whole input, for a reader."""
    match values:
        case {"command": str() as command}:
            return command
    return strict_json.dumps(values, indent=2) if values else ""


def replaced(path: str, pairs: Iterable[tuple[str, str]]) -> FileChange:
    """An edit told as old and new text."""
    lines: list[str] = []
    added = removed = 0
    for old, new in pairs:
        before, after = old.splitlines(), new.splitlines()
        start = 0
        while start < min(len(before), len(after)) and before[start] == after[start]:
            start += 1
        end = 0
        while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
            end += 1
        gone, come = before[start : len(before) - end], after[start : len(after) - end]
        lines += [f" {line}" for line in before[max(0, start - 2) : start]]
        lines += [f"-{line}" for line in gone] + [f"+{line}" for line in come]
        lines += [f" {line}" for line in before[len(before) - end : len(before) - end + 2]]
        added += len(come)
        removed += len(gone)
    return FileChange(path, "edit", added, removed, "\n".join(lines)[:DIFF_CAP])


def word(values: JsonObject, name: str) -> str:
    """The text under a name; empty for anything else."""
    value = values.get(name)
    return value if isinstance(value, str) else ""


def written(path: str, content: str, change: ChangeKind = "add") -> FileChange:
    """A whole file told as its text."""
    lines = content.splitlines()
    return FileChange(path, change, len(lines), None, "\n".join(f"+{line}" for line in lines)[:DIFF_CAP])


def patched(path: str, hunks: Json) -> FileChange:
    """A change told as hunks with a list of `lines`."""
    lines: list[str] = []
    for hunk in hunks if isinstance(hunks, list) else ():
        match hunk:
            case {"lines": list() as some, **rest}:
                lines.append(f"@@ -{rest.get('oldStart')} +{rest.get('newStart')} @@")
                lines += [str(line) for line in some]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return FileChange(path, "edit", added, removed, "\n".join(lines)[:DIFF_CAP])


def steps_of(items: Json) -> tuple[PlanStep, ...]:
    """A plan told as a list of steps with a text and a state."""
    steps = []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            title = next((str(item[key]) for key in ("content", "title", "description", "text") if item.get(key)), "")
            state = str(item.get("status", ""))
            finished: StepState = "done" if item.get("completed") is True else "pending"
            steps.append(PlanStep(title, _STATES.get(state, finished)))
    return tuple(steps)


def plan_of_tasks(values: JsonObject) -> tuple[PlanStep, ...]:
    """The plan an agent reports with our tool update_tasks."""
    match values:
        case {"titles": list() as titles, **rest}:
            finished = rest.get("finished", 0)
            count = finished if isinstance(finished, int) else 0
            states: list[StepState] = [
                "done" if at < count else "active" if at == count else "pending" for at in range(len(titles))
            ]
            return tuple(PlanStep(str(title), state) for title, state in zip(titles, states, strict=True))
    return ()


def text_of(content: Json) -> str:
    """The text of a tool's result, whatever it is wrapped in."""
    match content:
        case str():
            return content
        case list():
            return "\n".join(filter(None, (text_of(item) for item in content)))
        case {"type": "image"}:
            return "[image]"
        case {"text": str() as text}:
            return text
        case {"content": inner}:
            return text_of(inner)
    return ""


def number(values: Mapping[str, Json], *keys: str) -> int:
    """The first of the keys that holds a number, as a whole one; 0 when none does."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            return int(value)
    return 0
