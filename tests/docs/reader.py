"""A reader of a page: a person with a terminal, a fresh home, and nothing but what the page says."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pyte
import pytest

PATIENCE = 120.0
"""Seconds in which a command has done next to nothing before the page counts as broken: it hangs."""
BUSY = 5.0
"""Seconds of processor time in so long that a command which works uses, however loaded the machine is."""
WIDTH, HEIGHT = 160, 45
HUB_PORT = 8420
KEPT = ("LANG", "LC_", "TZ", "PIP_", "UV_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY")
"""Variables of the machine that a fresh account on it has, too."""
ESCAPES = re.compile(r"\x1b\[[0-9;?>=<]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_=>]")


class Broken(AssertionError):
    """Something that a page says did not happen."""


class Terminal:
    """A bash on a pseudo-terminal. Commands reach it through a pipe: what is typed is input of programs alone."""

    def __init__(self, environment: Mapping[str, str], place: Path) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (HEIGHT, WIDTH))
        commands, self._commands = os.pipe()
        self._states, states = os.pipe()
        self._inner = commands, states
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._emulator = pyte.ByteStream(self.screen)
        self.said = ""
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-u", f"/dev/fd/{commands}"],
            env=dict(environment),
            cwd=place,
            preexec_fn=lambda: os.login_tty(slave),
            pass_fds=(commands, states),
        )
        for end in (slave, commands, states):
            os.close(end)

    def begin(self, command: str) -> None:
        """Type a command; `said` holds from now on what it prints."""
        commands, states = self._inner
        self.said = ""
        self.screen.reset()
        place = tempfile.NamedTemporaryFile("w", prefix="su-", suffix=".sh", delete=False)  # noqa: SIM115
        with place:
            place.write(command + "\n")
        self._file = Path(place.name)
        os.write(
            self._commands, f". {shlex.quote(place.name)} {commands}<&- {states}>&-; echo $? >&{states}\n".encode()
        )

    def until(self, wanted: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Read what is said until something is so, for as long as the command works on it."""
        end, before = time.monotonic() + patience, self._work()
        while not wanted():
            if time.monotonic() > end:
                if (used := self._work()) < before + BUSY:
                    raise Broken(f"{what} did not come within {patience:.0f} s; it said:\n{self.said.strip()[-3000:]}")
                end, before = time.monotonic() + patience, used
            self._listen(0.05)

    def _work(self) -> float:
        """Seconds of processor time that the programs of this terminal have used."""
        used = 0.0
        with contextlib.suppress(psutil.NoSuchProcess):
            shell = psutil.Process(self.process.pid)
            for one in (shell, *shell.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    used += sum(one.cpu_times()[:4])  # its own and those of the children that it waited for
        return used

    def _listen(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            chunk = os.read(self._master, 1 << 16)
        except OSError:  # its last program is gone
            time.sleep(seconds)
            return False
        self._emulator.feed(chunk)
        self.said += ESCAPES.sub("", chunk.decode("utf-8", "replace")).replace("\r\n", "\n").replace("\r", "\n")
        return True

    def ended(self) -> int | None:
        """The exit code of the command, None while it runs."""
        if not select.select([self._states], [], [], 0)[0]:
            return None
        answer = os.read(self._states, 16)
        while self._listen(0):
            pass
        self._file.unlink(missing_ok=True)
        if not answer:
            raise Broken(f"the shell ended; it said:\n{self.said.strip()[-3000:]}")
        return int(answer)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    @property
    def picture(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def close(self) -> None:
        """End the shell, and what it runs in the foreground."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for end in (self._master, self._commands, self._states):
            os.close(end)


class Server:
    """A program in a terminal of its own, as README's reader opens a second one for it."""

    def __init__(self, command: str, environment: Mapping[str, str], place: Path, ready: str) -> None:
        self.command = command
        self.terminal = Terminal(environment, place)
        self.terminal.begin(f"exec {command}")
        self.terminal.until(
            lambda: re.search(ready, self.terminal.said) or self.terminal.process.poll() is not None,
            f"what `{command}` prints when it is ready",
        )
        if self.terminal.process.poll() is not None:
            raise Broken(f"`{command}` ended with {self.terminal.process.returncode}:\n{self.terminal.said.strip()}")

    def end(self) -> None:
        """By the id of its process; it must leave in time, with 0."""
        process = self.terminal.process
        try:
            process.terminate()
            self.terminal.until(lambda: process.poll() is not None, f"the end of `{self.command}` after SIGTERM", 30)
            if process.returncode != 0:
                raise Broken(
                    f"`{self.command}` ended with {process.returncode} after SIGTERM:\n{self.terminal.said.strip()}"
                )
        finally:
            self.terminal.close()


class Reader:
    """A person with a machine: a home with nothing in it but git's name for them."""

    def __init__(self, folder: Path, programs: Path, more: Mapping[str, str]) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        (self.home / ".gitconfig").write_text(
            "[user]\n\tname = You\n\temail = you@example.com\n[init]\n\tdefaultBranch = main\n"
        )
        kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        self.environment = kept | {
            "HOME": str(self.home),
            "PATH": f"{self.home}/.local/bin:{programs}",
            "TERM": "xterm-256color",
            "SHELL": shutil.which("bash") or "/bin/sh",
            "TMPDIR": str(folder),
            **more,
        }
        self.servers = list[Server]()
        self.terminal = Terminal(self.environment, self.home)

    def run(self, command: str, keys: Mapping[str, str], links: str = "") -> str:
        """Run a command to its end; what it printed.

        `keys` are pressed as what they stand for (a pattern) appears; an address that `links` finds is opened.
        """
        terminal = self.terminal
        terminal.begin(command)
        code: int | None = None
        answered, opened = 0, set[str]()

        def over() -> bool:
            nonlocal code, answered
            code = terminal.ended()
            if code is None:
                for pattern, answer in keys.items():
                    asked = re.compile(pattern).search(terminal.said, answered)
                    if asked:
                        answered = asked.end()
                        terminal.type(answer)
                for link in set(re.findall(links, terminal.said) if links else ()) - opened:
                    opened.add(link)
                    subprocess.run([self.environment["BROWSER"], link], env=self.environment, check=True)
            return code is not None

        terminal.until(over, f"the end of `{command}`")
        if code:
            raise Broken(f"exit code {code}:\n{terminal.said.strip()[-3000:]}")
        return terminal.said

    def look_at(self, command: str, steps: tuple[tuple[str, str], ...]) -> None:
        """Start a full-screen program, see it paint, and press keys: each when its words are on the screen."""
        terminal = self.terminal
        terminal.begin(command)
        code: int | None = None
        for words, keys in steps:
            terminal.until(lambda words=words: re.search(words, terminal.picture), f"{words!r} on the screen")  # type: ignore[misc]
            terminal.type(keys)

        def over() -> bool:
            nonlocal code
            code = terminal.ended()
            return code is not None

        terminal.until(over, f"the end of `{command}`; the screen:\n{terminal.picture}")
        if code:
            raise Broken(f"exit code {code}:\n{terminal.said.strip()[-3000:]}")

    def serve(self, command: str, ready: str) -> Server:
        """Start a server in another terminal, with this one's directory and variables; ready when it says so."""
        state = self.folder / "state"
        self.run(f"{{ pwd; env -0; }} >{shlex.quote(str(state))}", {})
        place, _, rest = state.read_bytes().partition(b"\n")
        variables = [one.decode().partition("=") for one in rest.split(b"\0") if one]
        environment = {name: value for name, _, value in variables if name not in ("_", "SHLVL", "PWD", "OLDPWD")}
        server = Server(command, environment, Path(os.fsdecode(place)), ready)
        self.servers.append(server)
        return server

    def leave(self) -> None:
        """End what was started, and the service of this home; refuses to leave anything behind."""
        try:
            for server in reversed(self.servers):
                server.end()
        finally:
            self.terminal.close()
            subprocess.run(
                [sys.executable, "-m", "solo_unicorn", "workstation", "stop", "--force"],
                env=self.environment | {"PATH": os.environ["PATH"]},
                capture_output=True,
                check=False,
            )


def programs(folder: Path) -> Path:
    """A folder for PATH: the environment's own `solo-unicorn`, and what any machine has; no code agents."""
    folder.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    for name in ("solo-unicorn", "python"):  # not links: a python finds its environment by the place it is called at
        own = Path(sys.executable).parent / name
        (folder / name).write_text(f'#!/bin/sh\nexec "{own}" "$@"\n')
        (folder / name).chmod(0o755)
    return folder


NEEDED = (
    *("bash", "sh", "env", "git", "make", "cat", "ls", "cp", "mv", "rm", "mkdir", "mktemp", "chmod", "touch", "pwd"),
    *("sed", "grep", "awk", "head", "tail", "sort", "cut", "tr", "uname", "hostname", "id", "ps", "tee", "wc", "true"),
    *("dirname", "basename", "readlink", "openssl", "curl", "stty", "tput", "less", "uv", "xargs", "find", "date"),
    *("tar", "ln", "gzip", "python3", "python3.11", "python3.12", "python3.13", "pg_dump", "pg_restore", "psql"),
)


@contextmanager
def port_of_the_hub() -> Iterator[None]:
    """The hub's own port, for one page at a time on this machine."""
    with (Path(tempfile.gettempdir()) / "solo-unicorn-tests-port-8420.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", HUB_PORT))
            except OSError:
                pytest.fail(f"port {HUB_PORT} of this machine is taken, and the pages start a hub there")
        yield
