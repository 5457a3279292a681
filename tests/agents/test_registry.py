"""Agents from the ACP registry: read from a file or an address, and started as their distribution says."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.agents import catalogue, registry
from solo_unicorn.config import paths
from solo_unicorn.missions.errors import InvalidValue, NotFound, Offline

ECHO = Path(__file__).with_name("acp") / "acp_agent.py"


def agent(**distribution: Any) -> dict[str, Any]:
    return {"id": "parrot", "name": "Parrot", "version": "1.2.3", "description": "Talks", "distribution": distribution}


BINARY = {
    "linux-x86_64": {"archive": "https://example.com/parrot.tar.gz", "cmd": "./parrot", "args": ["acp"]},
    "darwin-aarch64": {"archive": "https://example.com/parrot.zip", "cmd": "./parrot", "args": ["acp"]},
}
NPX = {"package": "@example/parrot@1.2.3", "args": ["--acp"], "env": {"PARROT_MODE": "acp", "PARROT_KEY": ""}}


def only(*names: str) -> registry.Find:
    return lambda name: f"/bin/{Path(name).name}" if Path(name).name in names else None


def test_the_way_that_works_here_is_taken() -> None:
    both = agent(binary=BINARY, npx=NPX)
    found = registry.offer(both, find=only("parrot", "npx"), target="linux-x86_64")
    assert (found.program, found.arguments, found.environment) == ("/bin/parrot", ("acp",), {})
    found = registry.offer(both, find=only("npx"), target="linux-x86_64")
    assert (found.program, found.arguments) == ("/bin/npx", ("-y", "@example/parrot@1.2.3", "--acp"))
    assert found.environment == {"PARROT_MODE": "acp"}, "an empty value takes away no key of the person's"
    found = registry.offer(agent(uvx={"package": "parrot@latest"}), find=only("uvx"), target="linux-x86_64")
    assert (found.program, found.arguments, found.title) == ("/bin/uvx", ("parrot@latest",), "Parrot")
    own = registry.offer(agent(binary=BINARY), program="/opt/parrot", find=only("parrot"), target="darwin-aarch64")
    assert own.program == "/bin/parrot"


def test_what_is_not_installed_is_named_with_where_to_get_it() -> None:
    with pytest.raises(NotFound) as told:
        registry.offer(agent(binary=BINARY, npx=NPX), find=only(), target="linux-x86_64")
    assert "https://example.com/parrot.tar.gz or npx, which runs @example/parrot@1.2.3" in str(told.value.why)
    with pytest.raises(NotFound, match="cannot be started") as told:
        registry.offer(agent(binary=BINARY), find=only("parrot"), target="windows-x86_64")
    assert "nothing for windows-x86_64" in str(told.value.why)


@pytest.mark.parametrize(
    "wrong", [{}, {"id": "x"}, agent(npx={}), agent(npx={"package": 7}), agent(binary={"linux-x86_64": {"cmd": ""}})]
)
def test_what_describes_no_agent_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="not the description"):
        registry.offer(wrong, target="linux-x86_64", find=only())


def test_one_is_read_from_a_file_by_its_id(tmp_path: Path) -> None:
    file = tmp_path / "registry.json"
    file.write_text(json.dumps({"version": "1.0.0", "agents": [agent(npx=NPX), {"id": "owl"}]}))
    assert registry.read(str(file), "parrot")["name"] == "Parrot"
    with pytest.raises(NotFound, match="no agent 'parot'") as told:
        registry.read(str(file), "parot")
    assert "parrot" in str(told.value.why)
    file.write_text(json.dumps(agent(npx=NPX)))
    assert registry.read(str(file), "whatever I call it")["id"] == "parrot"
    for content in ("[]", "{}", '{"agents": 7}', "not JSON", "[" * 100_000):
        file.write_text(content)
        with pytest.raises(InvalidValue):
            registry.read(str(file), "parrot")
    with pytest.raises(NotFound, match="There is no file"):
        registry.read(str(tmp_path / "no.json"), "parrot")


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a registry."""
    body = json.dumps({"agents": [agent(npx=NPX)]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/registry.json" else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_one_is_read_from_an_address_and_an_id_means_the_public_registry(
    served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert registry.read(f"{served}/registry.json", "parrot")["version"] == "1.2.3"
    monkeypatch.setattr(registry, "PUBLIC", f"{served}/registry.json")
    assert registry.read("parrot", "mine")["version"] == "1.2.3"
    with pytest.raises(Offline, match="cannot be read"):
        registry.read(f"{served}/gone.json", "parrot")
    monkeypatch.setattr(registry, "SIZE_CAP", 10)
    with pytest.raises(InvalidValue, match="too large"):
        registry.read("parrot", "parrot")


@pytest.mark.slow
def test_one_is_added_and_asked_who_it_is(home: Path, tmp_path: Path) -> None:
    """By npx, played by a program of that name."""
    programs = tmp_path / "bin"
    programs.mkdir()
    played = shlex.join([sys.executable, str(ECHO), str(tmp_path)])
    (programs / "npx").write_text(f'#!/bin/sh\n[ "$*" = "-y @example/parrot@1.2.3 --acp" ] && exec {played}\n')
    (programs / "npx").chmod(0o755)
    (tmp_path / "agent.json").write_text(json.dumps(agent(npx=NPX)))
    added = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "solo_unicorn",
            "agent",
            "add",
            "polly",
            "--registry",
            str(tmp_path / "agent.json"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PATH": f"{programs}:/usr/bin:/bin"},
    )
    assert added.returncode == 0 and "polly added: ready" in added.stdout, added.stdout + added.stderr
    entry = catalogue.load(own=paths.agents_dir())["polly"]
    assert (entry.title, entry.transport, entry.binaries) == ("Parrot", "acp", (str(programs / "npx"),))
    assert entry.turn.arguments == ("-y", "@example/parrot@1.2.3", "--acp")
    assert entry.turn.environment == {"PARROT_MODE": "acp"}
    assert "Parrot 1.2.3; it said that it is echo 1.2.3" in (paths.agents_dir() / "polly.toml").read_text()
