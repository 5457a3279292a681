"""How commands read their arguments: argparse, with our errors and the options that all share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from ..missions.errors import UsageError

Options = argparse.Namespace


@dataclass(frozen=True, slots=True)
class Command:
    """One verb: the arguments it takes, and what it does with them; returns the exit code (None is 0)."""

    arguments: Callable[[Parser], None]
    run: Callable[[Options], int | None]


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are errors in three parts; the options of every command are there from the start."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False, formatter_class=_formatter)
        self.add_argument("--json", action="store_true", help='print {"data": …, "meta": …}')
        self.add_argument("-q", "--quiet", action="store_true", help="print the least: ids, or nothing")

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments (exit code 2)."""
        raise UsageError(
            f"{self.prog}: {message.removeprefix('argument ')}", todo=f"`{self.prog} --help` shows what it takes"
        )


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Help as wide as the terminal; argparse would load shutil to ask for that, for every argument that is added."""
    columns = os.environ.get("COLUMNS", "")
    try:
        width = int(columns) if columns.isdigit() else os.get_terminal_size().columns
    except OSError:
        width = 100
    return argparse.HelpFormatter(prog, width=max(40, min(width, 120) - 2))


def nothing(parser: Parser) -> None:
    """A command that takes no arguments of its own."""


def takes_project(parser: Parser) -> None:
    """The option that chooses a project."""
    parser.add_argument(
        "-p",
        "--project",
        metavar="PROJECT",
        help="its name, slug or id; default: that of this directory, else the last one",
    )


def takes_yes(parser: Parser) -> None:
    """The option that answers the question of a command that cannot be undone."""
    parser.add_argument("--yes", action="store_true", help="do not ask")


def confirmed(options: Options, question: str) -> bool:
    """Whether the person wants it; without a terminal nothing is asked and UsageError says what to add."""
    import sys

    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            "This cannot be undone, and there is nobody to ask", why="standard input is no terminal", todo="add --yes"
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def text_from(value: str) -> str:
    """A text argument: itself, or for `-` all of standard input."""
    import sys

    if value != "-":
        return value
    if sys.stdin.isatty():
        print("Type the text, then ctrl+d:", file=sys.stderr)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise UsageError("Standard input is not text", why=str(error), todo="give UTF-8") from error
