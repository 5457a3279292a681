"""`demo`."""

from __future__ import annotations

from ..parsing import Command, Options, nothing


def _run(options: Options) -> int:
    from .demo import run

    return run(quiet=options.quiet)


COMMANDS = {"demo": Command(nothing, _run)}
