"""A shell or the editor of the person in the worktree of a mission, while the application steps aside."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from ...config.settings import Settings

GOTO: Final = frozenset({"code", "code-insiders", "codium", "cursor", "windsurf"})
COLON: Final = frozenset({"subl", "zed", "zeditor", "hx", "helix"})
"""Editors by how they take the line."""


def open_shell(app: App[Any], directory: str) -> None:
    """The person's shell in a directory, until they leave it."""
    _step_aside(app, shlex.split(os.environ.get("SHELL") or "/bin/sh"), directory, "SHELL")


def open_editor(app: App[Any], directory: str, settings: Settings, file: str = "", line: int = 1) -> None:
    """The person's editor on a directory, or on a file in it at a line."""
    chosen = settings.editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        command = shlex.split(chosen)
    except ValueError as error:
        app.notify(f"{chosen!r} is not a valid command: {error}", severity="error", markup=False)
        return
    _step_aside(
        app, [*command, *(at_line(command[0], file, line) if file else ["."])], directory, "`editor` in the settings"
    )


def at_line(program: str, file: str, line: int) -> list[str]:
    """The arguments with which an editor opens a file at a line; `+12 FILE` is understood by most."""
    name = Path(program).name
    if name in GOTO:
        return ["--goto", f"{file}:{line}"]
    return [f"{file}:{line}"] if name in COLON else [f"+{line}", file]


def _step_aside(app: App[Any], command: list[str], directory: str, setting: str) -> None:
    if not Path(directory).is_dir():
        app.notify(f"{directory} no longer exists.", severity="warning", markup=False)
        return
    try:
        with app.suspend():
            subprocess.call(command, cwd=directory)
    except SuspendNotSupported:
        app.notify(
            f"A shell cannot be opened here: there is no terminal. The worktree is {directory}",
            severity="warning",
            markup=False,
        )
    except OSError as error:
        app.notify(f"{command[0]} cannot be started: {error}. Check {setting}.", severity="error", markup=False)
    finally:
        app.refresh()
