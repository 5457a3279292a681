"""A hub as a program on a disk of a few megabytes, which a test can fill and empty while the hub runs.

The disk is mounted in a namespace of the hub's own, so no rights are needed; its files are reached through `/proc`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from .outside import free_port

DISK = "mount -t tmpfs -o size={size} tmpfs {place} && exec {command}"


@dataclass
class SmallDisk:
    process: subprocess.Popen[str]
    url: str
    data: Path
    """The data directory, as the hub sees it."""

    def fill(self) -> None:
        """Take all the room there is."""
        descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        os.write(descriptor, bytes(size))
                except OSError:
                    pass
        finally:
            os.close(descriptor)

    def empty(self) -> None:
        """Give it back."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return Path(f"/proc/{self.process.pid}/root{self.data}/filler")


@contextmanager
def hub_on_a_small_disk(data: Path, *, size: str = "6m", **settings: str) -> Iterator[SmallDisk]:
    """The hub at its defaults but for the directory of its data; skipped where nothing may be mounted."""
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    data.mkdir(parents=True)
    can = shutil.which("unshare") and not subprocess.run([*apart, "mount", "-t", "tmpfs", "tmpfs", data]).returncode
    if not can:
        pytest.skip("the system lets nobody mount a disk of their own (user namespaces)")
    port = free_port()
    hub = f"{sys.executable} -m solo_unicorn hub --port {port} --data-dir {data}"
    process = subprocess.Popen(
        [*apart, "sh", "-c", DISK.format(size=size, place=data, command=hub)],
        env=os.environ | {f"SOLO_UNICORN_HUB_{name.upper()}": value for name, value in settings.items()},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        assert "The hub listens at" in process.stderr.readline()
        yield SmallDisk(process, f"http://127.0.0.1:{port}", data)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def token_of(disk: SmallDisk) -> str:
    """A new person's token, made by the operator's commands beside the hub, on the same disk."""
    inside = ["nsenter", "--user", "--preserve-credentials", "--mount", "-t", str(disk.process.pid)]
    run = [*inside, sys.executable, "-m", "solo_unicorn", "hub"]
    for words in (("user", "add", "you@example.com"), ("token", "create", "you@example.com")):
        done = subprocess.run([*run, *words, "--data-dir", str(disk.data)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def signed_in(disk: SmallDisk) -> httpx.Client:
    return httpx.Client(base_url=disk.url, headers={"Authorization": f"Bearer {token_of(disk)}"}, timeout=30)
