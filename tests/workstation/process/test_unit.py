"""The service started by the system: what is written, which commands are run, and what is said of it."""

from __future__ import annotations

import os
import plistlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.missions.errors import NotFound, SoloUnicornError
from solo_unicorn.workstation import unit

MANAGER = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *{failing}*) echo "it broke" >&2; exit 1;; esac
"""


@pytest.fixture
def login(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's directories of their own, and a PATH that has no service manager."""
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "person" / ".config"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def manager(login: Path, failing: str = "nothing-fails") -> Path:
    """A systemctl that writes down what it is asked; the file it writes to."""
    program, log = login / "bin" / "systemctl", login / "asked"
    program.write_text(MANAGER.format(log=log, failing=failing))
    program.chmod(0o755)
    return log


def test_installed_and_uninstalled_and_everything_is_said(login: Path) -> None:
    log = manager(login)
    done = unit.install()
    wanted = unit.unit()
    assert wanted.path.parent == login / "person/.config/systemd/user"
    assert wanted.path.read_bytes() == wanted.content
    assert log.read_text().splitlines() == [
        "--user show-environment",
        "--user daemon-reload",
        f"--user enable {wanted.name}",
        f"--user restart {wanted.name}",
    ]
    assert done[0] == f"Wrote {wanted.path}"
    assert any("loginctl enable-linger" in sentence for sentence in done)
    assert unit.install()[0] == f"Renewed {wanted.path}"
    log.unlink()
    assert unit.uninstall() == [f"Ran systemctl --user disable --now {wanted.name}", f"Removed {wanted.path}"]
    assert log.read_text().splitlines() == [f"--user disable --now {wanted.name}", "--user daemon-reload"]
    assert not wanted.path.exists()
    with pytest.raises(NotFound, match="not installed"):
        unit.uninstall()


def test_without_a_manager_nothing_is_written(login: Path) -> None:
    with pytest.raises(SoloUnicornError, match="no systemctl") as told:
        unit.install()
    assert "workstation start --background" in str(told.value)
    manager(login, failing="show-environment")
    with pytest.raises(SoloUnicornError, match="It broke"):
        unit.install()
    assert not (login / "person").exists()


def test_a_manager_that_refuses_is_told_with_its_words(login: Path) -> None:
    manager(login, failing="enable")
    with pytest.raises(SoloUnicornError, match="It broke"):
        unit.install()


def test_the_unit_leaves_agents_alone_and_keeps_odd_paths_whole(login: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(login / '100% "mine" $HOME'))
    text = unit.unit().content.decode()
    assert "\nKillMode=process\n" in text and "\nOOMPolicy=continue\n" in text
    assert "ExecStop" not in text, "nothing else ends them either"
    assert "RestartPreventExitStatus=75" in text
    assert f'SOLO_UNICORN_HOME={login}/100%% \\"mine\\" $HOME"' in text
    assert "TOKEN" not in text and "KEY" not in text
    names = {unit.unit().name}
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(login / "other"))
    names.add(unit.unit().name)
    monkeypatch.delenv("SOLO_UNICORN_HOME")
    names.add(unit.unit().name)
    assert len(names) == 3, "each home has a service of its own"
    assert "solo-unicorn.service" in names


def test_systemd_takes_the_unit(home: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    wanted = unit.unit("linux")
    file = tmp_path / wanted.name
    file.write_bytes(wanted.content)
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_LOG_LEVEL": "warning"}
    ran = subprocess.run(
        [program, "--user", "--man=no", "verify", str(file)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    complaints = [line for line in ran.stderr.splitlines() if wanted.name in line]
    assert complaints == [], ran.stderr


def test_the_launchd_agent(login: Path) -> None:
    wanted = unit.unit("darwin")
    told = plistlib.loads(wanted.content)
    assert told["ProgramArguments"][-3:] == ["workstation", "run", "--stay"]
    assert (told["KeepAlive"], told["AbandonProcessGroup"]) == ({"SuccessfulExit": False}, True)
    assert wanted.path == login / "person/Library/LaunchAgents" / f"{told['Label']}.plist"
    assert wanted.start[-1][:2] == ("launchctl", "bootstrap")
    with pytest.raises(NotFound, match="plan9"):
        unit.unit("plan9")


def test_the_manager_hears_that_the_service_is_ready_and_agents_do_not_know_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        unit.tell_manager("READY=1")
        assert manager.recv(100) == b"READY=1"
    assert "NOTIFY_SOCKET" not in os.environ
    unit.tell_manager("READY=1")  # nobody started us: nothing to tell
