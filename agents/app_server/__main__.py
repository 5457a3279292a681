"""`python -m solo_unicorn.agents.app_server --worktree DIR [options] -- codex app-server`: one session with Codex."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from ..adapter import rules_of, start_of, until_stopped
from .conversation import Wanted, held


def main(arguments: list[str]) -> int:
    """The exit code: 0 when the last turn ended well, 1 when not, 2 when it cannot be begun, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="solo_unicorn.agents.app_server")
    parser.add_argument("--worktree", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="the folder of the worktree in which it starts")
    parser.add_argument("--mcp-file", type=Path)
    parser.add_argument("--rules-file", type=Path)
    parser.add_argument("--resume", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--effort", default="")
    parser.add_argument("--sandbox", default="")
    parser.add_argument("--image", type=Path, action="append", default=[])
    parser.add_argument("--allow-all", action="store_true")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    wanted = Wanted(
        tuple(given.command),
        given.worktree.resolve(),
        given.mcp_file,
        given.resume,
        given.model,
        given.effort,
        given.sandbox,
        given.allow_all,
        rules_of(given.rules_file),
        tuple(given.image),
        start_of(given.start, given.worktree),
    )
    return asyncio.run(until_stopped(held(wanted)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
