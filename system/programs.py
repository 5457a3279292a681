"""Where programs are: on the PATH, and where people's version managers and installers put them.

A service that was started at login, by cron or by an editor has not what a terminal's shell adds to the PATH. Whoever
looks for a program asks here, so that a scan in a terminal and a run of the service find the same.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from .environment import person

_PLACES = (
    "~/.local/bin",
    "~/bin",
    "$VOLTA_HOME/bin",
    "~/.volta/bin",
    "$NVM_BIN",
    "$NVM_DIR/versions/node/*/bin",
    "~/.nvm/versions/node/*/bin",
    "$FNM_DIR/node-versions/*/installation/bin",
    "~/.local/share/fnm/node-versions/*/installation/bin",
    "~/.fnm/node-versions/*/installation/bin",
    "~/Library/Application Support/fnm/node-versions/*/installation/bin",
    "~/.local/share/mise/shims",
    "~/.local/share/mise/installs/node/*/bin",
    "~/.asdf/shims",
    "~/.nodenv/shims",
    "~/.n/bin",
    "$N_PREFIX/bin",
    "$BUN_INSTALL/bin",
    "~/.bun/bin",
    "$PNPM_HOME",
    "~/.local/share/pnpm",
    "~/.local/share/pnpm/bin",
    "~/Library/pnpm",
    "~/.yarn/bin",
    "~/.config/yarn/global/node_modules/.bin",
    "~/.deno/bin",
    "~/.npm-global/bin",
    "~/.npm-packages/bin",
    "~/.npm/bin",
    "~/.cargo/bin",
    "~/go/bin",
    "~/.nix-profile/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/usr/local/bin",
    "/snap/bin",
)
"""Below the home or a variable of the manager; of several versions (`*`) the newest comes first."""


def find(name: str) -> str | None:
    """The absolute path of a program by name, or of one given by its path; None when there is none."""
    where = os.pathsep.join([person().get("PATH", os.defpath), *places()])
    found = shutil.which(Path(name).expanduser(), path=where)
    return str(Path(found).absolute()) if found else None


def path_with(program: str) -> str:
    """The PATH for a program: what a script beside it needs (`#!/usr/bin/env node`) is found, its own directory first
    where the person's PATH has it not."""
    known = [entry for entry in person().get("PATH", os.defpath).split(os.pathsep) if entry]
    own = str(Path(program).parent)
    first = [own] if Path(program).is_absolute() and own not in known else []
    return os.pathsep.join(dict.fromkeys([*first, *known, *places()]))


def places() -> list[str]:
    """The directories beyond the PATH that are there."""
    environment = person()
    found: list[str] = []
    for place in (*_PLACES, *_npm_prefixes()):
        variable, _, rest = place.partition("/")
        if variable.startswith("$"):
            if not (value := environment.get(variable[1:])):
                continue
            place = f"{value}/{rest}" if rest else value
        with suppress(RuntimeError):  # no home
            found += _expanded(Path(place).expanduser())
    return list(dict.fromkeys(found))


def _expanded(place: Path) -> list[str]:
    """A directory, or, where its path has a `*`, those of each version, newest first."""
    if "*" not in place.parts:
        return [str(place)] if place.is_dir() else []
    at = place.parts.index("*")
    above, below = Path(*place.parts[:at]), Path(*place.parts[at + 1 :])
    if not above.is_dir():
        return []
    with suppress(OSError):
        versions = sorted(above.iterdir(), key=lambda one: [int(part) for part in re.findall(r"\d+", one.name)])
        return [str(one / below) for one in reversed(versions) if (one / below).is_dir()]
    return []


def _npm_prefixes() -> list[str]:
    """Where npm installs what is global, as the person's `.npmrc` says."""
    environment = person()
    found = [environment[name] for name in ("NPM_CONFIG_PREFIX", "npm_config_prefix") if environment.get(name)]
    with suppress(OSError, RuntimeError, UnicodeDecodeError):
        written = (Path.home() / ".npmrc").read_text(encoding="utf-8")
        found += re.findall(r"^\s*prefix\s*=\s*[\"']?(.+?)[\"']?\s*$", written, re.MULTILINE)
    return [f"{os.path.expandvars(prefix)}/bin".replace("${HOME}", "~") for prefix in found]
