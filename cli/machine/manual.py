"""`man`: the manual page, made from the table of commands and from their parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

from ... import __version__
from ...missions.errors import UsageError
from ..parsing import Command, Options, Parser, load
from ..table import COMMANDS as TABLE

HEAD: Final = r""".TH SOLO-UNICORN 1 "" "Solo Unicorn {version}" "User Commands"
.SH NAME
solo\-unicorn \- a terminal kanban that runs your code agents in git worktrees
.SH SYNOPSIS
.B solo\-unicorn
[\fB\-p\fR \fIPROJECT\fR]
.br
.B solo\-unicorn
.I NOUN
[\fIVERB\fR] [\fIOPTIONS\fR]
.SH DESCRIPTION
Without a command it opens the board: missions in five lists, the agents that work on them, and what waits for you.
The key ? shows the keys of the current screen. Every screen has a command, and every command that prints data takes
.B \-\-json
and
.BR \-q .
A mission is named by its number, as in M\-12. If no project is named, it is the one of the current directory,
otherwise the only one.
.SH COMMANDS
"""
TAIL: Final = r""".SH EXIT STATUS
0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 signed out, 6 offline, 75 try again
.SH ENVIRONMENT
.TP
.B SOLO_UNICORN_HOME
The directory for all data; ~/.solo\-unicorn by default.
.TP
.B NO_COLOR
Turns off colours, whatever the terminal supports.
.TP
.B SOLO_UNICORN_MARKS
.I plain
draws the screens with ASCII characters only.
.SH FILES
.TP
.I ~/.solo\-unicorn/config.toml
The settings; `solo\-unicorn config list` explains each.
"""
COMMON: Final = frozenset({"help", "json", "quiet"})
"""Options that every command takes."""


def _arguments(parser: Parser) -> None:
    """It takes none of its own."""


def _run(options: Options) -> None:
    if options.json:
        raise UsageError("A manual page is not data", todo="leave out --json")
    print(page(), end="")


def page() -> str:
    """The page, for man(1)."""
    return HEAD.format(version=__version__) + "\n".join(_commands()) + "\n" + TAIL


def _commands() -> Iterator[str]:
    for noun, (sentence, verbs) in TABLE.items():
        yield f".SS {_plain(noun)}"
        yield _plain(sentence)
        for verb in verbs:
            _, parser = load(noun, verb)
            own = [one for one in parser._actions if one.dest not in COMMON and one.help is not argparse.SUPPRESS]
            taken = [_placeholder(one) for one in own if not one.option_strings]
            yield ".TP"
            yield " ".join([f"\\fBsolo\\-unicorn {_plain(' '.join((noun, verb)).rstrip())}\\fR", *taken])
            yield _plain(parser.description or sentence)
            for one in own:
                if one.option_strings:
                    yield ".RS\n.TP"
                    names = ", ".join(f"\\fB{_plain(name)}\\fR" for name in one.option_strings)
                    yield names + (f" {_placeholder(one)}" if one.nargs != 0 else "")
                    yield _plain(one.help or "") + "\n.RE"


def _placeholder(action: argparse.Action) -> str:
    if action.choices is not None:
        return _plain("|".join(map(str, action.choices)))
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    said = f"\\fI{_plain(name)}\\fR"
    return {"?": f"[{said}]", "*": f"[{said} ...]", "+": f"{said} ..."}.get(str(action.nargs), said)


def _plain(text: str) -> str:
    """Text that roff takes as it is."""
    text = text.replace("%%", "%").replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return f"\\&{text}" if text.startswith((".", "'")) else text


COMMANDS = {"man": Command(_arguments, _run)}
