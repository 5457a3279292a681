"""What is said of the connection, by the real programs at real hub processes, on their defaults."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ...hub.joined.processes import Program, command, program

pytestmark = pytest.mark.slow
LATEST = 30.0


class Person:
    """A home that is connected to a hub, and the command line in it."""

    def __init__(self, home: Path) -> None:
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SOLO_UNICORN")}
        self.environment |= {"HOME": str(home), "SOLO_UNICORN_HOME": str(home / "su"), "PYTHONUNBUFFERED": "1"}
        self.token = ""
        self.mission = ""
        self.project = ""

    def run(self, *words: str, code: int = 0, said: str = "") -> str:
        done = self._done(words, code, said)
        return done.stdout + done.stderr

    def read(self, *words: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self._done((*words, "--json"), 0, "").stdout)["data"]

    def _done(self, words: tuple[str, ...], code: int, said: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "solo_unicorn", *words],
            env=self.environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def status(self) -> dict[str, Any]:
        return dict(self.read("sync", "--status"))

    def connect(self, url: str, token: str, name: str) -> None:
        self.token = token
        login = ("auth", "login", "--hub", url, "--api-key", "-", "--store-in-file")
        self.run(*login, said=token)
        self.project = self.read("project", "create", name)["id"]
        self.mission = self.read("mission", "create", "First", "-p", name)["id"]
        self.run("project", "publish", name)
        self.run("sync")

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        process = subprocess.Popen(
            [sys.executable, "-m", "solo_unicorn", "sync", "--watch", "--json"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Watch(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()


class Watch:
    """A running `sync --watch --json`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self._lines.put(json.loads(line))
        except ValueError:  # closed at the end of the test
            return

    def until(self, event: str, within: float = LATEST) -> dict[str, Any]:
        end = time.monotonic() + within
        heard: list[str] = []
        while True:
            try:
                said = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{event} was not said, but {heard}") from None
            heard.append(said["event"])
            if said["event"] == event:
                return said


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Program]:
    directory = tmp_path / "hub"
    directory.mkdir(mode=0o700)
    command(directory, "user", "add", "own@example.org", "--organization", "Bar", said="correct horse battery\n")
    async with program(directory) as running:
        yield running


@pytest.fixture
def person(tmp_path: Path, hub: Program) -> Person:
    home = tmp_path / "person"
    home.mkdir()
    one = Person(home)
    one.connect(hub.url, token_of(tmp_path / "hub", "own@example.org"), "Bar")
    return one


def token_of(directory: Path, email: str) -> str:
    return next(word for word in command(directory, "token", "create", email).split() if word.startswith("pat_"))


def edit(url: str, one: Person, title: str) -> None:
    headers = {"Authorization": f"Bearer {one.token}"}
    path = f"{url}/api/v1/missions/{one.mission}"
    tag = httpx.get(path, headers=headers).headers["etag"]
    httpx.patch(path, headers=headers | {"If-Match": tag}, json={"title": title}).raise_for_status()


def said(one: Person, is_so: Callable[[dict[str, Any]], bool], within: float = LATEST) -> dict[str, Any]:
    end = time.monotonic() + within
    while True:
        state = one.status()
        if is_so(state):
            return state
        assert time.monotonic() < end, state


def test_an_edit_comes_at_once_and_a_killed_hub_is_said_everywhere(hub: Program, person: Person) -> None:
    with person.watching() as watch:
        watch.until("live")
        assert person.status()["word"] == "synced"
        edit(hub.url, person, "Changed at the hub")
        assert watch.until("read", within=5)["count"] == 1
        assert "WebSocket open" in person.run("workstation", "status")
        hub.process.kill()
        hub.process.wait()
        assert "check the network" in watch.until("unreachable")["todo"]
        state = person.status()
        assert state["word"].startswith("offline since") and state["kind"] == "unreachable"
        assert "cannot be reached" in person.run("workstation", "status")
        watch.process.send_signal(signal.SIGTERM)
        assert watch.process.wait(10) == 0


def test_a_dead_hub_is_exit_6_and_a_hanging_one_is_told_apart(hub: Program, person: Person) -> None:
    hub.process.send_signal(signal.SIGSTOP)
    try:
        assert "does not answer" in person.run("sync", code=6)
        assert person.status()["kind"] == "silent"
    finally:
        hub.process.send_signal(signal.SIGCONT)
    person.run("sync")
    hub.process.kill()
    hub.process.wait()
    assert "cannot be reached" in person.run("sync", code=6)


def test_nobody_who_synchronises_is_said_by_time_alone(hub: Program, person: Person) -> None:
    with person.watching() as watch:
        watch.until("connected")
        watch.process.kill()
        watch.process.wait()
    state = said(person, lambda state: state["kind"] == "stopped", within=75)
    assert "sync --watch" in state["todo"] and state["syncedAt"]


def test_a_sign_in_that_ended_is_exit_5_and_no_fault_of_ours(hub: Program, person: Person) -> None:
    with person.watching() as watch:
        watch.until("connected")
        headers = {"Authorization": f"Bearer {person.token}"}
        (mine,) = httpx.get(f"{hub.url}/api/v1/tokens", headers=headers).json()["items"]
        httpx.delete(f"{hub.url}/api/v1/tokens/{mine['id']}", headers=headers).raise_for_status()
        edit_here = person.run("mission", "edit", "M-1", "--title", "Mine")
        assert edit_here
        watch.until("signed_out")
        assert watch.process.wait(10) == 5
    assert "sign in again" in person.run("sync", code=5)
    assert person.status()["word"].startswith("needs sign-in")


def test_who_signs_out_is_signed_out_in_the_programs_that_run_too(hub: Program, person: Person) -> None:
    with person.watching() as watch:
        watch.until("connected")
        person.run("auth", "logout")
        watch.until("signed_out")
        assert watch.process.wait(10) == 5
    assert person.status()["kind"] == "signed_out"


def test_a_watch_gives_way_to_the_service_which_tells_the_hub_of_this_machine(hub: Program, person: Person) -> None:
    """A watch that was there first kept the service from registering, so that no mission could start on the machine."""
    with person.watching() as watch:
        watch.until("live")
        person.run("workstation", "start", "--background")
        try:
            watch.until("following")
            said(person, lambda _: "last heartbeat" in person.run("workstation", "status"))
        finally:
            person.run("workstation", "stop", "--force")
        watch.until("started")


def test_removed_from_one_project_is_said_of_that_one_alone(hub: Program, person: Person, tmp_path: Path) -> None:
    command(tmp_path / "hub", "user", "add", "ben@example.org", "--organization", "Ben", said="correct horse battery\n")
    home = tmp_path / "ben"
    home.mkdir()
    ben = Person(home)
    ben.connect(hub.url, token_of(tmp_path / "hub", "ben@example.org"), "Own")
    person.run("organization", "invite", "ben@example.org")
    ben.run("invitation", "accept")
    person.run("member", "add", "ben@example.org", "-p", "bar")
    person.run("organization", "remove", "ben@example.org")  # which leaves the role in the project
    ben.run("project", "connect", person.project)
    ben.run("sync")
    person.run("member", "remove", "ben@example.org", "-p", "bar")
    assert "no longer shows you Bar" in ben.run("sync", code=3)
    state = ben.status()
    assert {one["project"]: one["kind"] for one in state["projects"]} == {"Bar": "gone", "Own": "synced"}
    assert "ask an owner" in state["todo"]


def test_a_proxy_that_passes_no_websocket_on_is_said_and_edits_still_come(
    hub: Program, person: Person, tmp_path: Path
) -> None:
    with refusing_proxy(hub.url) as url:
        home = tmp_path / "behind"
        home.mkdir()
        behind = Person(home)
        behind.run("auth", "login", "--hub", url, "--api-key", "-", "--store-in-file", said=person.token)
        behind.run("project", "connect", "bar")
        with behind.watching() as watch:
            assert "Upgrade" in watch.until("polling")["todo"]
            edit(hub.url, person, "Behind a proxy")
            watch.until("read", within=5)
            assert behind.status()["word"] == "synced by polling"


@contextmanager
def refusing_proxy(target: str) -> Iterator[str]:
    """Passes HTTP on, one request a connection, and answers every request for a WebSocket with 426."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            if self.headers.get("upgrade"):
                self.send_response(426)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            answer = httpx.request(self.command, target + self.path, headers=kept, content=body, timeout=30)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in ("content-encoding", "transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
