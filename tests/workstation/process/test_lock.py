"""One service per workspace: the lock says who, goes with its process, and is not inherited."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.system.locks import is_held
from solo_unicorn.workstation.lock import AlreadyRunning, Owner, ServiceLock, owner

ME = Owner(os.getpid(), "1.2.3", "2026-01-02T03:04:05Z")
HOLD = """
import subprocess, sys
from pathlib import Path
from solo_unicorn.workstation.lock import Owner, ServiceLock
lock = ServiceLock(Path(sys.argv[1]))
lock.acquire(Owner(1, "1", "now"))
child = subprocess.Popen(["sleep", "600"], close_fds=False)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_second_start_names_the_holder(tmp_path: Path) -> None:
    first = ServiceLock(tmp_path / "lock")
    first.acquire(ME)
    with pytest.raises(AlreadyRunning) as refusal:
        ServiceLock(tmp_path / "lock").acquire(ME)
    assert refusal.value.exit_code == 75
    assert refusal.value.owner == ME
    assert str(os.getpid()) in str(refusal.value)
    assert "2026-01-02T03:04:05Z" in str(refusal.value)


def test_released_lock_is_free_and_unsigned(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = ServiceLock(path)
    assert not is_held(path)
    first.acquire(ME)
    assert is_held(path)
    assert owner(path) == ME
    first.release()
    assert not is_held(path)
    assert owner(path) is None
    ServiceLock(path).acquire(ME)


def test_a_look_never_makes_a_start_fail(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    looker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys;from pathlib import Path;from solo_unicorn.system.locks import is_held\n"
            "print(flush=True)\nwhile True: is_held(Path(sys.argv[1]))",
            str(path),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert looker.stdout is not None and looker.stdout.readline()
        for _ in range(50):
            held = ServiceLock(path)
            held.acquire(ME)
            held.release()
    finally:
        looker.kill()
        looker.communicate()


def test_lock_is_free_when_the_holder_is_killed_and_its_child_lives(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        assert is_held(path)
        holder.kill()
        holder.wait()
        os.kill(child, 0)  # the child lives on
        assert not is_held(path)
    finally:
        os.kill(child, signal.SIGKILL)
        holder.communicate()


def test_a_torn_signature_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text('{"pid": 12, "vers')
    assert owner(tmp_path / "lock") is None
