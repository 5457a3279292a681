"""What the real command line makes of words that something else would have it run."""

from __future__ import annotations

from solo_unicorn.cli.parsing import Options, load


def parse(noun: str, verb: str, *rest: str) -> Options:
    """The options that a command reads from its words; UsageError when it does not take them. No verb is ""."""
    _, parser = load(noun, verb)
    return parser.parse_args(rest)
