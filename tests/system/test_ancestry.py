"""Who started a process is found out however long the chain is, and is never taken for nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.config import paths
from solo_unicorn.system import ancestry
from solo_unicorn.system.ancestry import Gone, session_above

from ..below_host import started_below_host

DEEP = """
import os
for _ in range(400):
    if child := os.fork():
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
from solo_unicorn.config.acting import acting_session
print(acting_session(), flush=True)
os._exit(0)
"""


def test_a_long_chain_of_processes_hides_nobody(home: Path, tmp_path: Path) -> None:
    said, errors = started_below_host(tmp_path, "S1", DEEP).communicate(timeout=60)
    assert said.strip() == "S1", errors


def test_a_process_that_ended_is_not_nobodys(home: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    with pytest.raises(Gone):
        session_above(ended.pid, paths.runs_dir())


def test_a_chain_that_changes_while_it_is_read_is_read_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent ends between the look at its child and the look at it; the host has adopted the child by then."""
    host = (1, ["python", "/x/agents/host.py", str(paths.runs_dir() / "S1")])
    looks: dict[int, list[tuple[int, list[str]] | None]] = {100: [(99, []), (50, [])], 50: [host], 99: [None]}

    def process(pid: int) -> tuple[int, list[str]] | None:
        return looks[pid].pop(0) if len(looks[pid]) > 1 else looks[pid][0]

    monkeypatch.setattr(ancestry, "_process", process)
    assert session_above(100, paths.runs_dir()) == "S1"


def test_an_ancestor_that_is_hidden_ends_the_chain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where `/proc` hides the processes of other users: a login is root's."""
    monkeypatch.setattr(ancestry, "_process", {os.getpid(): (99, ["python"]), 99: None}.get)
    assert session_above(os.getpid(), paths.runs_dir()) is None
