"""The address of a remote: as git rewrites it, and with the host that an alias of ssh stands for."""

from __future__ import annotations

import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path

from ...system.environment import clean
from ..git import Git

SSH_SECONDS = 5.0
_SSH = re.compile(r"^(?P<before>(?:ssh://)?(?:[^@/\s]+@)?)(?P<host>[\w.-]+)(?P<after>(?::\d+)?[:/].*)$")
_GITHUB = re.compile(
    r"^(?:(?:https?|ssh|git)://)?(?:[^@/\s]+@)?(?P<host>[\w.-]*github[\w.-]*)(?::\d+)?[:/]+"
    r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?$"
)


def parse_github(url: str) -> tuple[str, str, str] | None:
    """Host, owner and name of a GitHub (or GitHub Enterprise) URL; None for any other."""
    found = _GITHUB.match(url.strip())
    return (found["host"], found["owner"], found["name"]) if found else None


def remote_of(git: Git, settings: dict[str, str]) -> tuple[str | None, str | None]:
    """The remote of the default branch (`origin`, else the only one, else the first by name) and its address."""
    names = [name[7:-4] for name in settings if name.startswith("remote.") and name.endswith(".url")]
    if not names:
        return None, None
    name = "origin" if "origin" in names else sorted(names)[0]
    url: str | None = settings[f"remote.{name}.url"]
    if any(one.startswith("url.") for one in settings):  # git knows how it is rewritten
        url = git.maybe("remote", "get-url", name, no=(2, 128))
    return name, real(url) if url else None


def real(url: str) -> str:
    """The address with the host that ssh would connect to: people with several accounts name each by an alias."""
    is_ssh = url.startswith("ssh://") or ("://" not in url and "@" in url.partition(":")[0])
    found = _SSH.match(url) if is_ssh else None
    if found is None:
        return url
    config = Path.home() / ".ssh" / "config"
    try:
        written = config.stat().st_mtime_ns
    except OSError:
        return url
    return f"{found['before']}{_host(found['host'], config, written)}{found['after']}"


@lru_cache
def _host(alias: str, config: Path, written: int) -> str:
    """The host of an alias as ssh reads its settings; no connection is made. The same where ssh does not say."""
    command = ["ssh", "-G", "-F", str(config), alias]
    try:
        asked = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SSH_SECONDS,
            check=False,
            env=clean(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return alias
    named = re.search(r"^hostname (\S+)$", asked.stdout.decode("utf-8", "replace"), re.MULTILINE)
    return named[1] if asked.returncode == 0 and named else alias
