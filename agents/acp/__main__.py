"""`python -m solo_unicorn.agents.acp --worktree DIR [options] -- COMMAND…`: one session with an ACP agent."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from ..adapter import options, until_stopped, wanted
from .conversation import checked, held

CHECK_SECONDS = 60.0


def main(arguments: list[str]) -> int:
    """The exit code: 0 when the last turn ended well, 1 when not, 2 when it cannot be begun, 130 when interrupted."""
    parser = options("acp")
    parser.add_argument("--not-before", type=int, default=0, metavar="SECONDS", help="when it may be resumed")
    parser.add_argument("--fresh-file", type=Path, help="the prompt where the conversation to resume is lost")
    parser.add_argument("--mode", default="")
    parser.add_argument("--directory", default="", help="another folder that the agent may read")
    parser.add_argument("--sign-in", action="append", default=[], metavar="VARIABLE=METHOD")
    parser.add_argument("--check", action="store_true", help="only ask the agent who it is")
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args(arguments)
    os.environ.update(dict(pair.split("=", 1) for pair in given.environment))
    if given.check:
        return _checked(tuple(given.command))
    asked = wanted(
        parser,
        given,
        not_before=given.not_before,
        fresh=given.fresh_file.read_text(encoding="utf-8") if given.fresh_file else "",
        mode=given.mode,
        directory=given.directory,
        sign_in=tuple((pair.partition("=")[0], pair.partition("=")[2]) for pair in given.sign_in),
    )
    return asyncio.run(until_stopped(held(asked)))


def _checked(command: tuple[str, ...]) -> int:
    try:
        print(asyncio.run(asyncio.wait_for(checked(command), CHECK_SECONDS)))
    except Exception as error:
        print(" ".join(f"{type(error).__name__}: {error}".split())[:300], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
