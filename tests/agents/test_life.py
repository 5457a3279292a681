"""What an agent is busy with although it says nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

from solo_unicorn.agents import parsers
from solo_unicorn.agents.events import BackgroundWork, Result, ToolCall, ToolResult
from solo_unicorn.agents.life import Life


def test_a_tool_that_runs_is_life_until_it_answers_or_takes_too_long() -> None:
    life = Life()
    life.feed(ToolCall("1", "shell", "run", "npm test"), 100.0)
    assert life.busy_with(150.0, 60.0) == "running npm test"
    assert life.busy_with(170.0, 60.0) == ""
    life.feed(ToolResult("1"), 171.0)
    assert life.busy_with(172.0, 600.0) == ""


def test_background_tasks_outlast_the_turn_and_are_named() -> None:
    """The line as the Agent SDK declares it (SDKBackgroundTasksChangedMessage)."""
    parse = parsers.parser("claude")

    def told(*tasks: Mapping[str, object]) -> BackgroundWork:
        line = {"type": "system", "subtype": "background_tasks_changed", "tasks": list(tasks), "session_id": "s"}
        (event,) = parse(json.dumps(line))
        assert isinstance(event, BackgroundWork)
        return event

    build = {"task_id": "b1", "task_type": "local_bash", "description": "npm run build"}
    watch = {"task_id": "w", "task_type": "monitor", "description": "watcher", "ambient": True}
    life = Life()
    life.feed(told(build, watch), 100.0)
    life.feed(Result(True), 101.0)
    assert life.waits == life.busy_with(110.0, 60.0) == "waits for a background task: npm run build"
    life.feed(told(build | {"task_id": "b2", "description": "npm test"}, build), 120.0)
    assert life.waits == "waits for 2 background tasks: npm test, npm run build"
    assert life.busy_with(170.0, 60.0), "the younger one may still run"
    life.feed(told(), 171.0)
    assert (life.waits, life.busy_with(171.0, 60.0)) == ("", "")
