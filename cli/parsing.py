"""How commands read their arguments: argparse, with our errors and the options that all share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from ..missions.errors import UsageError
from ..missions.naming import choices, nearest
from ..missions.records import record
from .table import COMMANDS

Options = argparse.Namespace


@record
class Command:
    """One verb: the arguments it takes, and what it does with them; returns the exit code (None is 0)."""

    arguments: Callable[[Parser], None]
    run: Callable[[Options], int | None]


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are errors in three parts; the options of every command are there from the start."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False, formatter_class=_formatter)
        self.add_argument("--json", action="store_true", help='print {"data": …, "meta": …}')
        self.add_argument("-q", "--quiet", action="store_true", help="print only ids, or nothing")

    def parse_args(self, words: Sequence[str] | None = None, into: None = None) -> Options:  # type: ignore[override]
        """The options in the words; UsageError names what is not taken, and what is nearest to it."""
        options, rest = self.parse_known_args(words)
        if rest:
            wrong = next((word for word in rest if word.startswith("-")), rest[0]).partition("=")[0]
            what = f"does not take {'the option ' if wrong.startswith('-') else ''}{wrong}"
            known = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
            raise self._refusal(what, why=nearest(wrong, known) if wrong.startswith("-") else "")
        return options

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments (exit code 2)."""
        raise self._refusal(message.removeprefix("argument "))

    def _refusal(self, what: str, *, why: str = "") -> UsageError:
        name = self.prog.removeprefix("solo-unicorn ")
        joined = " " if what.startswith("does ") else ": "
        return UsageError(f"`{name}`{joined}{what}", why=why, todo=f"`{self.prog} --help` shows its options")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """A value that is not among the choices of its option."""
        if action.choices is not None and value not in action.choices:
            option = "/".join(action.option_strings) or action.metavar or action.dest
            known = [str(one) for one in action.choices]
            raise UsageError(
                f"{value!r} is not a valid value of {option}", why=nearest(str(value), known), todo=choices(known)
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
    """The option that chooses the project a command is about (opening.project_of)."""
    parser.add_argument(
        "-p",
        "--project",
        metavar="PROJECT",
        help="its name, slug or id; default: that of this directory, otherwise the only one",
    )


def takes_project_first(parser: Parser) -> None:
    """The same as a word of its own, for commands whose subject is the project; the option is taken too."""
    parser.add_argument(
        "project", nargs="?", default=argparse.SUPPRESS, metavar="PROJECT", help="the same as --project"
    )
    takes_project(parser)


def may_take_project(parser: Parser) -> None:
    """The option that narrows to one project what is told of all."""
    parser.add_argument("-p", "--project", metavar="PROJECT", help="only this project; default: all")


def takes_yes(parser: Parser) -> None:
    """The option that answers the question of a command that cannot be undone."""
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def confirmed(options: Options, question: str) -> bool:
    """Whether the person wants it; without a terminal nothing is asked and UsageError says what to add."""
    import sys

    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            "Confirmation required", why="this cannot be undone, and standard input is not a terminal", todo="add --yes"
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def takes_first_commit(parser: Parser) -> None:
    """The option that begins a repository without a commit."""
    parser.add_argument(
        "--first-commit",
        action="store_true",
        help="make an empty first commit in a repository that has none; its files are not changed",
    )


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


def load(noun: str, verb: str) -> tuple[Command, Parser]:
    """A command with the parser of its words; `verb` is "" where a noun has none. Imports the module that holds it."""
    sentence, verbs = COMMANDS[noun]
    module, about = verbs[verb]
    command: Command = import_module(f".{module}", __package__).COMMANDS[verb or noun]
    parser = Parser(prog=f"solo-unicorn {noun} {verb}".rstrip(), description=about or sentence)
    command.arguments(parser)
    return command, parser
