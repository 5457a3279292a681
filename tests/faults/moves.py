"""What goes wrong in a world: each is one fault, from its beginning to where it may pass."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from solo_unicorn.agents.handle import SESSION_VARIABLE
from solo_unicorn.agents.session_host.processes import identify, tagged

from . import newer
from .world import World

YEAR = 365 * 24 * 60 * 60
ROUND_SECONDS = 1.5
PATIENCE_SECONDS = 90.0
READERS = (
    ("mission", "list", "--json"),
    ("usage", "--json"),
    ("metrics", "--json"),
    ("inbox", "list", "--json"),
    ("export", "shop"),
)
"""Commands that read all that agents may have poisoned."""
Move = Callable[[World], None]


def disk_fails(world: World) -> None:
    """Of a thousand writes to the home twenty fail, or many are interrupted, or syncs fail."""
    world.set(f"{world.drawn.choice(('eio', 'interrupted', 'sync'))} {world.home} 20\n")


def disk_is_full(world: World) -> None:
    """No write to the home succeeds: there is no room, or no quota, or its disk became read-only."""
    world.set(f"{world.drawn.choice(('full', 'quota', 'readonly'))} {world.home} 1000\n")


def repository_is_full(world: World) -> None:
    """No write to the repository succeeds."""
    world.set(f"{world.drawn.choice(('full', 'quota'))} {world.repository} 1000\n")


def writes_are_short(world: World) -> None:
    """A third of all writes take half of what they are given."""
    world.set(f"short {world.home} 300\n")


def clock_jumps(world: World) -> None:
    """One year ahead or back, or ten."""
    world.set(f"clock - {world.drawn.choice((YEAR, -YEAR, 10 * YEAR, -10 * YEAR))}\n")


def writer_is_killed(world: World) -> None:
    """SIGKILL, in the middle of something."""
    world.kill_writer()


def service_is_killed(world: World) -> None:
    """SIGKILL; its agents go on."""
    if (pid := world.service()) is not None:
        os.kill(pid, signal.SIGKILL)


def service_stands_still(world: World) -> None:
    """SIGSTOP for a while."""
    if (pid := world.service()) is not None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(ROUND_SECONDS)
        os.kill(pid, signal.SIGCONT)


def agents_say_odd_things(world: World) -> None:
    """Not numbers, half characters, depths: the mission waits for a person, and every reader reads."""
    for ref in [world.assign("Odd", "odd") for _ in range(2)]:
        _until(lambda ref=ref: not _mission(world, ref)["ready"], f"{ref} goes on for ever")  # type: ignore[misc]
    for words in READERS:
        world.run(*words)


def file_is_outgrown(world: World) -> None:
    """A newer command takes the workspace over: an older service leaves, nobody older writes. Then it is undone."""
    before = world.service()
    title = f"Newer {world.seed}-{world.drawn.getrandbits(30)}"
    command = [sys.executable, "-m", "solo_unicorn.tests.faults.newer", world.project, title]
    done = subprocess.run(command, env=world.plain, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    world.ledger.saved.append(("create", done.stdout.strip(), title))
    _until(lambda: not _lives(before), "the older service goes on")
    refused = world.ledger.refused
    _until(lambda: world.ledger.refused > refused or not world.writes(), "an older program writes on")
    newer.give_back(world.home / "workspace.db")
    world.look_away()


def home_is_moved(world: World) -> None:
    """Away, and back; the board says that nothing is saved."""
    board = world.watch()
    board.works()
    away = world.home.with_name("away")
    world.home.rename(away)
    board.sees("nothing is saved")
    world.look_away()
    if world.home.exists():
        world.home.rename(world.home.with_name(f"begun-meanwhile-{world.drawn.getrandbits(30)}"))
    away.rename(world.home)


def home_is_removed(world: World) -> None:
    """While board, service and agents run; nothing of them is left but the board, and a backup brings all back."""
    world.end_writer()
    world.run("workstation", "stop", "--force")
    backup = world.folder / f"backup-{world.drawn.getrandbits(30)}"
    world.run("workspace", "backup", str(backup))
    known = len(world.ledger.saved)
    world.serve()
    board, service = world.watch(), world.service()
    board.works()
    runs = {one.name for one in (world.home / "runs").iterdir()}
    gone = world.home.with_name("removed")
    world.home.rename(gone)
    runs |= {one.name for one in (gone / "runs").iterdir()}
    shutil.rmtree(gone, ignore_errors=True)
    board.sees("nothing is saved")
    _until(lambda: not _lives(service), "the service of a home that is gone goes on")
    _until(lambda: not any(tagged(SESSION_VARIABLE, one) for one in runs), "an agent of a home that is gone goes on")
    world.look_away()
    del world.ledger.saved[known:]  # what was written after the backup went with the home
    shutil.rmtree(world.home, ignore_errors=True)
    world.home.mkdir(mode=0o700)
    world.run("workspace", "restore", str(backup))
    world.hire()


def _mission(world: World, ref: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(world.run("mission", "show", ref, "--json"))["data"]
    return found


def _lives(pid: int | None) -> bool:
    return pid is not None and identify(pid) is not None


def _until(condition: Callable[[], object], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)


MOVES: tuple[Move, ...] = (
    disk_fails,
    disk_is_full,
    repository_is_full,
    writes_are_short,
    clock_jumps,
    writer_is_killed,
    service_is_killed,
    service_stands_still,
    agents_say_odd_things,
    file_is_outgrown,
    home_is_moved,
    home_is_removed,
)
"""All of them."""
