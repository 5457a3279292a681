"""A shell or the editor of the person in the worktree of a mission, while the application steps aside."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from ...config.settings import Settings


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
