"""The protocol's own test programs, from npm at pinned versions, kept in `.cache/` of the repository."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "conformance"
INSTALL_SECONDS = 300
NODE_WANTED = (22, 19)
HOME = os.environ.get("HOME", "")
"""The person's own, where npm has its settings and its cache; read before a test's home takes its place."""


def program(name: str) -> list[str]:
    """The command of `conformance` or `mcp-inspector`. Skips the test where npm or the network is missing."""
    return [node(), str(installed(HERE) / "node_modules" / ".bin" / name)]


def node() -> str:
    """The machine's node when it is new enough, else one of ours."""
    own = shutil.which("node")
    if own and _version(own) >= NODE_WANTED:
        return own
    folder = installed(HERE / "node") / "node_modules"
    found = [path for path in folder.glob("node-*/bin/node") if _version(str(path)) >= NODE_WANTED]
    if not found:
        pytest.skip(f"there is no node {NODE_WANTED[0]} for {platform.system()} {platform.machine()}")
    return str(found[0])


def _version(path: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30).stdout
    except OSError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


def installed(manifest: Path) -> Path:
    """The folder with the packages of a manifest; a changed lock gets a new folder."""
    digest = hashlib.sha256((manifest / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = CACHE / f"{manifest.name}-{digest}"
    npm = shutil.which("npm")
    if not (folder / ".complete").exists():
        if npm is None:
            pytest.skip("there is no npm to install the protocol's test programs with")
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes want it at once
            if not (folder / ".complete").exists():
                _install(npm, manifest, folder)
    return folder


def _install(npm: str, manifest: Path, folder: Path) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(manifest / name, folder)
    command = [npm, "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command += ["--fetch-retries=0", "--fetch-timeout=30000"]  # without a network the tests are skipped soon
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            env=os.environ | {"HOME": HOME},
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm took longer than {INSTALL_SECONDS} s")
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        pytest.skip(f"npm cannot install the protocol's test programs: {said[0] if said else done.returncode}")
    (folder / ".complete").touch()


def environment() -> dict[str, str]:
    """Ours, with the chosen node first on the path, because some of the programs start others."""
    return os.environ | {"PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"}
