"""Run directories: old ones go, needed ones stay, and one that is gone ends its session instead of holding it."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.config import paths
from solo_unicorn.workspace import queries
from solo_unicorn.workspace.integrity import backup
from solo_unicorn.workstation import client
from solo_unicorn.workstation.upkeep.gc import DAY, remove_old_runs

from ..conftest import Shop, kill, until


def run_dir_of(runs: Path, name: str, *, days: float) -> Path:
    """A run directory whose files were written so many days ago."""
    found = runs / name
    found.mkdir(parents=True)
    for file in (found / "outcome.json", found / "transcript.jsonl", found):
        if file != found:
            file.write_text("{}")
        os.utime(file, (time.time() - days * DAY,) * 2)
    return found


def test_old_ones_go_and_what_is_needed_held_or_young_stays(tmp_path: Path) -> None:
    old, needed, young = (run_dir_of(tmp_path, name, days=days) for name, days in (("A", 31), ("B", 90), ("C", 29)))
    held, written = run_dir_of(tmp_path, "D", days=40), run_dir_of(tmp_path, "E", days=40)
    with (held / "host.lock").open("wb") as lock:
        os.utime(held / "host.lock", (0, 0))
        os.utime(held, (0, 0))
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(written / "transcript.jsonl")
        (tmp_path / "F").symlink_to(needed, target_is_directory=True)
        assert remove_old_runs(tmp_path, {"B"}, 30) == ["A"]
    assert not old.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["B", "C", "D", "E", "F"]
    assert (needed / "transcript.jsonl").exists() and young.exists()


@pytest.mark.slow
def test_sessions_of_missions_that_are_not_done_are_needed(shop: Shop) -> None:
    done = shop.mission("Payments")
    client.ensure_running()
    shop.done(done)
    assert shop.workspace.read(queries.sessions.to_keep) == set()
    waiting = shop.mission("Review me", flow="Standard")
    shop.review(waiting, "clarify")
    assert shop.workspace.read(queries.sessions.to_keep) == {session.id for session in shop.sessions(waiting)}


@pytest.mark.slow
@pytest.mark.parametrize("service", ["there", "away"])
def test_a_run_directory_that_was_removed_ends_its_session_as_unknown(shop: Shop, service: str) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    running = client.ensure_running()
    session = shop.running(mission)
    run_dir = paths.runs_dir() / session.id
    agent = launch.attach(run_dir).status()["agent_pid"]
    if service == "away":
        kill(running)
    shutil.rmtree(run_dir)
    if service == "away":
        client.ensure_running()
    until(lambda: shop.workspace.read(queries.sessions.get, session.id).phase == "ended", "its session is over")
    assert shop.workspace.read(queries.sessions.get, session.id).outcome == "unknown"
    assert not Path(f"/proc/{agent}").exists(), "its agent was ended by the session's name"


@pytest.mark.slow
def test_the_service_makes_a_daily_backup(shop: Shop, home: Path) -> None:
    old = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    with sqlite3.connect(paths.workspace_db()) as aged:
        aged.execute("UPDATE event SET at = ?", (old,))
    client.ensure_running()
    until(lambda: backup.dailies(home), "a backup was made")
    assert backup.verify(backup.dailies(home)[0]).size > 0
