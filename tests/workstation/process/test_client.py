"""Starting, finding, replacing and stopping the service, with real processes."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import solo_unicorn
from solo_unicorn.config import paths
from solo_unicorn.missions.errors import SoloUnicornError, TryAgain
from solo_unicorn.workstation import client, lock

from ...below_host import started_below_host
from ..conftest import PATIENCE, service_is_gone, start_other_version, until


def test_started_when_absent_and_found_the_second_time(workstation: Path) -> None:
    first = client.ensure_running()
    second = client.ensure_running()
    assert first.pid == second.pid != os.getpid()
    assert first.version == solo_unicorn.__version__
    assert first.notice == ""
    signed = lock.owner(paths.service_lock())
    assert signed is not None and signed.pid == first.pid
    assert os.getsid(first.pid) != os.getsid(0), "it has a terminal session of its own"


@pytest.mark.slow
def test_many_starters_get_one_service(workstation: Path) -> None:
    answers: queue.Queue[object] = queue.Queue()

    def start() -> None:
        try:
            answers.put(client.ensure_running().pid)
        except Exception as error:
            answers.put(error)

    starters = [threading.Thread(target=start) for _ in range(5)]
    for starter in starters:
        starter.start()
    pids = [answers.get(timeout=PATIENCE) for _ in starters]
    assert len(set(pids)) == 1, pids


@pytest.mark.slow
def test_a_second_service_says_who_holds_it_and_exits_75(workstation: Path) -> None:
    info = client.ensure_running()
    second = subprocess.run(
        [sys.executable, "-m", "solo_unicorn.workstation"], capture_output=True, text=True, timeout=PATIENCE
    )
    assert second.returncode == 75
    assert f"pid {info.pid}" in second.stderr
    assert info.started_at in second.stderr


def test_leaves_when_idle(workstation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "0.1")
    client.ensure_running()
    until(service_is_gone, "the idle service left")
    assert not paths.service_socket().exists()
    with pytest.raises(client.NotRunning):
        client.status()


@pytest.mark.slow
def test_an_open_screen_keeps_it(workstation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "1")
    info = client.ensure_running()
    with client.ControlConnection() as screen:
        screen.ask("hold")
        assert client.status()["screens"] == 1
        with client.ControlConnection(timeout=2.0) as other, pytest.raises(socket.timeout):
            other.read()  # twice the idle time passes with the screen open
        assert client.ensure_running().pid == info.pid
    until(service_is_gone, "the service left after its last screen")


@pytest.mark.slow
def test_started_to_stay_it_stays(workstation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "0.1")
    info = client.ensure_running(stay=True)
    with client.ControlConnection(timeout=1.0) as other, pytest.raises(socket.timeout):
        other.read()
    assert client.ensure_running().pid == info.pid
    assert client.stop()
    assert service_is_gone()
    assert not client.stop(), "there is nothing left to stop"


def test_stay_is_told_to_a_running_service(workstation: Path) -> None:
    assert not client.ensure_running().stay
    client.ensure_running(stay=True)
    assert client.ensure_running().stay


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_good_order(workstation: Path, number: signal.Signals) -> None:
    info = client.ensure_running()
    os.kill(info.pid, number)
    until(service_is_gone, "the service left")
    assert lock.owner(paths.service_lock()) is None, "it signed off"
    assert not paths.service_socket().exists()


def test_a_killed_service_is_replaced(workstation: Path) -> None:
    info = client.ensure_running()
    os.kill(info.pid, signal.SIGKILL)
    until(service_is_gone, "the kernel freed the lock")
    assert paths.service_socket().exists(), "the dead service's socket is still there"
    assert client.ensure_running().pid != info.pid


@pytest.mark.slow
def test_an_idle_older_service_is_replaced(workstation: Path) -> None:
    old = start_other_version("0.0.1")
    info = client.ensure_running()
    assert info.pid != old
    assert info.version == solo_unicorn.__version__


def test_a_newer_service_is_kept_and_said(workstation: Path) -> None:
    newer = start_other_version("999.0")
    info = client.ensure_running()
    assert info.pid == newer
    assert "999.0" in info.notice and "newer" in info.notice


def test_what_keeps_it_from_starting_is_told(workstation: Path) -> None:
    (workstation / "config.toml").write_text("[workstation]\nslots = 'many'\n")
    with pytest.raises(SoloUnicornError) as refusal:
        client.ensure_running()
    assert "slots" in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_a_service_that_does_not_answer_is_named(workstation: Path) -> None:
    info = client.ensure_running()
    os.kill(info.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TryAgain) as refusal:
            client.ensure_running(timeout=0.3)
        assert str(info.pid) in str(refusal.value)
    finally:
        os.kill(info.pid, signal.SIGCONT)


def test_stop_force_ends_a_service_that_does_not_answer(workstation: Path) -> None:
    info = client.ensure_running()
    os.kill(info.pid, signal.SIGSTOP)
    assert client.stop(force=True, timeout=0.3)
    assert service_is_gone()


def test_bad_requests_get_an_answer_and_harm_nobody(workstation: Path) -> None:
    client.ensure_running()
    with pytest.raises(SoloUnicornError, match="knows no operation"):
        client.request("dance")
    raw = socket.socket(socket.AF_UNIX)
    raw.settimeout(PATIENCE)
    raw.connect(str(paths.service_socket()))
    raw.sendall(b"not json\n[]\n{}\n\xff\n")
    stream = raw.makefile("rb")
    assert [json.loads(stream.readline())["ok"] for _ in range(4)] == [False] * 4
    raw.sendall(b"x" * 200_000)
    with pytest.raises(OSError):  # a line beyond the limit is hung up on
        while stream.readline():
            pass
        raise ConnectionResetError
    raw.close()
    client.status()


def test_the_socket_is_its_owners_alone(workstation: Path) -> None:
    client.ensure_running()
    assert paths.service_socket().stat().st_mode & 0o777 == 0o600
    assert paths.service_socket().parent.stat().st_mode & 0o077 == 0


def test_the_client_is_light() -> None:
    code = (
        "import sys, solo_unicorn.workstation.client\n"
        "heavy = {'asyncio', 'mcp', 'httpx', 'git', 'keyring', 'pydantic', 'textual', 'tomlkit'} & set(sys.modules)\n"
        "sys.exit(repr(sorted(heavy)) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- Keeper: an open screen


@pytest.fixture
def reports() -> queue.Queue[client.ServiceInfo | SoloUnicornError | None]:
    return queue.Queue()


Reports = queue.Queue[client.ServiceInfo | SoloUnicornError | None]


def test_a_screen_brings_a_killed_service_back(workstation: Path, reports: Reports) -> None:
    keeper = client.Keeper(reports.put).start()
    try:
        first = reports.get(timeout=PATIENCE)
        assert isinstance(first, client.ServiceInfo)
        os.kill(first.pid, signal.SIGKILL)
        second = reports.get(timeout=PATIENCE)
        assert isinstance(second, client.ServiceInfo)
        assert second.pid != first.pid
    finally:
        keeper.close()


@pytest.mark.slow
def test_a_screen_does_not_bring_back_what_a_person_stopped(workstation: Path, reports: Reports) -> None:
    keeper = client.Keeper(reports.put).start()
    try:
        assert isinstance(reports.get(timeout=PATIENCE), client.ServiceInfo)
        client.stop()
        assert reports.get(timeout=PATIENCE) is None
        assert service_is_gone()
        keeper.wake()
        assert isinstance(reports.get(timeout=PATIENCE), client.ServiceInfo)
    finally:
        keeper.close()


@pytest.mark.slow
def test_a_closed_screen_lets_go(workstation: Path, monkeypatch: pytest.MonkeyPatch, reports: Reports) -> None:
    monkeypatch.setenv("SOLO_UNICORN_WORKSTATION_IDLE_EXIT_SECONDS", "0.1")
    keeper = client.Keeper(reports.put).start()
    assert isinstance(reports.get(timeout=PATIENCE), client.ServiceInfo)
    keeper.close()
    until(service_is_gone, "the service left")


def test_an_agent_may_ask_how_the_service_is_and_no_more(workstation: Path, tmp_path: Path) -> None:
    client.ensure_running()
    program = """
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.workstation import connection
for op in ("status", "hold", "pause", "drain", "stay", "stop"):
    try:
        connection.request(op)
        print(op, "answered")
    except SoloUnicornError as error:
        print(op, error.code)
"""
    said, errors = started_below_host(tmp_path, "S1", program).communicate(timeout=60)
    assert said.split() == [
        *("status", "answered"),
        *(word for op in ("hold", "pause", "drain", "stay", "stop") for word in (op, "not_allowed")),
    ], errors


def test_a_connection_that_an_agent_hands_on_and_leaves_is_still_an_agents(workstation: Path, tmp_path: Path) -> None:
    service = client.ensure_running()
    program = """
import os, socket, time
from solo_unicorn.config import paths
service = socket.socket(socket.AF_UNIX)
service.connect(str(paths.service_socket()))
mine = os.getpid()
if os.fork():
    os._exit(0)
while os.path.exists(f"/proc/{mine}") if os.path.isdir("/proc") else os.getppid() == mine:
    time.sleep(0.01)
try:
    service.sendall(b'{"op": "stop"}\\n')
    print(service.recv(9999))
except OSError as error:
    print(error)
"""
    said, errors = started_below_host(tmp_path, "S1", program).communicate(timeout=60)
    assert said and '"ok": true' not in said.replace('"ok":true', '"ok": true'), (said, errors)
    assert client.ensure_running().pid == service.pid
