"""`python -m solo_unicorn.agents.app_server --worktree DIR [options] -- codex app-server`: one session with Codex."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ..adapter import options, until_stopped, wanted
from .conversation import held


def main(arguments: list[str]) -> int:
    """The exit code: 0 when the last turn ended well, 1 when not, 2 when it cannot be begun, 130 when interrupted."""
    parser = options("app_server")
    parser.add_argument("--sandbox", default="")
    parser.add_argument("--image", type=Path, action="append", default=[])
    given = parser.parse_args(arguments)
    asked = wanted(parser, given, sandbox=given.sandbox, images=tuple(given.image))
    return asyncio.run(until_stopped(held(asked)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
