"""What the real command line makes of words that something else would have it run."""

from __future__ import annotations

from importlib import import_module

from solo_unicorn.cli.parsing import Options, Parser
from solo_unicorn.cli.table import COMMANDS


def parse(noun: str, verb: str, *rest: str) -> Options:
    """The options that a command reads from its words; UsageError when it does not take them. No verb is ""."""
    module = import_module(f"solo_unicorn.cli.{COMMANDS[noun][1][verb][0]}")
    parser = Parser(prog=f"solo-unicorn {noun} {verb}".strip(), description="")
    module.COMMANDS[verb or noun].arguments(parser)
    return parser.parse_args(rest)
