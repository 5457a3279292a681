"""`solo-unicorn` without a command: the board."""

from __future__ import annotations

import sys
from pathlib import Path

from ..missions.errors import UsageError


def run(project: str | None = None) -> int:
    """Open the board until the person closes it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The board needs a terminal",
            why="standard input or output is not a terminal",
            todo="use the commands instead: `solo-unicorn mission list`, `solo-unicorn --help`",
        )
    from ..tui.start.open_board import open_board

    try:
        directory: Path | None = Path.cwd()
    except OSError:  # the directory is gone
        directory = None
    return open_board(project=project, directory=directory)
