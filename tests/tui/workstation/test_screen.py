"""The workstation panel: agents, sessions, worktrees, what waits and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from solo_unicorn.config import paths
from solo_unicorn.missions.entities import SYSTEM, Worktree
from solo_unicorn.tui.board.screen import BoardScreen
from solo_unicorn.tui.kit.sheets.confirm import ConfirmScreen
from solo_unicorn.tui.mission.screen import MissionScreen
from solo_unicorn.tui.workstation import data as panel
from solo_unicorn.tui.workstation import machine as workstation_machine
from solo_unicorn.tui.workstation.screen import WorkstationScreen
from solo_unicorn.workspace import operations, queries

from ..conftest import Commanded, Story, ready, text, until


async def open_workstation(pilot: Pilot[Any]) -> WorkstationScreen:
    """The panel, filled."""
    await ready(pilot)
    await pilot.press("w")
    await until(pilot, lambda: isinstance(pilot.app.screen, WorkstationScreen) and "service running" in text(pilot))
    screen = pilot.app.screen
    assert isinstance(screen, WorkstationScreen)
    return screen


async def test_agents_sessions_worktrees_and_why_not(story: Story, commands: Commanded) -> None:
    mission = story.card("Checkout")
    repository = story.workspace.read(queries.projects.repositories, story.project)[0]
    story.workspace.write_as(
        SYSTEM,
        operations.workstation.put_worktree,
        Worktree("W1", repository.id, "/w/web-retry", "b", story.now, story.now, mission.id),
    )
    story.workspace.write_as(
        SYSTEM,
        operations.workstation.put_worktree,
        Worktree("W2", repository.id, "/w/web-2", "c", story.now, story.now),
    )
    async with story.app(commands=commands).run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await until(pilot, lambda: "web-retry" in text(pilot))
        screen = text(pilot)
        for words in (
            "● Claude Code 2.1.4",
            "2/2",
            "limit until 23:14,",
            "9:12:00 left",
            "no project is connected to a hub",
            "service running",
            "○ OpenCode",
            "not installed",
            "04:12  38k  $0.41",
            "Worktrees  2, 1 vacant",
            "vacant, used now",
            "blocked by",
        ):
            assert words in screen


async def test_pause_scan_clean_and_service_by_key(story: Story, commands: Commanded) -> None:
    async with story.app(commands=commands).run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await pilot.press("p")
        await until(pilot, lambda: story.workspace.read(queries.workstation.paused))
        await until(pilot, lambda: "paused" in text(pilot).splitlines()[0])
        await pilot.press("d")
        await until(
            pilot, lambda: [one.kind for one in story.workspace.read(queries.workstation.requests)] == ["drain"]
        )
        await until(pilot, lambda: len(pilot.app.screen.query_one("#sessions").rows) == 2)  # type: ignore[attr-defined]
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(
            pilot,
            lambda: (
                [one.kind for one in story.workspace.read(queries.workstation.requests)] == ["drain", "stop_session"]
            ),
        )
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkstationScreen))
        for key, command in (("s", ("agent", "scan")), ("c", ("worktree", "clean")), ("S", ("workstation", "stop"))):
            await pilot.press(key)
            await until(pilot, lambda command=command: commands[-1:] == [command])
            await until(pilot, lambda: not pilot.app.screen._busy)  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))


async def test_the_log_sizes_and_rates_of_the_machine(story: Story, commands: Commanded, tmp_path: Path) -> None:
    mission = story.card("Checkout")
    repository = story.workspace.read(queries.projects.repositories, story.project)[0]
    (tmp_path / "web-retry").mkdir()
    (tmp_path / "web-retry" / "large").write_bytes(b"x" * 3_000_000)
    slot = Worktree("W1", repository.id, str(tmp_path / "web-retry"), "b", story.now, story.now, mission.id)
    story.workspace.write_as(SYSTEM, operations.workstation.put_worktree, slot)
    record = {"at": story.now.isoformat(), "level": "warning", "process": "service", "message": "not done", "why": "no"}
    (paths.logs_dir() / "solo-unicorn.log").write_text("{half a rec\n" + json.dumps(record) + "\n")
    async with story.app(commands=commands).run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await until(pilot, lambda: "3.0 MB" in text(pilot) or "2.9 MB" in text(pilot))
        await until(pilot, lambda: "14:02 service ▲ not done  why=no" in text(pilot))
        assert "kept for code" in text(pilot)


def test_rates_are_bytes_a_second(home: Path) -> None:
    rates = workstation_machine.Rates()
    transcript = paths.run_dir("S") / "transcript.jsonl"
    transcript.write_bytes(b"x" * 100)
    rates.look(["S", "gone"], 10.0)
    assert rates.rates == {}
    transcript.write_bytes(b"x" * 700)
    rates.look(["S", "gone"], 12.0)
    assert rates.rates == {"S": 300.0}


async def test_a_session_leads_to_its_mission(story: Story, commands: Commanded) -> None:
    async with story.app(commands=commands).run_test(size=(160, 45)) as pilot:
        await open_workstation(pilot)
        await until(pilot, lambda: len(pilot.app.screen.query_one("#sessions").rows) == 2)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MissionScreen))


async def test_what_does_not_work_stands_under_the_service(
    story: Story, commands: Commanded, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = story.now.isoformat()
    problem = {"name": "MCP server", "why": "no port", "times": 3, "since": now, "again_at": None}
    told = {"state": "running", "pid": 7, "version": "1.0", "mcp": {"port": None}, "problems": [problem]}
    monkeypatch.setattr(panel, "service_status", lambda: told)
    async with story.app(commands=commands).run_test(size=(160, 45)) as pilot:
        screen = await open_workstation(pilot)
        assert "MCP server  no port (failed 3 times since" in text(pilot)
        assert screen.query_one("#head").size.height == 2
        assert "mcp None" not in text(pilot)
