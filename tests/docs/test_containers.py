"""The image and the services of docs/deploy: no engine is needed to run what they run, on a machine of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..hub import outside
from .pages import ROOT
from .reader import port_of_the_hub

DEPLOY = ROOT / "docs" / "deploy"
PATHS = ("/opt/hub", "/data")
"""Directories of the image, which are made below a temporary one here."""
OF_ROOT = ("useradd", "chown")
"""Programs that change the machine's users: they only say how they were called."""
PATIENCE = 60.0


@dataclass
class Stage:
    """What a Containerfile says from one FROM to the next."""

    runs: list[str] = field(default_factory=list)
    environment: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def stages() -> list[Stage]:
    """The stages of the Containerfile, each instruction as it stands."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Containerfile").read_text(encoding="utf-8"))
    found = list[Stage]()
    for line in text.splitlines():
        match line.split(maxsplit=1):
            case ["FROM", _]:
                found.append(Stage())
            case ["RUN", words]:
                found[-1].runs.append(words)
            case ["ENV", words]:
                found[-1].environment += shlex.split(words)
            case ["CMD", words]:
                found[-1].command = json.loads(words)
            case ["HEALTHCHECK", words]:
                found[-1].health = json.loads(words.partition("CMD ")[2])
    return found


def services() -> dict[str, Any]:
    """The services of compose.yaml."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


class Image:
    """What the Containerfile makes, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.build, self.final = stages()
        self.tools = folder / "tools"
        self.tools.mkdir()
        base = Path(getattr(sys, "_base_executable", sys.executable))
        (self.tools / "python").write_text(f'#!/bin/sh\nexec "{base}" "$@"\n')
        for name in OF_ROOT:
            (self.tools / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        for tool in self.tools.iterdir():
            tool.chmod(0o755)
        self.source = folder / "source"
        self.source.mkdir()
        (folder / "opt").mkdir()
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
        for name in filter(None, os.fsdecode(names).split("\0")):
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy2(ROOT / name, self.source / name)

    def here(self, text: str) -> str:
        """The same with the image's directories where they are here."""
        for path in PATHS:
            text = re.sub(rf"{path}(?=[/\s:]|$)", str(self.folder) + path, text)
        return text

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """What the container's programs are told: the ENV lines, and what compose adds."""
        kept = {
            name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT", "HTTPS_PROXY"))
        }
        told = kept | {"PATH": f"{self.tools}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder / "data")}
        for one in self.final.environment if more is not None else ():
            name, _, value = one.partition("=")
            told[name] = self.here(value).replace("$PATH", told["PATH"])
        return told | (more or {})

    def run(self, command: str) -> str:
        """One RUN line, in the directory of the sources."""
        done = subprocess.run(
            ["sh", "-c", self.here(command)],
            cwd=self.source,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"RUN {command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout


def serve(image: Image, more: dict[str, str], grace: float) -> None:
    """CMD with the image's environment: healthy by HEALTHCHECK, and gone in time after STOPSIGNAL."""
    environment = image.environment(more)
    log = image.folder / "log"
    with log.open("w") as said:
        hub = subprocess.Popen(
            [shutil.which(image.final.command[0], path=environment["PATH"]) or "", *image.final.command[1:]],
            cwd=image.folder / "data",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        end = time.monotonic() + PATIENCE
        python = shutil.which(image.final.health[0], path=environment["PATH"]) or ""
        while subprocess.run([python, *image.final.health[1:]], env=environment, capture_output=True).returncode:
            assert hub.poll() is None and time.monotonic() < end, log.read_text()
        hub.send_signal(signal.SIGTERM)
        assert hub.wait(grace) == 0, log.read_text()
    finally:
        if hub.poll() is None:
            hub.kill()
            hub.wait()


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_image_serves_alone_and_with_what_compose_tells_it() -> None:
    with ExitStack() as stack:
        image = Image(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="su-"))))
        for command in (*image.build.runs, *image.final.runs):
            image.run(command)
        postgres, redis = stack.enter_context(outside.postgres()), stack.enter_context(outside.redis())
        asyncio.run(_make_database(postgres))
        stack.enter_context(port_of_the_hub())
        serve(image, {}, 10)
        assert list((image.folder / "data").glob("*.sqlite3"))
        asked = services()["hub-1"]
        told = {name: _filled_in(value, postgres, redis) for name, value in asked["environment"].items()}
        serve(image, told, float(asked["stop_grace_period"].removesuffix("s")))


def _filled_in(value: str, postgres: str, redis: str) -> str:
    """A value of compose's environment with its variables, and the services' names where they are here."""
    given = {"HUB_HOST": "hub.example.com", "POSTGRES_PASSWORD": "secret"}
    value = re.sub(r"\$\{(\w+)(?::\?[^}]*)?\}", lambda found: given[found[1]], value)
    value = value.replace("@postgres/", f"@{postgres.partition('@')[2].partition('/')[0]}/")
    return value.replace("redis://redis:6379", redis.removesuffix("/0"))


async def _make_database(server: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(server)
    try:
        await connection.execute("CREATE DATABASE hub")
    finally:
        await connection.close()


def test_compose_says_what_each_service_needs() -> None:
    found = services()
    assert set(found) == {"hub-1", "hub-2", "proxy", "postgres", "redis"}
    assert found["hub-1"] == found["hub-2"]
    depended = found["hub-1"]["depends_on"]
    assert set(depended) <= set(found)
    assert all("healthcheck" in found[name] for name, how in depended.items() if how["condition"] == "service_healthy")
    top = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    mounted = {volume.partition(":")[0] for service in found.values() for volume in service.get("volumes", ())}
    files = {name for name in mounted if name.startswith(".")}
    assert mounted - files == set(top["volumes"])
    assert all((DEPLOY / name).is_file() for name in files)
    dockerfile = found["hub-1"]["build"]
    assert (DEPLOY / dockerfile["context"] / dockerfile["dockerfile"]).resolve() == DEPLOY / "Containerfile"


def test_the_proxy_knows_both_hubs_and_leaves_out_the_one_that_is_away() -> None:
    """Of 60 requests 28 failed when one hub was stopped: nobody looked after the hubs, and nothing was tried again."""
    found = services()
    said = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    (upstreams,) = re.findall(r"reverse_proxy (.+) \{", said)
    assert upstreams.split() == [f"{name}:8420" for name in found if name.startswith("hub-")]
    (tried,) = re.findall(r"lb_try_duration (\d+)s", said)
    (grace,) = {one["stop_grace_period"] for name, one in found.items() if name.startswith("hub-")}
    assert int(tried) > int(grace.removesuffix("s")), "longer than a hub takes to end"
    assert "fail_duration" in said and "health_uri /healthz" in said
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in found["proxy"]["volumes"] and "command" not in found["proxy"]
