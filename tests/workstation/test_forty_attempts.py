"""An agent tries to approve, to read secrets, to have others act for it, and to write outside of its worktree."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from solo_unicorn.agents.sandbox import choosing
from solo_unicorn.config import edit, paths
from solo_unicorn.missions.entities import Mission
from solo_unicorn.system.ancestry import commands
from solo_unicorn.workspace import queries
from solo_unicorn.workstation import client

from .attempts import ATTEMPTS
from .conftest import Shop
from .scripted import Scripted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(choosing.means() != "bubblewrap", reason="the full sandbox needs bubblewrap"),
]
SECRETS = ("A PRIVATE KEY", "A CLOUD KEY", "A HUB TOKEN", "STOLEN", "A BACKUP", "OF ANOTHER PROGRAM")


class Field:
    """A person's machine with secrets, open doors to other programs, and a mission for each attempt."""

    def __init__(self, shop: Shop, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.folder, self.home = shop, folder, Path.home()
        for name, text in (
            (".ssh/id", SECRETS[0]),
            (".aws/credentials", SECRETS[1]),
            (".solo-unicorn/credentials.json", SECRETS[2]),
            (".solo-unicorn/runs/OTHER/mcp.json", SECRETS[3]),
            (".solo-unicorn/backups/old.db", SECRETS[4]),
            (".bashrc", "mine"),
            (".local/bin/git-mine", ""),
            (".config/autostart/mine", ""),
        ):
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        shop.git("config", "core.hooksPath", ".hooks")
        (shop.repository / ".hooks").mkdir()
        (shop.repository / ".hooks" / "mine").write_text("")
        shop.git("add", ".")
        shop.git("commit", "-qm", "Hooks of the project", "--no-verify")
        shop.git("branch", "theirs")
        self.stay = str(4_000_000 + os.getpid())  # seconds, told apart from those of another test process
        self.shown = paths.runtime_dir() / "shown"
        self.shown.mkdir()
        self.doors = paths.runtime_dir() / "user"
        self.doors.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(self.doors))
        monkeypatch.setenv("SSH_AUTH_SOCK", str(self.doors / "agent"))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={self.doors / 'bus'}")
        monkeypatch.setenv("TMUX_TMPDIR", str(self.doors))
        monkeypatch.setenv("PATH", f"{self.home / '.local/bin'}{os.pathsep}{os.environ['PATH']}")

    def script(self, said: Path) -> str:
        """All attempts in one script, at once; what each prints goes into a file of that directory."""
        python = shlex.quote(sys.executable)
        bare = f"env -i HOME=$HOME PATH=$PATH SOLO_UNICORN_HOME=$SOLO_UNICORN_HOME {python} -P -m solo_unicorn"
        lines = [
            f"export PY={python} US={shlex.quote(f'{sys.executable} -P -m solo_unicorn')}",
            f'export BARE="{bare}" REPO={self.shop.repository} RUN=$SOLO_UNICORN_HOME/runs/$SOLO_UNICORN_SESSION',
            f"export BUS={self.doors / 'bus'} AGENT={self.doors / 'agent'} TMUX_TMPDIR={self.doors}",
            f"export SAID={said} SOCKETS={paths.runtime_dir()} STAY={self.stay}",
        ]
        for number, one in enumerate(ATTEMPTS):
            lines.append(f"export N={number + 2} SHOW={self.shown / str(number)}")
            lines.append(f"timeout 40 bash -c {shlex.quote(one.script)} > $SAID/{number}.said 2>&1 &")
        return "\n".join([*lines, "wait", ""])

    def states(self, mission: Mission) -> dict[int, str]:
        """What each attempt to write was after, by its number."""
        session = next(iter(self.shop.sessions(mission)), None)
        names = {
            "$RUN": str(paths.runs_dir() / session.id) if session else None,
            "$WORKTREE": self.shop.now(mission).worktree_path,
        }
        found = {}
        for number, one in enumerate(ATTEMPTS):
            if one.goal == "write":
                target = one.target
                for name, value in names.items():
                    target = target.replace(name, value or name)
                if not target.startswith("$"):  # it is known only when the mission has run
                    path = self.home / target
                    found[number] = path.read_text() if path.is_file() else f"exists: {path.exists()}"
        return found

    @contextlib.contextmanager
    def programs_that_obey(self) -> Iterator[None]:
        """The person's: a terminal in tmux, a program with a secret, and two sockets that do as they are told."""
        listening = []
        for name in ("bus", "agent"):
            one = socket.socket(socket.AF_UNIX)
            one.bind(str(self.doors / name))
            one.listen()
            threading.Thread(target=_obey, args=(one,), daemon=True).start()
            listening.append(one)
        tmux = ["tmux", "-f", "/dev/null"]
        with_tmux = subprocess.run([*tmux, "new-session", "-d", "-s", "person", "sh"]).returncode == 0
        other = subprocess.Popen(["sleep", "600"], env={"PASSWORD": SECRETS[5]})
        try:
            yield
        finally:
            other.kill()
            other.wait()
            for one in listening:
                one.close()
            if with_tmux:
                subprocess.run([*tmux, "kill-server"], check=False)


def _obey(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            asked, _ = listening.accept()
            with asked:
                Path(asked.recv(4096).decode()).touch()


@pytest.fixture
def field(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Field:
    return Field(shop, tmp_path, monkeypatch)


@pytest.mark.parametrize("level", ["guard", "strict"])
def test_every_attempt_is_refused_or_told(field: Field, tmp_path: Path, level: str) -> None:
    shop = field.shop
    mission = shop.mission("Mine", flow="Quick fix", code_agent_type="scripted")
    theirs = [shop.mission(f"Theirs {number}", ready=False) for number, _ in enumerate(ATTEMPTS)]
    agent = tmp_path / "agent"
    agent.mkdir()
    Scripted(agent, field.script(agent))
    edit.set_value("agents.scripted.sandbox", level)
    edit.set_value("agents.scripted.sandbox_allow", str(agent))
    before = field.states(mission)
    with field.programs_that_obey():
        service = client.ensure_running()
        reviewed = shop.review(mission, "code")
    said = _said(agent)
    assert set(said) == set(range(len(ATTEMPTS))), "all were tried"
    after = field.states(reviewed)
    moved = [ATTEMPTS[n].name for n, one in enumerate(theirs) if shop.now(one).list != one.list]
    shown = [ATTEMPTS[int(path.name)].name for path in field.shown.iterdir()]
    read = [ATTEMPTS[n].name for n, text in said.items() if any(word in text for word in SECRETS)]
    written = [ATTEMPTS[n] for n, now in after.items() if "evil" in now or before.get(n, now) != now]
    notes = " ".join(event.note for event in shop.workspace.read(queries.missions.history, mission.id))
    unnoticed = [one.name for one in written if not (one.told and Path(one.target).name in notes)]
    stayed = [words for _, words in commands() if field.stay in words]
    moved_branch = shop.git("rev-parse", "theirs") != shop.git("rev-parse", "main")
    assert (moved_branch, "moved theirs" in notes) == ((True, True) if level == "guard" else (False, False))
    assert stayed == []
    assert (moved, shown, read, unnoticed) == ([], [], [], []), "\n".join(f"{n}: {text}" for n, text in said.items())
    assert client.ensure_running().pid == service.pid, "the service went on"
    refused = [one.note for one in shop.workspace.read(queries.missions.history, mission.id) if one.kind == "refused"]
    assert any("mission move" in note for note in refused), "it is told on the mission"
    assert shop.now(mission).review_status == "pending"


def _said(folder: Path) -> dict[int, str]:
    """What each attempt printed, by its number."""
    return {int(path.stem): path.read_text(errors="replace") for path in folder.glob("*.said")}
