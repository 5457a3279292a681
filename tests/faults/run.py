"""Faults put into the real programs, one after the other, and what was acknowledged compared at the end.

    python -m solo_unicorn.tests.faults.run [--minutes 10] [--rounds N] [--seed 1]

A service with its agents and a person's program work in one home. Disks that fail or are full, short writes, a clock
that jumps a year, SIGKILL, SIGSTOP and a home that is moved away and back are drawn by the seed. At the end every write
that was acknowledged is there, nothing is there twice, `doctor --deep` finds nothing, no mission has landed twice, and
every error that the program of the person saw was one of ours.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

YEAR = 365 * 24 * 60 * 60
SOURCE = Path(__file__).with_name("shim.c")
ROUND_SECONDS = 1.5
WRITES_A_ROUND = 5


def built(folder: Path) -> Path | None:
    """The shim, compiled; None where there is no compiler or the system is not Linux."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return None
    made = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, SOURCE, "-ldl"], check=True, capture_output=True)
    return made


@dataclass
class Ledger:
    """What the program of a person was told."""

    saved: list[tuple[str, str, str]] = field(default_factory=list)
    """(what, id of the mission, text)."""
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    grown: threading.Condition = field(default_factory=threading.Condition)

    def listen(self, stream: IO[str]) -> None:
        """Take in what a writer says, until it ends."""
        for line in stream:
            kind, *words = json.loads(line)
            with self.grown:
                if kind == "saved":
                    self.saved.append((words[0], words[1], words[2]))
                elif kind == "refused":
                    self.refused += 1
                else:
                    self.faults.append(" ".join(words))
                self.grown.notify_all()

    def wait(self, more: int, patience: float = 90.0) -> None:
        """Until so many more writes were acknowledged."""
        with self.grown:
            wanted = len(self.saved) + more
            assert self.grown.wait_for(lambda: len(self.saved) >= wanted, patience), "nothing is saved any more"


class World:
    """A home, a repository, a service and a writer, all started with the shim."""

    def __init__(self, folder: Path, shim: Path, seed: int) -> None:
        self.home = folder / "home" / "su"
        self._control = folder / "faults"
        self._drawn = random.Random(seed)
        self._seed, self._writers = seed, 0
        self._writer: subprocess.Popen[str] | None = None
        self.ledger = Ledger()
        self.repository = folder / "shop"
        self._env = os.environ | {
            "HOME": str(folder / "home"),
            "SOLO_UNICORN_HOME": str(self.home),
            "SOLO_UNICORN_RUNTIME_DIR": str(folder / "run"),
            "SOLO_UNICORN_REHEARSAL_PACE": "0.01",
            "SOLO_UNICORN_WORKSTATION_LOAD_PER_CORE": "0",
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        }
        self._shimmed = self._env | {"LD_PRELOAD": str(shim), "SHIM_FAULTS": str(self._control)}
        self.home.parent.mkdir()
        (folder / "gitconfig").write_text("[user]\nname = You\nemail = you@example.com\n[init]\ndefaultBranch = main\n")
        self.well()
        self.repository.mkdir()
        (self.repository / "README.md").write_text("The shop\n")
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
            subprocess.run(["git", *words], cwd=self.repository, env=self._env, check=True)
        made = json.loads(self.run("project", "create", "Shop", "--json"))
        self.project = made["data"]["id"]
        self.run("repo", "add", str(self.repository), "--project", "shop")

    def run(self, *words: str, check: bool = True) -> str:
        """What a command of ours prints, without faults."""
        command = [sys.executable, "-m", "solo_unicorn", *words]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, cwd=self.repository)
        assert not check or done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def well(self) -> None:
        """No fault any more."""
        self._set("")

    def _set(self, rules: str) -> None:
        draft = self._control.with_suffix(".new")
        draft.write_text(rules)
        draft.replace(self._control)

    # ---- who works

    def write(self) -> None:
        """A writer, when there is none."""
        if self._writer is None or self._writer.poll() is not None:
            self._writers += 1
            name = f"{self._seed}.{self._writers}"
            self._writer = subprocess.Popen(
                [sys.executable, "-m", "solo_unicorn.tests.faults.writer", name, self.project],
                env=self._shimmed,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._writer.stdout is not None
            threading.Thread(target=self.ledger.listen, args=(self._writer.stdout,), daemon=True).start()

    def serve(self) -> None:
        """A service, when there is none, and a mission for its agents."""
        title = f"Work {self._seed}-{self._drawn.getrandbits(30)}"
        made = self.run("mission", "create", title, "--project", "shop", "--flow", "Direct", "--ready", "--json")
        self.ledger.saved.append(("create", json.loads(made)["data"]["id"], title))
        command = [sys.executable, "-m", "solo_unicorn", "workstation", "start", "--background"]
        subprocess.run(command, env=self._shimmed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90)

    def _pid(self) -> int | None:
        status = self.run("workstation", "status", "--json", check=False)
        pid = json.loads(status)["data"].get("pid") if status else None
        return pid if isinstance(pid, int) else None

    # ---- faults

    def disk_fails(self) -> None:
        """Of a thousand writes to the home twenty fail."""
        self._set(f"eio {self.home} 20\n")

    def disk_is_full(self) -> None:
        """No write to the home succeeds."""
        self._set(f"full {self.home} 1000\n")

    def repository_is_full(self) -> None:
        """No write to the repository succeeds."""
        self._set(f"full {self.repository} 1000\n")

    def writes_are_short(self) -> None:
        """A third of all writes take half of what they are given."""
        self._set(f"short {self.home} 300\n")

    def clock_jumps(self) -> None:
        """A year ahead, or back."""
        self._set(f"clock - {self._drawn.choice((YEAR, -YEAR))}\n")

    def writer_is_killed(self) -> None:
        """SIGKILL, in the middle of something."""
        if self._writer is not None:
            self._writer.kill()
            self._writer.wait()

    def service_is_killed(self) -> None:
        """SIGKILL; its agents go on."""
        if (pid := self._pid()) is not None:
            os.kill(pid, signal.SIGKILL)

    def service_stands_still(self) -> None:
        """SIGSTOP for a while."""
        if (pid := self._pid()) is not None:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(ROUND_SECONDS)
            os.kill(pid, signal.SIGCONT)

    def home_is_moved(self) -> None:
        """Away, and back."""
        away = self.home.with_name("away")
        self.home.rename(away)
        time.sleep(ROUND_SECONDS)
        if self.home.exists():
            self.home.rename(self.home.with_name(f"begun-meanwhile-{self._drawn.getrandbits(30)}"))
        away.rename(self.home)

    @property
    def faults(self) -> list[Callable[[], None]]:
        """All of them."""
        return [
            self.disk_fails,
            self.disk_is_full,
            self.repository_is_full,
            self.writes_are_short,
            self.clock_jumps,
            self.writer_is_killed,
            self.service_is_killed,
            self.service_stands_still,
            self.home_is_moved,
        ]

    def round(self, fault: Callable[[], None]) -> None:
        """All work, something goes wrong, it passes, and all work again."""
        self.write()
        self.serve()
        self.ledger.wait(WRITES_A_ROUND)
        fault()
        time.sleep(ROUND_SECONDS)
        self.well()
        self.write()
        self.ledger.wait(WRITES_A_ROUND)

    def close(self) -> None:
        """End the writer, the service and its agents."""
        self.well()
        if self._writer is not None and self._writer.stdin is not None:
            self._writer.stdin.close()
            self._writer.wait(30)
        self.run("workstation", "stop", "--force", check=False)

    # ---- what is there

    def wrong(self) -> list[str]:
        """What does not hold, of what was acknowledged and of the rest."""
        read = [sys.executable, "-c", READ]
        done = subprocess.run(read, env=self._env, capture_output=True, text=True, check=True)
        titles, texts, touched, loss = json.loads(done.stdout)
        said = [f"a fault of ours: {one}" for one in self.ledger.faults]
        for what, about, text in self.ledger.saved:
            if what == "create" and titles.get(about) != text:
                said.append(f"{about} was saved as {text!r} and is {titles.get(about)!r}")
            elif what != "create" and text not in texts.get(about, ""):
                said.append(f"{text!r} was saved on {about} and is not in its history")
        if len(set(titles.values())) != len(titles):
            said.append("a mission is there twice")
        said += [f"doctor --deep: {one}" for one in touched] + ([f"doctor: {loss}"] if loss else [])
        log = subprocess.run(
            ["git", "log", "--format=%s"], cwd=self.repository, capture_output=True, text=True, check=True
        )
        landed = [line for line in log.stdout.splitlines() if line.startswith("Work ")]
        if len(set(landed)) != len(landed):
            said.append(f"landed twice: {sorted(one for one in set(landed) if landed.count(one) > 1)}")
        return said


READ = """
import json
from solo_unicorn.workspace import queries
from solo_unicorn.workspace.workspace import Workspace
with Workspace.open() as opened:
    missions = opened.read(lambda c: c.execute("SELECT id, title FROM mission").fetchall())
    events = opened.read(lambda c: c.execute("SELECT mission_id, note || changes FROM event").fetchall())
    texts = {}
    for about, text in events:
        texts[about] = texts.get(about, "") + chr(10) + text
    loss = opened.loss()
    print(json.dumps([dict(missions), texts, [repr(one) for one in opened.touched()], loss.said if loss else ""]))
"""


def run(folder: Path, shim: Path, *, seed: int, rounds: int | None = None, minutes: float = 1.0) -> World:
    """So many rounds, or as many as begin within the minutes; each kind of fault at least once in as many rounds."""
    world, drawn, until = World(folder, shim, seed), random.Random(seed), time.monotonic() + minutes * 60
    kinds: list[Callable[[], None]] = []
    number = 0
    try:
        while number < rounds if rounds is not None else time.monotonic() < until:
            if not kinds:
                kinds = drawn.sample(world.faults, len(world.faults))
            fault = kinds.pop()
            print(f"{number}: {fault.__name__}, {len(world.ledger.saved)} saved so far", flush=True)
            world.round(fault)
            number += 1
    finally:
        world.close()
    return world


def main() -> int:
    """Run, and print what does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    shim = built(folder)
    if shim is None:
        print("Faults are put in by a small library for Linux: install a C compiler (`cc`)", file=sys.stderr)
        return 2
    world = run(folder, shim, seed=wanted.seed, rounds=wanted.rounds, minutes=wanted.minutes)
    wrong = world.wrong()
    print(f"{len(world.ledger.saved)} writes acknowledged, {world.ledger.refused} refused, {len(wrong)} wrong")
    print("\n".join(wrong[:40]))
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
