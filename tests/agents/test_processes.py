"""A signal reaches the process that was recorded, or nobody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.agents.handle import SESSION_VARIABLE
from solo_unicorn.agents.session_host import processes
from solo_unicorn.agents.session_host.processes import Process, descendants, end_processes, identify, is_alive, send

from .conftest import eventually


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours that has nothing to do with any session."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as program:
        yield program
        program.kill()


def test_a_process_id_that_another_process_has_now_is_not_signalled(stranger: subprocess.Popen[bytes]) -> None:
    now = identify(stranger.pid)
    assert now is not None
    earlier = replace(now, start=str(int(now.start) - 1))
    assert not is_alive(earlier)
    assert send(earlier, signal.SIGKILL) is False
    assert end_processes([earlier], grace=0) is True
    assert stranger.poll() is None
    assert send(now, signal.SIGKILL) is True
    assert stranger.wait(10) == -signal.SIGKILL


def test_a_record_from_before_the_machine_was_started_again_is_not_signalled(stranger: subprocess.Popen[bytes]) -> None:
    now = identify(stranger.pid)
    assert now is not None
    assert send(replace(now, boot="another boot"), signal.SIGKILL) is False
    assert stranger.poll() is None


@pytest.mark.parametrize("pid", [0, 1, -1, -5])
def test_init_groups_and_everybody_are_not_signalled(pid: int) -> None:
    assert send(Process(pid, "0", processes.boot_id()), signal.SIGTERM) is False


def test_a_forged_record_of_a_dead_host_ends_no_stranger(
    home: Path, tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    now = identify(stranger.pid)
    assert now is not None
    records = [replace(now, start="1").to_json(), replace(now, boot="x").to_json(), {"pid": stranger.pid}, "x", None]
    (run_dir / "host.json").write_text(json.dumps({"pid": stranger.pid, "processes": records}))
    assert launch.attach(run_dir).end_leftovers() is True
    assert stranger.poll() is None


def test_only_the_session_named_in_the_environment_is_found() -> None:
    name = f"session-{os.getpid()}"
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            env={**os.environ, SESSION_VARIABLE: value},
        )
        for value in (name, name + "0")
    ]
    try:
        found = eventually(lambda: processes.tagged(SESSION_VARIABLE, name), "the process shows its environment")
        assert [process.pid for process in found] == [programs[0].pid]
    finally:
        for program in programs:
            program.kill()
            program.communicate()


def test_a_process_with_brackets_and_blanks_in_its_name_is_read_rightly(tmp_path: Path) -> None:
    odd = tmp_path / "a) S 1 (b"
    odd.symlink_to(sys.executable)
    with subprocess.Popen([str(odd), "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as program:
        assert program.pid in descendants(os.getpid())
        program.kill()


def test_descendants_are_children_and_theirs_but_not_the_dead() -> None:
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        grandchild = int(program.stdout.readline())
        below = descendants(program.pid)
        assert set(below) == {grandchild}
        assert end_processes(below.values(), grace=5.0) is True
        assert descendants(program.pid) == {}, "a zombie is not a living descendant"
        program.kill()
