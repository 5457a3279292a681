"""The token for a host: from the environment, from `gh`, or from the keychain. It is handed on in one header only.

Whatever is found is kept out of logs and messages from then on (config/redaction.py). A token of github.com is never
offered to another host, as `gh` does it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping

from ...config import credentials
from ...config.redaction import hide
from ...missions.errors import SignedOut
from ...system import programs
from ...system.environment import clean
from .hosts import is_public

GH_SECONDS = 15.0
_PUBLIC = ("GH_TOKEN", "GITHUB_TOKEN")
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_NOT_FOR_GH = frozenset({"GH_DEBUG", "DEBUG", "GH_HOST", "GH_REPO"})
_TOKEN = re.compile(r"[\x21-\x7e]{8,}")
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]*")


def token(host: str, environment: Mapping[str, str] | None = None) -> str:
    """The token for that host; SignedOut says how to sign in when there is none."""
    found = _from_environment(host, os.environ if environment is None else environment)
    found = found or _from_gh(host) or _from_keychain(host)
    if found is None:
        raise SignedOut(
            f"There is no token for {host}",
            why="pull requests need access to its API",
            todo=f"`gh auth login --hostname {host}`, or set {variables(host)[0]}",
        )
    hide(found)
    return found


def variables(host: str) -> tuple[str, ...]:
    """The environment variables that hold a token for that host."""
    return _PUBLIC if is_public(host) else _ENTERPRISE


def keychain_name(host: str) -> str:
    """What the keychain calls the token of that host."""
    return f"github:{host}"


def gh() -> str | None:
    """The path of GitHub's own program, where it is installed."""
    return programs.find("gh")


def _from_environment(host: str, environment: Mapping[str, str]) -> str | None:
    return next((found for name in variables(host) if (found := _usable(environment.get(name)))), None)


def _from_gh(host: str) -> str | None:
    program = gh()
    if program is None or not _HOST.fullmatch(host):
        return None
    try:
        done = subprocess.run(
            [program, "auth", "token", "--hostname", host],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GH_SECONDS,
            check=False,
            text=True,
            env=gh_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _usable(done.stdout) if done.returncode == 0 else None


def gh_environment() -> dict[str, str]:
    """Ours, for `gh`: it asks nothing, looks for no newer version of itself and prints no protocol."""
    kept = {name: value for name, value in clean(os.environ).items() if name not in _NOT_FOR_GH}
    return kept | {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}


def _from_keychain(host: str) -> str | None:
    try:
        return _usable(credentials.get(keychain_name(host)))
    except credentials.NoKeychain:
        return None


def _usable(text: str | None) -> str | None:
    """A token, if it is one: what could break out of a header is none."""
    stripped = (text or "").strip()
    return stripped if _TOKEN.fullmatch(stripped) else None
