"""The places of a mission's work, one key each: a shell or the editor in its worktree, its pull request."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from ...config.settings import Settings
from ...missions.errors import SoloUnicornError

OPENS = 3.0
"""Seconds within which a program says that it cannot show something; one that runs on shows it."""


def open_shell(app: App[Any], directory: str) -> None:
    """The person's shell in a directory, until they leave it."""
    _step_aside(app, shlex.split(os.environ.get("SHELL") or "/bin/sh"), directory, "SHELL")


def open_editor(app: App[Any], directory: str, settings: Settings) -> None:
    """The person's editor on a directory."""
    chosen = settings.editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        _step_aside(app, [*shlex.split(chosen), "."], directory, "`editor` in the settings")
    except ValueError as error:
        app.notify(f"{chosen!r} is no command: {error}", severity="error", markup=False)


async def open_outside(target: str) -> None:
    """Hand a file or an address to the program that the system has for it, which may stay open as long as it likes.

    SoloUnicornError when it could not be shown.
    """
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    with tempfile.TemporaryFile() as said:
        try:
            process = await asyncio.create_subprocess_exec(
                opener, target, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
            )
        except OSError as error:
            raise SoloUnicornError(f"{opener} cannot be started", why=str(error), todo=f"it is at {target}") from error
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), OPENS)
        if process.returncode:
            said.seek(0)
            why = said.read()[-200:].decode(errors="replace").strip()
            raise SoloUnicornError(f"{opener} could not show it", why=why, todo=f"it is at {target}")


def _step_aside(app: App[Any], command: list[str], directory: str, setting: str) -> None:
    if not Path(directory).is_dir():
        app.notify(f"{directory} is not there any more.", severity="warning", markup=False)
        return
    try:
        with app.suspend():
            subprocess.call(command, cwd=directory)
    except SuspendNotSupported:
        app.notify(f"No terminal of your own is here. It is in {directory}", severity="warning", markup=False)
    except OSError as error:
        app.notify(f"{command[0]} cannot be started: {error}. Look at {setting}.", severity="error", markup=False)
    finally:
        app.refresh()
