"""`workstation …` and `mcp` against the real service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def stopped_afterwards(home: Path, program: Program) -> Iterator[None]:
    yield
    program("workstation", "stop", "--force")


def test_the_service_is_started_seen_restarted_and_stopped(
    run: Run, program: Program, stopped_afterwards: None
) -> None:
    assert run("workstation", "status", "-q").out == "not running\n"
    assert "was not running" in run("workstation", "stop").out
    started = run("workstation", "start", "--background", "--json")
    assert started.code == 0, started.err
    status = run("workstation", "status", "--json").data
    assert status["running"] and status["service"]["pid"] == started.data["pid"]
    assert run("workstation", "start", "--background", "--json").data["pid"] == started.data["pid"]
    assert run("workstation", "start").code == 75
    assert run("workstation", "restart", "--json").data["pid"] != started.data["pid"]
    assert run("workstation", "stop").code == 0
    assert not run("workstation", "status", "--json").data["running"]


def test_the_service_in_the_foreground_says_that_it_runs_and_stops_on_ctrl_c(
    home: Path, stopped_afterwards: None
) -> None:
    import signal

    process = subprocess.Popen(
        [sys.executable, "-m", "solo_unicorn", "workstation", "start"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "runs" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 130) and "Traceback" not in said


@pytest.mark.parametrize("more", [(), ("--standalone",)], ids=["bridge", "standalone"])
def test_an_mcp_client_lists_our_tools(
    run: Run, project: str, program: Program, stopped_afterwards: None, more: tuple[str, ...]
) -> None:
    asked: list[dict[str, Any]] = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "0"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "solo_unicorn", "mcp", *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    answers: dict[object, dict[str, Any]] = {}
    for message in asked:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        while "id" in message and message["id"] not in answers:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            answer = json.loads(line)
            answers[answer.get("id")] = answer
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert answers[1]["result"]["serverInfo"]["name"].replace("_", "-") == "solo-unicorn"
    assert "create_mission" in {tool["name"] for tool in answers[2]["result"]["tools"]}
