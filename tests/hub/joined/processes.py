"""Hubs as programs of their own, as an operator starts them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ..outside import free_port


@dataclass
class Program:
    process: subprocess.Popen[bytes]
    url: str

    @property
    def sockets(self) -> str:
        return self.url.replace("http", "ws") + "/ws/v1"


def command(directory: Path, *words: str, database_url: str = "", said: str = "", **environment: str) -> str:
    """`solo-unicorn hub …` run to its end; what it printed."""
    more = ["--database-url", database_url] if database_url else []
    done = subprocess.run(
        [sys.executable, "-m", "solo_unicorn", "hub", *words, "--data-dir", str(directory), *more],
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"SOLO_UNICORN_HOME": str(directory / "home")} | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@asynccontextmanager
async def program(directory: Path, *, database_url: str = "", port: int = 0, **options: str) -> AsyncIterator[Program]:
    port = port or free_port()
    settings = {"RATE_LIMITS": "off"} | options
    environment = os.environ | {f"SOLO_UNICORN_HUB_{name.upper()}": value for name, value in settings.items()}
    words = ["hub", "--port", str(port), "--data-dir", str(directory)]
    words += ["--database-url", database_url] if database_url else []
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "solo_unicorn", *words],
        env=environment | {"SOLO_UNICORN_HOME": str(directory / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(60):
            while True:
                assert process.poll() is None, "the hub has ended"
                try:
                    if (await http.get(url + "/readyz")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        yield Program(process, url)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(20)
