"""`workstation stop --force` ends every session of the home, with a service or without, whatever its host does."""

from __future__ import annotations

import os
import signal

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.agents.handle import SESSION_VARIABLE
from solo_unicorn.agents.session_host.processes import tagged
from solo_unicorn.cli import main as cli
from solo_unicorn.config import paths
from solo_unicorn.workspace import queries
from solo_unicorn.workstation import client, lock

from ..conftest import Shop, service_is_gone, until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("host", ["sound", "hanging", "dead"])
def test_a_forced_stop_ends_sessions_without_a_service(
    shop: Shop, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mission = shop.mission("Payments", rehearsal="silent")
    client.ensure_running()
    session = shop.running(mission)
    handle = launch.attach(paths.runs_dir() / session.id)
    owner = lock.owner(paths.service_lock())
    assert owner is not None and handle.pid is not None
    os.kill(owner.pid, signal.SIGKILL)
    until(service_is_gone, "the service died")
    assert tagged(SESSION_VARIABLE, session.id), "its agent lives on"
    if host != "sound":
        os.kill(handle.pid, signal.SIGSTOP if host == "hanging" else signal.SIGKILL)
    assert cli.main(["workstation", "stop", "--force"]) == 0
    assert "session" in capsys.readouterr().out
    assert not handle.alive() and not tagged(SESSION_VARIABLE, session.id)
    client.ensure_running()
    until(lambda: shop.workspace.read(queries.sessions.get, session.id).phase == "ended", "the next service was told")
    assert not shop.now(mission).ready and len(shop.sessions(mission)) == 1, "nothing starts again by itself"
