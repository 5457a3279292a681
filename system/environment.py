"""The environment of the programs we start: the person's own, without what the place we were started from added to it.

A service may be started from a git hook, an editor's terminal, an activated virtual environment or a package script.
What those set is about them: `GIT_DIR` would send an agent's commit into another repository, an askpass program of an
editor that was closed hangs. What the person's login shell sets (locale, keys, PATH) is theirs and is passed on.
"""

from __future__ import annotations

import os
import pwd
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

LOGIN_SECONDS = 5.0
"""How long a login shell may take to say what it sets; after that we go without."""

_KEPT = re.compile(
    r"GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|PROXY_\w+|HTTP_\w+|TEST_\w+)$"
)
"""Where git's settings are and how it reaches a remote: of the machine, not of a place."""
_OF_A_PLACE = re.compile(
    r"(GIT_\w+|EDITOR|VISUAL|SUDO_ASKPASS|SSH_ASKPASS(_REQUIRE)?|VSCODE_\w+|ELECTRON_RUN_AS_NODE|NODE_OPTIONS|INIT_CWD"
    r"|VIRTUAL_ENV(_\w+)?|PYTHONHOME|PYTHONPATH|PYTHONSTARTUP|__PYVENV_LAUNCHER__|PIPENV_ACTIVE|POETRY_ACTIVE"
    r"|CONDA_(PREFIX(_\d+)?|DEFAULT_ENV|SHLVL|PROMPT_MODIFIER)|(npm|pnpm|bun|yarn)_(config|package|lifecycle)_\w+"
    r"|npm_(node_)?execpath|npm_command|BUNDLE_GEMFILE|BUNDLER_\w+|RUBYOPT|MAKEFLAGS|MAKELEVEL|MFLAGS)$"
)
_OF_A_SHELL = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})
_MARK = b"solo-unicorn-environment:"
_TELL = f"printf {_MARK.decode()}; command env -0; printf {_MARK.decode()}"


def person() -> dict[str, str]:
    """The environment for agents, scripts and checks: ours, cleaned, with what the person's login shell adds."""
    now = clean(os.environ)
    return with_login(now, _login_of(tuple(sorted(now.items()))))


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Without the variables of a place (a repository, an editor, a virtual environment), and without its programs."""
    kept = {name: value for name, value in environ.items() if _KEPT.match(name) or not _OF_A_PLACE.match(name)}
    if "PATH" in kept:
        foreign = [environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if environ.get(name)]
        kept["PATH"] = os.pathsep.join(
            entry
            for entry in kept["PATH"].split(os.pathsep)
            if not entry.endswith("node_modules/.bin") and not any(entry == f"{one}/bin" for one in foreign)
        )
    return kept


def with_login(now: Mapping[str, str], login: Mapping[str, str]) -> dict[str, str]:
    """What a login shell says, where it says anything; programs are looked for where we were told first."""
    added = {name: value for name, value in login.items() if name not in _OF_A_SHELL and name not in _ours(now)}
    places = [*now.get("PATH", "").split(os.pathsep), *login.get("PATH", "").split(os.pathsep)]
    path = os.pathsep.join(dict.fromkeys(place for place in places if place))
    return {**now, **added, **({"PATH": path} if path else {})}


def _ours(now: Mapping[str, str]) -> set[str]:
    """What says which workspace this is, and where its person is at home."""
    return {name for name in now if name.startswith("SOLO_UNICORN_") or name == "HOME"}


@cache
def _login_of(now: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """What the person's login shell makes of an environment, asked once; empty when it does not say so in time."""
    environ = dict(now)
    shell = environ.get("SHELL") or _shell()
    if not Path(shell).is_file() or Path(shell).name in ("false", "nologin", "true"):
        return {}
    try:
        asked = subprocess.Popen(
            [shell, "-l", "-i", "-c", _TELL],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
    except OSError:
        return {}
    try:
        out = _read(asked)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(asked.pid, signal.SIGKILL)
        asked.wait()
    parts = out.split(_MARK)
    pairs = (os.fsdecode(pair).partition("=") for pair in parts[-2].split(b"\0")) if len(parts) > 2 else ()
    return {name: value for name, _, value in pairs if name}


def _read(asked: subprocess.Popen[bytes]) -> bytes:
    """What it prints up to our second mark; what its files left in the background is not waited for."""
    assert asked.stdout is not None
    out, until = bytearray(), time.monotonic() + LOGIN_SECONDS
    with asked.stdout as stream:
        while out.count(_MARK) < 2:
            left = until - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                break
            data = os.read(stream.fileno(), 1 << 16)
            if not data:
                break
            out += data
    return bytes(out)


def _shell() -> str:
    """The login shell of the account."""
    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return ""
