"""The programs of the hub's bench, each on a free port: a hub, and the bare route."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

HERE = Path(__file__).parent
UNLIMITED = {"SOLO_UNICORN_HUB_RATE_LIMITS": "off", "SOLO_UNICORN_HUB_LOG_LEVEL": "warning"}


@asynccontextmanager
async def hub_process(url: str) -> AsyncIterator[tuple[str, int]]:
    """A hub on a database: its address and its process id."""
    with tempfile.TemporaryDirectory(prefix="su-bench-hub-") as home:
        port = free_port()
        command = [sys.executable, "-m", "solo_unicorn", "hub", "--port", str(port), "--data-dir", home]
        async with _running([*command, "--database-url", url], f"http://127.0.0.1:{port}", "/readyz") as pid:
            yield f"http://127.0.0.1:{port}", pid


@asynccontextmanager
async def bare_process(url: str, page: int) -> AsyncIterator[tuple[str, int]]:
    """The bare route on a database: its address and its process id."""
    port = free_port()
    command = [sys.executable, str(HERE / "hub_bare.py"), url, str(port), str(page)]
    async with _running(command, f"http://127.0.0.1:{port}", "/") as pid:
        yield f"http://127.0.0.1:{port}", pid


def free_port() -> int:
    """Where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _running(command: list[str], base: str, ready: str) -> AsyncIterator[int]:
    """Its process id, once it answers; ended with SIGTERM."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env={**os.environ, **UNLIMITED}, stdout=quiet, stderr=quiet)  # noqa: ASYNC220
    try:
        await _until_open(base + ready, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


async def _until_open(address: str, process: subprocess.Popen[bytes]) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(60):
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"the server has ended with {process.returncode}: {process.args!r}")
            with suppress(httpx.TransportError):
                if (await http.get(address)).status_code != 503:
                    return
            await asyncio.sleep(0.05)
