"""The home is moved, replaced by a copy or removed while a service and an agent work in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from solo_unicorn.agents.handle import SESSION_VARIABLE
from solo_unicorn.agents.session_host.processes import Process, host_of, identify, is_alive, tagged
from solo_unicorn.cli import main as cli
from solo_unicorn.config import paths
from solo_unicorn.missions.entities import Session
from solo_unicorn.workspace import queries
from solo_unicorn.workspace.workspace import Workspace
from solo_unicorn.workstation import client

from ..conftest import Shop, service_is_gone, until

pytestmark = pytest.mark.slow


def copied(home: Path, to: Path) -> None:
    """As `cp -a` does; sockets are not files."""
    shutil.copytree(home, to, symlinks=True, ignore=shutil.ignore_patterns("*.sock", "*.bell"))


def working(shop: Shop) -> Session:
    """The session of a mission whose agent has begun to work and says nothing more."""
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    until(lambda: shop.workspace.read(queries.sessions.get, session.id).activity, "its agent works")
    return session


def running_service() -> Process:
    """The service of this home."""
    found = identify(client.ensure_running().pid)
    assert found is not None
    return found


def test_a_copy_put_in_the_place_of_a_running_home_gives_no_mission_to_two_agents(shop: Shop, home: Path) -> None:
    session, former = working(shop), running_service()
    assert tagged(SESSION_VARIABLE, session.id)
    away = home.with_name("former home")
    home.rename(away)
    copied(away, home)
    until(lambda: not is_alive(former), "the service of the former home left")
    client.ensure_running()
    with Workspace.open() as workspace:
        assert workspace.original is None, "it stands where it stood"
        until(lambda: workspace.read(queries.sessions.get, session.id).phase == "ended", "the session is over")
        assert not tagged(SESSION_VARIABLE, session.id), "it was called over when its agent was gone, not before"
        ended = workspace.read(queries.sessions.get, session.id)
        assert ended.outcome == "unknown", ended
    assert host_of(session.id) is None
    assert '"reason": "home"' in (away / "runs" / session.id / "outcome.json").read_text(), "its own host ended it"


def test_a_home_that_is_moved_is_left_by_everybody_and_taken_up_in_its_new_place(
    shop: Shop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, service = working(shop), running_service()
    there = home.with_name("moved home")
    home.rename(there)
    until(lambda: not is_alive(service), "the service left")
    until(lambda: (there / "runs" / session.id / "outcome.json").exists(), "the host said how it ended")
    assert '"reason": "home"' in (there / "runs" / session.id / "outcome.json").read_text()
    assert "Nothing is saved any more" in (there / "logs" / "service.err").read_text()
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(there))
    client.ensure_running()
    with Workspace.open() as workspace:
        until(lambda: workspace.read(queries.sessions.get, session.id).phase == "ended", "it was told")
        assert workspace.read(queries.missions.get, session.mission_id).attention
    assert cli.main(["workstation", "stop", "--force"]) == 0


def test_a_home_that_is_removed_leaves_no_service_and_no_agent(shop: Shop, home: Path) -> None:
    session, service = working(shop), running_service()
    home.rename(home.with_name("removed"))  # so that nothing is written into it while it is removed
    shutil.rmtree(home.with_name("removed"))
    until(lambda: not is_alive(service), "the service left")
    until(lambda: host_of(session.id) is None and not tagged(SESSION_VARIABLE, session.id), "the agent was ended")


def test_a_copied_home_starts_no_agent_until_it_is_one_of_its_own(
    shop: Shop, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.workspace.close()
    there = home.with_name("copied home")
    copied(home, there)
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(there))
    assert cli.main(["workstation", "start", "--background"]) == 4
    told = capsys.readouterr().err
    assert f"is a copy of {os.path.realpath(home)}" in told and "workspace identity --new" in told
    assert cli.main(["doctor"]) == 1
    assert "is a copy of" in capsys.readouterr().out
    assert cli.main(["workspace", "identity"]) == 0
    assert "a copy of" in capsys.readouterr().out
    assert cli.main(["workspace", "identity", "--new"]) == 0
    assert cli.main(["workstation", "start", "--background"]) == 0
    assert cli.main(["workstation", "stop"]) == 0
    until(service_is_gone, "it left")
    assert paths.home() == there
