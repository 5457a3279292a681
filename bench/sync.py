"""What a connected project costs, and how soon the others see an edit.

    python bench/sync.py [--missions 100000] [--edits 40] [--only mirror|edit|local]

    mirror   first mirror of so many missions, page by page, against bare executemany of the same rows from the same
             decoded JSON into the same tables (aim: at least half its speed); memory while it runs (aim: bounded)
    edit     an edit on one machine until another machine's workspace has it: two services, one hub, on loopback
             (aim: 300 ms; needs the extra solo-unicorn[hub])
    local    an edit of a local project against the same edit before it could be connected (aim: no difference)

Exit code 1 when an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from solo_unicorn.missions.entities import SYSTEM, Mission
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.wire import from_wire
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.workspace import operations, queries, rows
from solo_unicorn.workspace.workspace import Workspace

PAGE = 200
MIRROR_AIM, EDIT_AIM, MEMORY_AIM, GROWTH_AIM = 0.5, 300.0, 150.0, 10.0
INSERT = (
    f"INSERT INTO mission ({', '.join(rows.MISSION_COLUMNS)}) VALUES ({', '.join('?' * len(rows.MISSION_COLUMNS))})"
)
PROJECT = "01J00000000000000000000000"
WORDS = (
    "retry",
    "payment",
    "webhook",
    "order",
    "invoice",
    "index",
    "cache",
    "session",
    "login",
    "search",
    "upload",
    "export",
    "report",
    "board",
)


def missions(count: int) -> Iterator[str]:
    """Pages of a hub's list of missions, as text."""
    at = "2026-05-01T12:00:00Z"
    for start in range(0, count, PAGE):
        items = [
            {
                "id": f"01J{number:023d}",
                "projectId": PROJECT,
                "version": number + 1,
                "number": number + 1,
                "title": f"{WORDS[number % 14]} {WORDS[number % 13]} {number}",
                "description": " ".join(WORDS[(number * 7 + step) % 14] for step in range(60)),
                "createdAt": at,
                "updatedAt": at,
                "agentSessionStatusChangedAt": at,
                "priority": number % 5 + 1,
                "list": ("todo", "doing", "review", "done")[number % 4],
                "listOrder": float(number),
                "stage": "plan",
                "tasks": [{"title": "one"}, {"title": "two"}],
            }
            for number in range(start, min(start + PAGE, count))
        ]
        following = f"01J{start + PAGE:023d}" if start + PAGE < count else None
        yield json.dumps({"items": items, "nextAfter": following, "snapshotCursor": "c", "epoch": 1, "seq": count})


def connected(path: Path) -> Workspace:
    """A workspace with one connected project."""
    workspace = Workspace.open(path)
    account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
    replica.connecting.put_account(workspace, account)
    workspace.write(replica.connecting.connect, account, {"id": PROJECT, "name": "Shared"}, {})
    return workspace


def mirror(count: int) -> bool:
    """The first mirror against bare rows."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ["SOLO_UNICORN_HOME"] = directory
        pages = [json.loads(page) for page in missions(count)]
        ours, bare = (count / seconds for seconds in _both(Path(directory), pages))
        less, peak = (_memory(one, Path(directory) / f"memory-{one}.db") for one in (count // 10, count))
    good = ours >= MIRROR_AIM * bare and peak < MEMORY_AIM and peak - less < GROWTH_AIM
    print(f"mirror   {ours:8.0f} missions/s, bare executemany {bare:8.0f}: {ours / bare:.2f} (aim {MIRROR_AIM})")
    print(f"         {peak:8.0f} MB at most with {count} missions (aim {MEMORY_AIM:.0f}), ", end="")
    print(f"{peak - less:.0f} more than with a tenth of them (aim {GROWTH_AIM:.0f})")
    return good


def _both(directory: Path, pages: list[Any]) -> tuple[float, float]:
    """Seconds for all pages by the mirror and by bare rows, in turns, so that what else the machine does hits both."""
    workspace, bare = connected(directory / "mirror.db"), connected(directory / "bare.db")
    workspace.write_as(SYSTEM, replica.sync_steps.begin_resync, PROJECT)
    ours = theirs = 0.0
    for page in pages:
        began = time.perf_counter()
        workspace.write_as(SYSTEM, replica.sync_steps.take_snapshot, PROJECT, page)
        between = time.perf_counter()
        _write(bare._store.connection, page["items"])
        theirs += time.perf_counter() - between
        ours += between - began
    workspace.close()
    bare.close()
    return ours, theirs


def _write(connection: Any, items: list[Any]) -> None:
    """The rows of one page in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, [rows.mission_row(from_wire(Mission, item), 2) for item in items])
    connection.executemany(
        "INSERT INTO base (kind, id, project_id, version, deleted, generation, doc) "
        "VALUES ('mission', ?, ?, ?, 0, 1, ?)",
        [(item["id"], PROJECT, item["version"], rows.dump(item)) for item in items],
    )
    connection.execute("COMMIT")


def _memory(count: int, path: Path) -> float:
    """Peak megabytes of a process that reads the same pages one at a time (VmHWM: ru_maxrss knows its parent's too)."""
    code = (
        "import sys, json; from pathlib import Path\n"
        "from solo_unicorn.bench import sync as bench\n"
        "from solo_unicorn.sync.replica import mirroring\n"
        "workspace = bench.connected(Path(sys.argv[1])); workspace.write(mirroring.begin_resync, bench.PROJECT)\n"
        "for page in bench.missions(int(sys.argv[2])):\n"
        "    workspace.write(mirroring.take_snapshot, bench.PROJECT, json.loads(page))\n"
        "status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())\n"
        "print(int(status['VmHWM'].split()[0]) / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(count)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def local() -> bool:
    """Edits of a local project with and without the look whether it is connected."""
    from unittest.mock import patch

    from solo_unicorn.workspace.sync_state import outbox

    with tempfile.TemporaryDirectory() as directory:
        os.environ["SOLO_UNICORN_HOME"] = directory
        with Workspace.open(Path(directory) / "local.db") as workspace:
            project = workspace.write(operations.projects.create, "Local")
            mission = workspace.write(operations.missions.create, project.id, MissionDraft(title="x"))
            workspace._store.connection.execute("PRAGMA synchronous = OFF")  # the work, not the disk
            took: dict[bool, list[float]] = {True: [], False: []}
            for number in range(4000):
                looks = bool(number % 2)
                with patch.object(outbox, "account_of", outbox.account_of if looks else lambda *_: None):
                    began = time.perf_counter()
                    workspace.write(operations.missions.edit, mission.id, {"title": f"x{number}"})
                    took[looks].append(time.perf_counter() - began)
    now, before = (statistics.median(took[looks]) * 1e6 for looks in (True, False))
    print(f"local    {now:8.0f} µs an edit, {before:.0f} µs without the look: {now / before:.3f} (aim 1.05)")
    return now <= before * 1.05


def edit(count: int) -> bool:
    """Until another machine has it."""
    with tempfile.TemporaryDirectory() as directory, hub(Path(directory) / "hub") as (url, token):
        homes = [Path(directory) / name for name in "ab"]
        for home in homes:
            command(home, "auth", "login", "--hub", url, "--api-key", "-", "--store-in-file", stdin=token)
        command(homes[0], "project", "create", "Bench")
        command(homes[0], "mission", "create", "-p", "bench", "It")
        command(homes[0], "project", "publish", "bench")
        command(homes[0], "sync")
        command(homes[1], "project", "connect", "bench")
        command(homes[1], "sync")
        try:
            for home in homes:
                command(home, "workstation", "start", "--background")
            took = _edits(homes, count)
        finally:
            for home in homes:
                command(home, "workstation", "stop", "--force")
    median = statistics.median(took)
    print(
        f"edit     {median:8.0f} ms until the other machine has it, p95 {sorted(took)[int(len(took) * 0.95)]:.0f}",
        end="",
    )
    print(f" (aim {EDIT_AIM:.0f})")
    return median < EDIT_AIM


def _edits(homes: list[Path], count: int) -> list[float]:
    os.environ["SOLO_UNICORN_HOME"] = str(homes[0])
    took = []
    with Workspace.open(homes[0] / "workspace.db") as here, Workspace.open(homes[1] / "workspace.db") as there:
        for number in range(count + 3):
            began = time.perf_counter()
            here.write(operations.missions.edit, "M-1", {"title": f"edit {number}"})
            while there.read(queries.missions.get, "M-1").title != f"edit {number}":
                if time.perf_counter() - began > 30:
                    raise SystemExit("the edit did not arrive within 30 s")
                time.sleep(0.001)
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(0.1)
    return took[3:]  # the first ones wait for the sockets


def command(home: Path, *words: str, stdin: str = "") -> str:
    """One command on one machine."""
    done = subprocess.run(
        [sys.executable, "-m", "solo_unicorn", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SOLO_UNICORN_HOME": str(home)},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")
    return done.stdout


@contextmanager
def hub(directory: Path, port: int = 0) -> Iterator[tuple[str, str]]:
    """A hub in a process of its own: (its URL, a token)."""
    port = port or free_port()
    token = prepared(directory)
    process = serve(directory, port)
    try:
        yield f"http://127.0.0.1:{port}", token
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def prepared(directory: Path) -> str:
    """A hub's data with one person; her token."""
    command(directory, "hub", "user", "add", "ann@example.org", "--organization", "Bench", "--data-dir", str(directory))
    return command(directory, "hub", "token", "create", "ann@example.org", "--data-dir", str(directory), "-q").strip()


def serve(directory: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the hub and wait until it answers."""
    words = [sys.executable, "-m", "solo_unicorn", "hub", "--data-dir", str(directory), "--port", str(port)]
    log = directory / "hub.log"
    with log.open("ab") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
            return process
        time.sleep(0.05)
    raise SystemExit(f"the hub did not start: {log.read_text()[-500:]}")


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missions", type=int, default=100_000)
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--only", choices=("mirror", "edit", "local"))
    options = parser.parse_args()
    looks = {"mirror": lambda: mirror(options.missions), "edit": lambda: edit(options.edits), "local": local}
    good = [look() for name, look in looks.items() if options.only in (None, name)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
