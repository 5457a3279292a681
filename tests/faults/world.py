"""A home, a repository, a service and the programs of a person, all started with the shim."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from .ledger import Ledger
from .watcher import Watcher

SOURCE = Path(__file__).with_name("shim.c")
ODD = """title = "Odd"
command = ["{python}", "{program}"]
parser = "claude"
[version]
arguments = ["--version"]
[turn]
arguments = ["--output-format", "stream-json"]
prompt = "claude"
result_types = ["result"]
"""
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


def built(folder: Path) -> Path | None:
    """The shim, compiled; None where there is no compiler or the system is not Linux."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return None
    made = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, SOURCE, "-ldl"], check=True, capture_output=True)
    return made


class World:
    """Where everything happens; what the seed draws is the same each time."""

    def __init__(self, folder: Path, shim: Path, seed: int) -> None:
        self.home = folder / "home" / "su"
        self.folder = folder
        self._control = folder / "faults"
        self.drawn = random.Random(seed)
        self.seed, self._writers = seed, 0
        self._writer: subprocess.Popen[str] | None = None
        self.board: Watcher | None = None
        self.ledger = Ledger()
        self.repository = folder / "shop"
        self.plain = os.environ | {
            "HOME": str(folder / "home"),
            "SOLO_UNICORN_HOME": str(self.home),
            "SOLO_UNICORN_RUNTIME_DIR": str(folder / "run"),
            "SOLO_UNICORN_REHEARSAL_PACE": "0.01",
            "SOLO_UNICORN_WORKSTATION_LOAD_PER_CORE": "0",
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        }
        self._shimmed = self.plain | {"LD_PRELOAD": str(shim), "SHIM_FAULTS": str(self._control)}
        self.home.parent.mkdir()
        (folder / "gitconfig").write_text("[user]\nname = You\nemail = you@example.com\n[init]\ndefaultBranch = main\n")
        self.well()
        self.repository.mkdir()
        (self.repository / "README.md").write_text("The shop\n")
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
            subprocess.run(["git", *words], cwd=self.repository, env=self.plain, check=True)
        made = json.loads(self.run("project", "create", "Shop", "--json"))
        self.project = made["data"]["id"]
        self.run("repo", "add", str(self.repository), "--project", "shop")
        self.run("repo", "edit", "shop", "--max", "0")  # what waits for a person holds a worktree
        self.hire()

    def run(self, *words: str, check: bool = True) -> str:
        """What a command of ours prints, without faults."""
        command = [sys.executable, "-m", "solo_unicorn", *words]
        done = subprocess.run(command, env=self.plain, capture_output=True, text=True, cwd=self.repository)
        assert not check or done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def well(self) -> None:
        """No fault any more."""
        self.set("")

    def set(self, rules: str) -> None:
        """Faults from now on, as shim.c takes them."""
        draft = self._control.with_suffix(".new")
        draft.write_text(rules)
        draft.replace(self._control)

    # ---- who works

    def write(self) -> None:
        """A writer, when there is none."""
        if not self.writes():
            self.kill_writer()  # one that a fault has ended leaves its pipe
            self._writers += 1
            name = f"{self.seed}.{self._writers}"
            self._writer = subprocess.Popen(
                [sys.executable, "-m", "solo_unicorn.tests.faults.writer", name, self.project],
                env=self._shimmed,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._writer.stdout is not None
            threading.Thread(target=self.ledger.listen, args=(self._writer.stdout,), daemon=True).start()

    def writes(self) -> bool:
        """Whether there is a writer."""
        return self._writer is not None and self._writer.poll() is None

    def end_writer(self) -> None:
        """Let the writer finish what it writes, and go."""
        if self._writer is not None and self._writer.stdin is not None:
            self._writer.stdin.close()
            self._writer.wait(60)

    def kill_writer(self) -> None:
        """In the middle of something."""
        if self._writer is not None:
            self._writer.kill()
            self._writer.wait()
            if self._writer.stdin is not None:
                self._writer.stdin.close()

    def hire(self) -> None:
        """The agent that says odd things, in this home."""
        entries = self.home / "agents"
        entries.mkdir(exist_ok=True)
        program = Path(__file__).with_name("odd_agent.py")
        (entries / "odd.toml").write_text(ODD.format(python=sys.executable, program=program))
        self.run("agent", "scan")

    def watch(self) -> Watcher:
        """A board, when there is none."""
        if self.board is None:
            self.board = Watcher(self._shimmed, str(self.repository))
        return self.board

    def look_away(self) -> None:
        """Close the board; what was wrong with it is a fault."""
        if self.board is not None:
            self.ledger.faults += self.board.close()
            self.board = None

    def serve(self) -> None:
        """A service, when there is none, and a mission for its agents."""
        self.assign("Work", "rehearsal")
        command = [sys.executable, "-m", "solo_unicorn", "workstation", "start", "--background"]
        subprocess.run(command, env=self._shimmed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90)

    def assign(self, name: str, agent: str) -> str:
        """A mission for an agent; its number, as people say it."""
        title = f"{name} {self.seed}-{self.drawn.getrandbits(30)}"
        wanted = ("--project", "shop", "--flow", "Direct", "--agent", agent, "--ready")
        made = json.loads(self.run("mission", "create", title, *wanted, "--json"))["data"]
        self.ledger.saved.append(("create", made["id"], title))
        return f"M-{made['number']}"

    def service(self) -> int | None:
        """The process of the service, if there is one."""
        status = self.run("workstation", "status", "--json", check=False)
        pid = json.loads(status)["data"].get("pid") if status else None
        return pid if isinstance(pid, int) else None

    def close(self) -> None:
        """End the board, the writer, the service and its agents."""
        self.well()
        self.look_away()
        self.end_writer()
        self.run("workstation", "stop", "--force", check=False)

    # ---- what is there

    def wrong(self) -> list[str]:
        """What does not hold, of what was acknowledged and of the rest."""
        read = [sys.executable, "-c", READ]
        done = subprocess.run(read, env=self.plain, capture_output=True, text=True, check=True)
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
