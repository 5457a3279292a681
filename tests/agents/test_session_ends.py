"""How the session of an agent ends: silence, limits of time, disks, seals; and what nobody else may do to it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.agents import launch
from solo_unicorn.missions.errors import Conflict, SoloUnicornError

from .conftest import RunningSession, eventually, gone
from .test_session_host import LISTENER

Sessions = Callable[..., RunningSession]


def test_after_an_interrupt_the_agent_may_be_told_more_though_its_turn_ended(session: Sessions) -> None:
    one = session(
        """
        import json, sys
        for line in sys.stdin:
            print("read", line.strip(), flush=True)
            if line.strip() != "first":
                print(json.dumps({"type": "result"}), flush=True)
        """,
        stdin="first\n",
        stdin_stays_open=True,
        result_types=["result"],
        after_result_seconds=0.2,
        interrupt="claude",
    ).start()
    one.line("read first")
    one.handle.interrupt()
    one.line('read {"type": "control_request"')
    one.line('{"type": "result"}')
    one.handle.send("input", line="rather this\n")
    assert one.ended().exit_code == 0
    assert "read rather this" in one.lines()


def test_silence_is_a_stall(session: Sessions) -> None:
    one = session("import time\nprint('up', flush=True)\ntime.sleep(600)", stall_seconds=0.3).start()
    outcome = one.ended()
    assert outcome.stop is not None
    assert outcome.stop.reason == "stall"


def test_a_tool_that_prints_nothing_is_life_for_as_long_as_tools_may_run(session: Sessions) -> None:
    program = "import subprocess\nprint('up', flush=True)\nsubprocess.run(['sleep', '{}'])\nprint('done', flush=True)"
    whole = session(program.format(1.5), stall_seconds=0.4, tool_seconds=30).start()
    endless = session(program.format(600), stall_seconds=0.4, tool_seconds=1.0).start()
    assert (whole.ended().exit_code, whole.lines()) == (0, ["up", "done"])
    stopped = endless.ended().stop
    assert stopped is not None and stopped.reason == "stall"


def test_an_agent_that_is_said_to_be_busy_keeps_its_input_and_is_not_ended(session: Sessions) -> None:
    """Claude Code goes on with a turn of its own once its background task is over."""
    one = session(
        """
        import json, sys
        for line in sys.stdin:
            print("turn", line.strip(), flush=True)
            if line.strip() != "first":
                print(json.dumps({"type": "result"}), flush=True)
        """,
        stdin="first\n",
        stdin_stays_open=True,
        result_types=["result"],
        after_result_seconds=0.2,
        stall_seconds=0.3,
    ).start()
    one.line("turn first")
    one.handle.wait(60)
    one.handle.send("input", line="second\n", control=False)
    one.handle.send("input", line="third\n", control=False)
    one.line("turn third")
    eventually(lambda: one.handle.status()["results"] == 2, "its results were heard")
    eventually(lambda: float(str(one.handle.status()["silent_seconds"])) > 0.5, "longer than its silence may last")
    assert one.handle.status()["listens"] and one.handle.status()["stopping"] is None
    one.handle.send("input", line="fourth\n", control=False)
    one.line("turn fourth")
    one.handle.wait(0)
    assert one.ended().exit_code == 0


def test_an_agent_that_keeps_talking_does_not_stall_but_may_run_out_of_time(session: Sessions) -> None:
    one = session(
        """
        import time
        while True:
            print("still here", flush=True)
            time.sleep(0.05)
        """,
        stall_seconds=0.5,
        total_seconds=1.2,
    ).start()
    outcome = one.ended()
    assert outcome.stop is not None
    assert outcome.stop.reason == "total_time"


@pytest.mark.parametrize(
    ("change", "told"),
    [({"argv": ["/nowhere/claude"]}, "/nowhere/claude cannot be started"), ({"cwd": "/nowhere/at/all"}, "is gone")],
)
def test_an_agent_that_cannot_be_started_is_an_outcome(session: Sessions, change: dict[str, object], told: str) -> None:
    one = session("pass", **change).start()
    assert told in one.ended().start_error
    assert one.handle.state() == "ended"


def test_a_full_disk_stops_neither_agent_nor_outcome(session: Sessions) -> None:
    """The limit on the size of files stands in for the disk: the transcript cannot grow past it."""
    one = session("""
        import sys
        for number in range(20_000):
            print(number, "z" * 40)
        print("done", file=sys.stderr)
        sys.exit(3)
    """)
    program = "from pathlib import Path; from solo_unicorn.agents import launch; launch.start(Path({!r}))"
    subprocess.run(
        [sys.executable, "-c", program.format(str(one.run_dir))],
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )
    outcome = one.ended()
    assert outcome.exit_code == 3
    assert outcome.stderr_tail == "done"
    kept = [entry for entry in one.entries() if entry.stream == "out"]
    assert [entry.line.split()[0] for entry in kept] == [str(number) for number in range(len(kept))]
    assert len(kept) + outcome.lost_lines >= 20_000
    assert outcome.lost_lines > 0


def test_a_run_directory_is_started_once(session: Sessions) -> None:
    one = session("pass").start()
    one.ended()
    with pytest.raises(SoloUnicornError, match="used or sealed"):
        launch.start(one.run_dir)


def test_no_second_host_starts_while_one_runs(session: Sessions) -> None:
    one = session(LISTENER, stdin_stays_open=True).start()
    assert launch.seal(one.run_dir) is False
    with pytest.raises(Conflict, match="already has a host"):
        launch.start(one.run_dir)
    one.handle.send("close_stdin")
    assert one.ended().exit_code == 7


def test_the_lock_is_never_free_between_the_starter_and_its_host(session: Sessions, tmp_path: Path) -> None:
    """The starter is killed while its host is still coming up: whoever looks meanwhile sees the lock held."""
    one = session(LISTENER, stdin_stays_open=True)
    slow = tmp_path / "python"
    slow.write_text(f'#!/bin/sh\ntouch {tmp_path}/coming\nread go < {tmp_path}/gate\nexec {sys.executable} "$@"\n')
    slow.chmod(0o755)
    os.mkfifo(tmp_path / "gate")
    program = f"""
import sys
from pathlib import Path
from solo_unicorn.agents import launch
sys.executable = {str(slow)!r}
launch.start(Path({str(one.run_dir)!r}))
"""
    with subprocess.Popen([sys.executable, "-c", program]) as starter:
        eventually((tmp_path / "coming").exists, "the host is coming up")
        starter.kill()
        starter.wait()
    try:
        assert one.handle.state() == "running"
        assert launch.seal(one.run_dir) is False
    finally:
        (tmp_path / "gate").write_text("go\n")
    one.line("up")
    one.handle.send("close_stdin")
    assert one.ended().exit_code == 7


def test_a_sealed_run_directory_starts_nothing(session: Sessions) -> None:
    one = session("print('never')")
    assert one.handle.state() == "never_started"
    assert launch.seal(one.run_dir) is True
    assert launch.seal(one.run_dir) is True
    with pytest.raises(SoloUnicornError, match="used or sealed"):
        launch.start(one.run_dir)
    assert one.handle.state() == "never_started"
    outcome = one.handle.outcome()
    assert outcome is not None
    assert outcome.sealed


def test_sealing_an_ended_session_keeps_its_outcome(session: Sessions) -> None:
    one = session("raise SystemExit(4)").start()
    one.ended()
    assert launch.seal(one.run_dir) is True
    assert one.ended().exit_code == 4


def test_the_agent_has_default_signals_though_its_starter_ignored_them(session: Sessions) -> None:
    one = session("import time\nprint('up', flush=True)\ntime.sleep(600)", stop_grace_seconds=30)
    program = f"""
import signal
from pathlib import Path
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
from solo_unicorn.agents import launch
launch.start(Path({str(one.run_dir)!r}))
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    one.line("up")
    one.handle.stop()
    assert one.ended(10.0).signal == signal.SIGINT


def test_requests_that_make_no_sense_are_refused_and_harm_nothing(session: Sessions) -> None:
    one = session(LISTENER, stdin_stays_open=True).start()
    one.line("up")
    with pytest.raises(SoloUnicornError, match="knows no request"):
        one.handle.send("dance")
    with pytest.raises(SoloUnicornError):
        one.handle.send("input", line=5)
    one.handle.send("close_stdin")
    assert one.ended().exit_code == 7


def test_nobody_but_its_user_reads_a_session(session: Sessions) -> None:
    one = session(LISTENER, stdin_stays_open=True).start()
    one.line("up")
    written = [path for path in one.run_dir.iterdir() if path.name != "launch.json"]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
    assert one.run_dir.stat().st_mode & 0o077 == 0


def test_what_the_agent_did_not_read_ends_with_it(session: Sessions) -> None:
    """An agent that closes its input or never reads it must not make the host fail or wait."""
    one = session("import os\nos.close(0)\nprint('deaf')", stdin="x" * 300_000).start()
    assert one.ended().exit_code == 0
    assert gone(one.handle.pid or 0) or not one.handle.alive()
