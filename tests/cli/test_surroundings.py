"""Where commands are run: beside modules named like those we need, and with output that is not a file."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from solo_unicorn.cli.machine import doctor
from solo_unicorn.cli.machine.findings import Finding, found
from solo_unicorn.missions.connected import Link, SyncState
from solo_unicorn.missions.records import replace
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.workspace import queries
from solo_unicorn.workspace.workspace import Workspace

from .conftest import Run

SHADOWS = ("mcp", "textual", "httpx", "pydantic", "anyio", "websockets", "tomlkit")


@pytest.mark.parametrize("start", [["solo-unicorn"], [sys.executable, "-m", "solo_unicorn"]])
def test_modules_of_the_directory_are_not_taken_for_ours(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, start: list[str]
) -> None:
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the module of the directory was imported')\n")
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for words in (["doctor", "--json"], ["agent", "scan"], ["config", "set", "board.density", "compact"]):
        done = subprocess.run([*start, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "was imported" not in done.stdout + done.stderr
        assert done.returncode in (0, 1), done.stderr


def test_an_export_into_a_named_pipe_is_written_and_the_pipe_stays(run: Run, project: str, tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    assert run("export", "-o", str(pipe)).code == 0
    reader.join(30)
    assert pipe.is_fifo() and json.loads(got[0])["format"] == "solo-unicorn-project"


def test_an_export_to_standard_output_by_its_name(project: str, home: Path) -> None:
    command = [sys.executable, "-m", "solo_unicorn", "export", "-o", "/dev/stdout"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["format"] == "solo-unicorn-project"


def test_doctor_names_a_home_that_cannot_be_made(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(tmp_path / "file" / "home"))
    found = run("doctor")
    assert found.code == 1
    assert f"error\thome\t{tmp_path / 'file' / 'home'} cannot be made in {tmp_path / 'file'}" in found.out


def test_doctor_goes_on_after_what_cannot_be_read() -> None:
    def look() -> Iterator[Finding]:
        yield Finding("one", "ok", "")
        raise PermissionError(13, "Permission denied", "/somewhere")

    states = [(one.state, one.detail) for one in found(look)]
    assert states == [("ok", ""), ("error", "Permission denied (/somewhere)")]


@pytest.mark.parametrize("person", ["", "relative"])
def test_a_home_that_is_relative_or_empty_is_the_same_in_every_directory(tmp_path: Path, person: str) -> None:
    """Each directory got a home of its own, and an empty HOME was the root of the file system."""
    places = "from pathlib import Path; from solo_unicorn.config import paths; "
    shown = places + "from solo_unicorn.cli.main import main; main(['--version']); print(paths.home(), Path.home())"
    environment = {**os.environ, "HOME": person, "SOLO_UNICORN_HOME": "place/of mine"}
    command = [sys.executable, "-c", shown]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    own = pwd.getpwuid(os.getuid()).pw_dir
    assert done.stdout.splitlines()[-1] == f"{tmp_path}/place/of mine {own}"


def test_doctor_finds_nothing_wrong_with_an_archived_project(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
    with Workspace.open() as workspace:
        replica.connecting.put_account(workspace, account)
        workspace.write(replica.connecting.connect, account, {"id": "01J00000000000000000000000", "name": "Old"}, {})
        replica.sync_steps.set_capabilities(workspace, "https://hub", {"changes": True})
    state = SyncState((Link("https://hub", "Old", archived=True),))
    monkeypatch.setattr(Link, "kind", lambda *_: "archived")
    monkeypatch.setattr(queries.connection, "sync_state", lambda *_: replace(state, now=datetime.now(UTC)))
    (finding,) = [one for one in found(doctor._hubs) if one.detail.startswith("Old")]
    assert (finding.state, finding.todo) == ("ok", "")
