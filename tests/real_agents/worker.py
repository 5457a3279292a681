"""What a sensible model would do on a mission: the script for stages clarify, plan and code."""

from __future__ import annotations

import json
from typing import Any

from .scripted_model import Answer, Asked, Call, Failure, Hang, Text, Use

FILE = "greeting.txt"


def work_on_a_mission(asked: Asked, *, solo: str = "mcp__solo__") -> Answer | Failure | Hang:
    """The next step, seen from what was called since the prompt; an error is reported, never worked around."""
    if not asked.calls:
        return [Text("I read my mission first."), Use(f"{solo}get_context")]
    failed = next((call for call in asked.calls if call.is_error), None)
    if failed is not None:
        return [Text(f"I stop: {failed.tool} answered {failed.result}")]
    context = asked.calls[0].result
    steps = _steps(facts(context), context, solo)
    place = len(asked.calls) - 1
    return steps[place] if place < len(steps) else [Text("My stage is finished.")]


def facts(context: str) -> dict[str, Any]:
    """The first line of what get_context answers."""
    read: dict[str, Any] = json.loads(context.partition("\n")[0])
    return read


def _steps(mission: dict[str, Any], context: str, solo: str) -> list[Answer]:
    match mission["stage"]:
        case "clarify":
            spec = {"spec": "A file greets the world.", "expected_version": mission["version"]}
            return [
                [Use(f"{solo}update_mission", spec)],
                [Use(f"{solo}add_note", {"kind": "clarification", "text": "One file, one line."})],
                _finish(solo, "Clarified: one file, one line."),
            ]
        case "plan":
            return [
                [Use(f"{solo}attach_solution", {"text": f"# Solution\n\nWrite `{FILE}`."})],
                [Use(f"{solo}update_tasks", {"titles": [f"Write {FILE}", "Commit it"], "finished": 0})],
                _finish(solo, "Planned in two tasks."),
            ]
        case _ if mission.get("review") == "rejected":
            return [*_write(mission, "Hello, dear world\n", "Greet more warmly"), _finish(solo, "Greets more warmly.")]
        case _:
            return [
                *_write(mission, "Hello, world\n", "Greet the world"),
                [Use(f"{solo}update_tasks", {"titles": [f"Write {FILE}", "Commit it"], "finished": 2})],
                _finish(solo, "The file is written and committed."),
            ]


def _write(mission: dict[str, Any], content: str, message: str) -> list[Answer]:
    """Look, write the file (Claude Code wants it read first where it exists), commit."""
    path = f"{mission['worktree']}/{FILE}"
    read: list[Answer] = [[Use("Read", {"file_path": path})]] if mission.get("review") == "rejected" else []
    return [
        [Use("Bash", {"command": "git status --short", "description": "Look"})],
        *read,
        [Use("Write", {"file_path": path, "content": content})],
        [Use("Bash", {"command": f"git add {FILE}", "description": "Stage"})],
        [Use("Bash", {"command": f"git commit -m '{message}'", "description": "Commit"})],
    ]


def _finish(solo: str, summary: str) -> Answer:
    return [Use(f"{solo}complete_stage", {"summary": summary, "to_check": FILE})]


def called(asked: list[Asked]) -> list[Call]:
    """Every call with its result, in order, over all requests; each once."""
    seen: list[Call] = []
    for request in asked:
        for call in request.calls:
            if call not in seen:
                seen.append(call)
    return seen
