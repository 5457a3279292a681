"""Two machines with a service each and one real hub: who runs what, and who is fenced off."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from .conftest import until

pytest.importorskip("sqlalchemy", reason="needs the extra solo-unicorn[hub]")
pytestmark = pytest.mark.slow


class Computer:
    """A home with its own runtime directory, as on a machine of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.runtime = tempfile.mkdtemp(prefix="su-")  # short: the path of a socket has 103 bytes at most

    def run(self, *words: str, stdin: str = "", code: int = 0) -> str:
        env = {
            **os.environ,
            "SOLO_UNICORN_HOME": str(self.home),
            "SOLO_UNICORN_RUNTIME_DIR": self.runtime,
            "SOLO_UNICORN_REHEARSAL_PACE": "0.01",
            "SOLO_UNICORN_AGENTS_REHEARSAL_SLOTS": "4",
        }
        done = subprocess.run(
            [sys.executable, "-m", "solo_unicorn", *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=env,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout + (done.stderr if code else "")

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))["data"]

    def close(self) -> None:
        with suppress(AssertionError, subprocess.TimeoutExpired):
            self.run("workstation", "stop", "--force")
        shutil.rmtree(self.runtime, ignore_errors=True)

    def log(self) -> str:
        path = self.home / "logs" / "solo-unicorn.log"
        return "\n".join(path.read_text().splitlines()[-30:]) if path.exists() else "(no log)"


class Team:
    """The hub, and two machines on a shared project."""

    def __init__(self, url: str, token: str, directory: Path, stack: ExitStack) -> None:
        self.url, self.token, self.directory, self._stack = url, token, directory, stack
        begun, self.origin = directory / "begun", directory / "origin.git"
        begun.mkdir()
        (begun / "README.md").write_text("The shop\n")
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
            subprocess.run(["git", *command], cwd=begun, check=True)
        subprocess.run(["git", "clone", "-q", "--bare", str(begun), str(self.origin)], check=True)
        self.first, self.second = self.computer("a"), self.computer("b")
        self.first.run("project", "create", "Shared")
        self.first.run("repo", "add", str(self.clone("a")), "-p", "shared", "--name", "shop")
        self.first.run("project", "publish", "shared")
        self.first.run("sync")
        self.second.run("project", "connect", "shared")
        self.second.run("sync")
        self.second.run("repo", "add", str(self.clone("b")), "-p", "shared", "--name", "shop")

    def computer(self, name: str) -> Computer:
        made = Computer(self.directory / name)
        self._stack.callback(made.close)
        made.run("auth", "login", "--hub", self.url, "--api-key", "-", "--store-in-file", stdin=self.token)
        return made

    def clone(self, name: str) -> Path:
        path = self.directory / f"shop-{name}"
        subprocess.run(["git", "clone", "-q", str(self.origin), str(path)], check=True)
        return path

    def ask(self, path: str) -> Any:
        request = Request(f"{self.url}/api/v1{path}", headers={"authorization": f"Bearer {self.token}"})
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def mission(self, title: str) -> dict[str, Any]:
        """A mission for the rehearsal agent, ready, and known to the hub."""
        made = self.first.json(
            "mission", "create", "-p", "shared", title, "--flow", "Direct", "--agent", "rehearsal", "--ready"
        )
        self.first.run("sync")
        return dict(made)

    def done(self, mission: dict[str, Any]) -> None:
        def over() -> bool:
            return bool(self.ask(f"/missions/{mission['id']}")["list"] == "done")

        until(over, lambda: f"{mission['title']} is done\n{self.first.log()}\n---\n{self.second.log()}", 90)

    def sessions(self, computer: Computer, mission: dict[str, Any]) -> int:
        computer.run("sync")
        shown = computer.json("mission", "log", mission["id"])
        return sum(one["kind"] == "claimed" for one in shown)


@pytest.fixture
def team(home: Path, tmp_path: Path) -> Iterator[Team]:
    directory = tmp_path / "hub"
    directory.mkdir()
    with ExitStack() as stack, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        server = Computer(directory)
        stack.callback(lambda: shutil.rmtree(server.runtime, ignore_errors=True))
        server.run("hub", "user", "add", "ann@example.org", "--organization", "Team", "--data-dir", str(directory))
        token = server.run("hub", "token", "create", "ann@example.org", "--data-dir", str(directory), "-q").strip()
        with (directory / "hub.log").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "solo_unicorn", "hub", "--data-dir", str(directory), "--port", str(port)],
                stdout=said,
                stderr=said,
            )
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)

        def answers() -> bool:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return True
            return False

        until(answers, lambda: (directory / "hub.log").read_text()[-500:])
        yield Team(f"http://127.0.0.1:{port}", token, tmp_path, stack)


def test_each_mission_runs_on_one_machine_and_a_newer_start_fences_the_older(team: Team) -> None:
    for name, computer in (("desk", team.first), ("laptop", team.second)):
        assert f"{name} is registered at {team.url}" in computer.run("workstation", "register", "--name", name)
    for computer in (team.first, team.second):
        computer.run("workstation", "start", "--background")
    organization = team.ask("/auth/whoami")["organizations"][0]["id"]

    def alive() -> bool:
        found = team.ask(f"/organizations/{organization}/workstations")["items"]
        return {(one["name"], one["status"]) for one in found} == {("desk", "online"), ("laptop", "online")}

    until(alive, lambda: f"both are heard of\n{team.first.log()}")
    missions = [team.mission(f"Mission {number}") for number in range(3)]
    for mission in missions:
        team.done(mission)
    for mission in missions:
        events = team.ask(f"/missions/{mission['id']}/events?limit=500")["items"]
        assert sum(event["kind"] == "claimed" for event in events) == 1, events

    # the home of the first machine is copied, and the copy is started
    team.first.run("workstation", "stop")
    copy = Computer(team.directory / "copy")
    shutil.copytree(team.first.home, copy.home, ignore=shutil.ignore_patterns("*.lock", "*.sock"))
    with sqlite3.connect(copy.home / "workspace.db") as brought:  # as from another machine: the original is not there
        brought.execute("UPDATE meta SET value = '/elsewhere/workspace.db' WHERE key = 'store.path'")
    team._stack.callback(copy.close)
    machine = team.first.json("workstation", "status")["workstation"]["id"]

    def generation() -> int:
        return int(team.ask(f"/workstations/{machine}")["generation"])

    before = generation()
    team.first.run("workstation", "start", "--background")
    until(lambda: generation() == before + 1, "the restart took over")
    copy.run("workstation", "start", "--background")
    until(lambda: generation() == before + 2, "the copy took over")
    until(
        lambda: team.first.json("workstation", "status")["fencedOff"],
        lambda: f"the first one says that it is fenced off\n{team.first.log()}",
    )
    assert "A newer start of this workstation has registered" in team.first.run("workstation", "status")
    team.second.run("workstation", "pause")
    mission = team.mission("Written on the fenced machine")
    until(
        lambda: team.ask(f"/missions/{mission['id']}")["list"] == "done",
        lambda: f"the copy ran it\n{copy.log()}\n{team.first.log()}",
        90,
    )
    assert not any(one["mission"] == mission["id"] for one in team.first.json("workstation", "status")["sessions"])
    said = team.first.run("workstation", "register", code=4)
    assert "does not accept this machine as the workstation" in said and "--force" in said
    began = time.monotonic()
    team.first.run("workstation", "stop")
    team.first.run("workstation", "register", "--force", "--name", "third")
    assert time.monotonic() - began < 60
    found = team.ask(f"/organizations/{organization}/workstations")["items"]
    assert sorted(one["name"] for one in found) == ["desk", "laptop", "third"]
