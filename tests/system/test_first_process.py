"""As the first process of a container: what others left is taken in, signals arrive, exit codes go out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")
PROGRAM = """
import os, signal, sys
from pathlib import Path
from solo_unicorn.system.first_process import attend
attend()
assert os.getpid() != 1
read, write = os.pipe()
if (starter := os.fork()) == 0:
    if os.fork():
        os._exit(0)
    os.close(read)  # an orphan: its end is the end of the pipe
    os._exit(0)
os.close(write)
os.waitpid(starter, 0)
os.read(read, 1)
def left():
    stats = [path.read_text().rpartition(")")[2].split() for path in Path("/proc").glob("[0-9]*/stat")]
    return [fields for fields in stats if fields[0] == "Z"]
while left():
    os.sched_yield()
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
os.kill(1, signal.SIGTERM)
while not told:
    os.sched_yield()
sys.exit(7)
"""


def test_orphans_are_taken_in_and_signals_and_the_exit_code_passed_on(tmp_path: Path) -> None:
    if subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make a process namespace")
    done = subprocess.run([*CONTAINER, sys.executable, "-c", PROGRAM], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (7, b"")
