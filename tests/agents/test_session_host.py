"""The session host: it outlives its starter, loses no line, costs bounded memory, and ends everything it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from solo_unicorn.agents import transcript
from solo_unicorn.agents.session_host.processes import identify, is_alive, send
from solo_unicorn.missions.errors import TryAgain

from .conftest import RunningSession, eventually

Sessions = Callable[..., RunningSession]

LISTENER = """
    import sys
    print("up", flush=True)
    for line in sys.stdin:
        print("heard", line.strip(), flush=True)
    print("bye")
    sys.exit(7)
"""


def test_the_host_outlives_its_starter_and_another_process_goes_on_with_it(session: Sessions) -> None:
    one = session(LISTENER, stdin="first\n", stdin_stays_open=True)
    starter = subprocess.run(
        [
            sys.executable,
            "-c",
            f"""
import os, signal
from pathlib import Path
from solo_unicorn.agents import launch
launch.start(Path({str(one.run_dir)!r}))
os.kill(os.getpid(), signal.SIGKILL)
""",
        ],
        check=False,
    )
    assert starter.returncode == -signal.SIGKILL
    assert one.handle.state() == "running"
    one.line("heard first")
    one.handle.send("input", line="second\n")
    one.line("heard second")
    one.handle.send("close_stdin")
    outcome = one.ended()
    assert outcome.exit_code == 7
    assert outcome.stop is None
    assert one.lines() == ["up", "heard first", "heard second", "bye"]
    assert one.lines("in") == ["first", "second"]
    assert one.handle.state() == "ended"


def test_the_host_is_nobodys_child_and_leads_its_own_session(session: Sessions) -> None:
    one = session(LISTENER, stdin_stays_open=True).start()
    pid = one.handle.pid
    assert pid is not None
    assert os.getsid(pid) == pid
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    agent = one.handle.status()["agent_pid"]
    assert isinstance(agent, int)
    assert os.getsid(agent) == os.getpgid(agent) == agent


def test_an_agent_that_ignores_all_but_sigkill_is_gone_with_the_child_that_left_its_session(session: Sessions) -> None:
    one = session("""
        import os, signal, sys, time
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.write(1, f"escaped {os.getpid()}\\n".encode())
            while True:
                time.sleep(60)
        os.write(1, f"agent {os.getpid()}\\n".encode())
        while True:
            time.sleep(60)
    """).start()
    agent, escaped = one.process("agent"), one.process("escaped")
    one.handle.stop()
    outcome = one.ended(5.0)
    assert outcome.signal == signal.SIGKILL
    assert outcome.stop is not None
    assert outcome.stop.reason == "stop"
    assert outcome.stop.signals == ("SIGINT", "SIGTERM", "SIGKILL")
    assert not is_alive(agent)
    assert not is_alive(escaped)


def test_what_looks_like_a_result_and_cannot_be_read_ends_no_host(session: Sessions) -> None:
    one = session(
        """
        print('{"type": "result", "result": ' + "[" * 50_000)
        print('{"type": "result", "tokens": ' + "9" * 6000 + "}")
        print("went on")
    """,
        result_types=["result"],
    )
    one.start()
    assert one.ended().exit_code == 0
    assert one.lines()[-1] == "went on"


def test_an_agent_that_ends_at_sigint_gets_no_harder_signal(session: Sessions) -> None:
    one = session("""
        import time
        print("agent up", flush=True)
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            print("ended well")
    """).start()
    one.line("agent up")
    one.handle.stop("superseded")
    outcome = one.ended()
    assert (outcome.exit_code, outcome.signal) == (0, None)
    assert outcome.stop is not None
    assert (outcome.stop.reason, outcome.stop.signals) == ("superseded", ("SIGINT",))
    assert one.lines()[-1] == "ended well"


def test_an_interrupt_leaves_the_agent_running(session: Sessions) -> None:
    one = session(
        """
        import signal, sys
        signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
        print("agent up", flush=True)
        for line in sys.stdin:
            print("heard", line.strip(), flush=True)
    """,
        stdin_stays_open=True,
    ).start()
    one.line("agent up")
    one.handle.interrupt()
    one.line("interrupted")
    one.handle.send("input", line="go on\n")
    one.line("heard go on")
    assert one.handle.state() == "running"


def test_a_grandchild_that_holds_the_output_does_not_hold_up_the_end_and_is_ended(session: Sessions) -> None:
    one = session(
        """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            os.write(1, f"grandchild {os.getpid()}\\n".encode())
            time.sleep(600)
            os._exit(0)
        os.write(1, b"last words\\n")
        sys.stdin.readline()
    """,
        stdin_stays_open=True,
    ).start()
    grandchild = one.process("grandchild")
    one.handle.send("close_stdin")
    outcome = one.ended(5.0)
    assert outcome.exit_code == 0
    assert outcome.leftovers_ended == 1
    assert not is_alive(grandchild)
    assert "last words" in one.lines()


@pytest.mark.slow
def test_a_flood_of_a_hundred_megabytes_costs_bounded_memory_and_disk_and_keeps_both_ends(session: Sessions) -> None:
    one = session(
        """
        import sys
        block = "".join(f"{n:07d} " + "x" * 90 + "\\n" for n in range(10_000))
        for _ in range(110):
            sys.stdout.write(block)
        print("the very end", flush=True)
        sys.stdin.readline()
    """,
        stdin_stays_open=True,
    ).start()
    one_end = transcript.end
    eventually(lambda: one_end(one.run_dir) > 140e6 and one.handle.status()["lines"] == 1_100_001, "the flood ends", 60)
    assert _peak_memory(one) < 64 << 20
    one.handle.send("close_stdin")
    outcome = one.ended()
    size = sum(path.stat().st_size for path in one.run_dir.glob("transcript*"))
    assert size < 66 << 20
    assert outcome.bytes > 107e6
    entries = one.entries()
    assert [entry.line[:7] for entry in entries[:3]] == ["0000000", "0000001", "0000002"]
    assert entries[-1].line == "the very end"
    gaps = [entry for entry in entries if "left out" in entry.line]
    assert len(gaps) == 1
    assert outcome.left_out_bytes == sum(_gap_sizes(entries, one.run_dir))


def _gap_sizes(entries: list[transcript.TranscriptEntry], run_dir: Path) -> list[int]:
    starts = [int(path.name.split(".")[1]) for path in run_dir.glob("transcript.*.jsonl")]
    gaps = [entry.offset for entry in entries if "left out" in entry.line]
    return [min(start for start in starts if start > gap) - gap for gap in gaps]


def _peak_memory(one: RunningSession) -> int:
    status = Path(f"/proc/{one.handle.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def test_a_line_of_twenty_megabytes_costs_bounded_memory_and_comes_in_pieces(session: Sessions) -> None:
    one = session(
        """
        import sys
        sys.stdout.buffer.write(b"a" * (20 << 20) + b"\\nafter\\n")
        sys.stdout.flush()
        sys.stdin.readline()
    """,
        stdin_stays_open=True,
    ).start()
    one.line("after")
    assert _peak_memory(one) < 48 << 20
    one.handle.send("close_stdin")
    assert one.ended().long_lines == 1
    pieces = [entry for entry in one.entries() if entry.part]
    assert [piece.part for piece in pieces] == list(range(1, len(pieces) + 1))
    assert sum(len(piece.line) for piece in pieces) == 20 << 20
    assert one.lines()[-1] == "after"


def test_bytes_that_are_no_utf8_are_kept(session: Sessions) -> None:
    one = session(r"""
        import sys
        sys.stdout.buffer.write(b"\xff\xfe ok \x00\x1b]52;c;aGk=\x07\n" + "ünïcödé \u2028 one line".encode())
        sys.stdout.buffer.write(b"\nno end")
    """).start()
    one.ended()
    assert [entry.raw for entry in one.entries()] == [
        b"\xff\xfe ok \x00\x1b]52;c;aGk=\x07",
        "ünïcödé \u2028 one line".encode(),
        b"no end",
    ]
    assert one.lines()[0].startswith("�� ok")


def test_a_reader_never_sees_a_torn_line(session: Sessions) -> None:
    one = session("""
        for number in range(60_000):
            print(number, "y" * (number % 300))
    """).start()
    offset, seen = 0, []
    while one.handle.alive() or offset < transcript.end(one.run_dir):
        entries, offset = transcript.read(one.run_dir, offset, 10_000)
        for entry in entries:
            number, _, rest = entry.line.partition(" ")
            assert rest == "y" * (int(number) % 300)
            seen.append(int(number))
    assert seen == list(range(60_000))


def test_the_agent_inherits_neither_lock_nor_transcript_nor_socket(session: Sessions) -> None:
    one = session("""
        import os
        for name in os.listdir("/proc/self/fd"):
            try:
                print(name, os.readlink(f"/proc/self/fd/{name}"))
            except FileNotFoundError:
                pass
    """).start()
    one.ended()
    assert [line.split()[0] for line in one.lines()] == ["0", "1", "2"]
    assert all("pipe:" in line for line in one.lines())


def test_the_lock_is_free_when_the_host_is_killed_though_its_agent_lives_on_for_a_while(session: Sessions) -> None:
    """What the agent left behind is found by the session's name in its environment, and ended; a stranger is not."""
    one = session("""
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            os.write(1, f"escaped {os.getpid()}\\n".encode())
            time.sleep(600)
        os.write(1, f"agent {os.getpid()}\\n".encode())
        time.sleep(600)
    """).start()
    agent, escaped = one.process("agent"), one.process("escaped")
    host = identify(one.handle.pid or 0)
    assert host is not None
    send(host, signal.SIGKILL)
    eventually(lambda: not one.handle.alive(), "the lock is free")
    assert one.handle.state() == "lost"
    assert one.handle.outcome() is None
    with pytest.raises(TryAgain):
        one.handle.status()
    assert is_alive(agent)
    assert is_alive(escaped)
    assert one.handle.end_leftovers() is True
    assert not is_alive(agent)
    assert not is_alive(escaped)


def test_an_agent_dies_with_its_host(session: Sessions) -> None:
    one = session("import os, time\nprint('agent', os.getpid(), flush=True)\ntime.sleep(600)").start()
    agent, host = one.process("agent"), identify(one.handle.pid or 0)
    assert host is not None
    send(host, signal.SIGKILL)
    eventually(lambda: not is_alive(agent), "the agent is gone")


def test_sigterm_to_the_host_ends_the_agent_and_says_so(session: Sessions) -> None:
    one = session(LISTENER, stdin_stays_open=True).start()
    one.line("up")
    host = identify(one.handle.pid or 0)
    assert host is not None
    send(host, signal.SIGTERM)
    outcome = one.ended()
    assert outcome.stop is not None
    assert outcome.stop.reason == "shutdown"


def test_the_input_ends_with_the_result_and_an_agent_that_then_hangs_is_ended(session: Sessions) -> None:
    one = session(
        """
        import os, signal, sys, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print('{"subtype": "success", "type": "result"}', flush=True)
        sys.stdin.read()
        print("input ended", flush=True)
        time.sleep(600)
        """,
        stdin_stays_open=True,
        result_types=["result"],
        after_result_seconds=0.3,
    ).start()
    outcome = one.ended(10.0)
    assert "input ended" in one.lines()
    assert outcome.stop is not None
    assert outcome.stop.reason == "after_result"
    assert outcome.signal == signal.SIGTERM


def test_what_is_said_before_the_result_keeps_the_input_open_for_a_second_turn(session: Sessions) -> None:
    one = session(
        """
        import json, sys
        for line in sys.stdin:
            print("turn", line.strip(), flush=True)
            if line.strip() == "first":
                sys.stdin.buffer.peek(1)
            print(json.dumps({"type": "result"}), flush=True)
        """,
        stdin="first\n",
        stdin_stays_open=True,
        result_types=["result"],
        after_result_seconds=30.0,
    ).start()
    one.line("turn first")
    one.handle.send("input", line="second\n")
    outcome = one.ended()
    assert (outcome.exit_code, outcome.stop) == (0, None)
    assert [line for line in one.lines() if line.startswith("turn")] == ["turn first", "turn second"]
