"""Entering this server in a client's settings, taking it out, and saying where it stands.

Through the client's own command where it has one, else in its file. Either way the file is copied first, what else
stands in it stays, and doing it again changes nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...config import paths
from ...missions.entities import Json, JsonObject
from ...missions.errors import NotFound, SoloUnicornError
from . import jsonc, toml
from .clients import CLIENTS, NAME, ClientEntry, KnownClient, Scope, entry
from .files import backup, write

Outcome = Literal["installed", "replaced", "already", "removed", "absent"]
State = Literal["ready", "other", "absent", "unreadable"]
COMMAND_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Done:
    """What became of it. With `dry`, what would."""

    client: str
    scope: Scope
    outcome: Outcome
    file: Path
    command: tuple[str, ...] = ()
    """The client's own, when it was used."""
    backup: Path | None = None
    dry: bool = False


@dataclass(frozen=True, slots=True)
class InstallState:
    """Whether a client knows us in one scope."""

    client: str
    title: str
    program: str | None
    """Where its program is; None when it is not on the path."""
    scope: Scope
    file: Path
    state: State
    command: tuple[str, ...] = ()
    """What its entry starts."""


def install(name: str, scope: Scope, project: Path, *, dry: bool = False) -> Done:
    """Enter us. NotFound for a client we do not know; SoloUnicornError when its file or command refuses."""
    client = _client(name)
    file, wanted = client.file(scope, project), entry(scope)
    present = _entries(client, file).get(NAME)
    if isinstance(present, dict) and client.read(present) == wanted:
        return Done(name, scope, "already", file, dry=dry)
    outcome: Outcome = "installed" if present is None else "replaced"
    command = _command(client, client.add(scope, wanted))
    if dry:
        return Done(name, scope, outcome, file, command, dry=True)
    copy = _backup(client, scope, file)
    if command:
        if present is not None:
            _run(client, _command(client, client.remove(scope)), project)
        _run(client, command, project)
    else:
        write(file, _editor(file).with_value(_text(file), (*client.path, NAME), client.write(wanted)))
    _check(client, file, wanted, copy)
    return Done(name, scope, outcome, file, command, copy)


def uninstall(name: str, scope: Scope, project: Path, *, dry: bool = False) -> Done:
    """Take our entry out, whatever it starts."""
    client = _client(name)
    file = client.file(scope, project)
    if NAME not in _entries(client, file):
        return Done(name, scope, "absent", file, dry=dry)
    command = _command(client, client.remove(scope))
    if dry:
        return Done(name, scope, "removed", file, command, dry=True)
    copy = _backup(client, scope, file)
    if command:
        _run(client, command, project)
    else:
        left = _editor(file).without(_text(file), (*client.path, NAME))
        if _says_nothing(left, client.path):
            file.unlink()
        else:
            write(file, left)
    _check(client, file, None, copy)
    return Done(name, scope, "removed", file, command, copy)


def status(name: str, scope: Scope, project: Path) -> InstallState:
    """Where we stand with one client, read from its file: its program is not started."""
    client = _client(name)
    file = client.file(scope, project)
    program = shutil.which(client.program)
    try:
        present = _entries(client, file).get(NAME)
    except SoloUnicornError:
        return InstallState(name, client.title, program, scope, file, "unreadable")
    found = client.read(present) if isinstance(present, dict) else None
    state: State = "absent" if present is None else "ready" if found == entry(scope) else "other"
    return InstallState(name, client.title, program, scope, file, state, found.command if found else ())


def project_root(start: Path) -> Path:
    """The checkout that holds `start`, else `start` itself: where clients look for a project's settings."""
    return next((place for place in (start, *start.parents) if (place / ".git").exists()), start)


def _client(name: str) -> KnownClient:
    try:
        return CLIENTS[name]
    except KeyError:
        raise NotFound(f"{name!r} is not a known MCP client", todo=f"choose from: {', '.join(CLIENTS)}") from None


def _entries(client: KnownClient, file: Path) -> JsonObject:
    """The servers its file names; SoloUnicornError when it cannot be read."""
    try:
        found: Json = _editor(file).read(_text(file))
    except (ValueError, OSError) as problem:
        raise SoloUnicornError(
            f"The settings of {client.title} in {file} cannot be read",
            why=str(problem),
            todo="fix the file first; nothing was changed",
        ) from problem
    for name in client.path:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _editor(file: Path) -> type[jsonc.JsonEditor] | type[toml.TomlEditor]:
    return toml.TomlEditor if file.suffix == ".toml" else jsonc.JsonEditor


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _says_nothing(text: str, path: Sequence[str]) -> bool:
    """Whether nothing is left but the braces around our entry: no other value, and no comment."""
    left = "".join(text.split())
    for name in reversed(path):
        left = "{}" if left == f'{{"{name}":{{}}}}' else left
    return left in ("", "{}", f"[{'.'.join(path)}]")


def _command(client: KnownClient, arguments: Sequence[str] | None) -> tuple[str, ...]:
    """The client's own command, when it has one and its program is here."""
    program = shutil.which(client.program)
    return (program, *arguments) if program and arguments else ()


def _run(client: KnownClient, command: tuple[str, ...], project: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=project,
            env=os.environ | client.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SoloUnicornError(
            f"{client.title} did not accept the entry", why=str(problem), todo="try again"
        ) from problem
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SoloUnicornError(
            f"{client.title} did not accept the entry",
            why=said[-1] if said else f"its command exited with {done.returncode}",
            todo=f"try it by hand: {' '.join(command)}",
        )


def _check(client: KnownClient, file: Path, wanted: ClientEntry | None, copy: Path | None) -> None:
    """Look whether it stands there now: a command may say yes and write elsewhere."""
    present = _entries(client, file).get(NAME)
    if (client.read(present) if isinstance(present, dict) else None) != wanted:
        raise SoloUnicornError(
            f"{client.title} accepted the entry, but {file} does not contain it",
            why="this version keeps its settings elsewhere, or changed the entry",
            todo=f"compare it with {copy}" if copy else "look at its settings",
        )


def _backup(client: KnownClient, scope: Scope, file: Path) -> Path | None:
    return backup(file, paths.backups_dir() / "clients", f"{client.name}-{scope}-{file.name.lstrip('.')}")
