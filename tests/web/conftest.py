"""`solo-unicorn web` as a process of its own, and talking to it without a browser."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from solo_unicorn.missions.entities import SYSTEM
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Web:
    """The running server."""

    process: subprocess.Popen[str]
    link: str
    origin: str = field(init=False)

    def __post_init__(self) -> None:
        self.origin = self.link.partition("/?")[0]

    @property
    def port(self) -> int:
        """Where it listens."""
        port = urlsplit(self.link).port
        assert port is not None
        return port

    def get(self, path: str, **headers: str) -> Answer:
        """A plain request; `Host` is what it should be unless it is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            said = connection.getresponse()
            body = b"" if said.status == 101 else said.read()
            return Answer(said.status, {name.lower(): value for name, value in said.getheaders()}, body)
        finally:
            connection.close()

    def sign_in(self) -> tuple[str, str]:
        """Use the link; the room's path and its cookie."""
        said = self.get("/?" + self.link.partition("/?")[2])
        assert said.status == 303, said
        return said.headers["location"], said.headers["set-cookie"].partition(";")[0]


def start(*arguments: str) -> Web:
    """Start the server and read its link."""
    process = subprocess.Popen(
        [sys.executable, "-m", "solo_unicorn", "web", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    if found is None:
        process.kill()
        raise AssertionError(f"no link: {line!r} {process.communicate()}")
    return Web(process, found[0])


@pytest.fixture
def web(home: Path) -> Iterator[Web]:
    """A server over the sample project; it and whatever it started end with the test."""
    pytest.importorskip("textual_serve", reason="the extra `web` is not installed")
    with Workspace.open() as workspace:
        workspace.write_as(SYSTEM, operations.sample.create)
    running = start("--visitors", "1")
    yield running
    running.process.send_signal(signal.SIGTERM)
    out, err = running.process.communicate(timeout=30)
    stop = [sys.executable, "-m", "solo_unicorn", "workstation", "stop", "--force"]
    subprocess.run(stop, capture_output=True, timeout=60, env=os.environ)
    assert running.process.returncode == 0, (out, err)
    assert "Traceback" not in err
