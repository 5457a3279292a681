"""`mcp` with options; without any, cli/main.py goes to cli/machine/bridging.py at once."""

from __future__ import annotations

import os

from ..parsing import Command, Options, Parser
from . import bridging
from .bridging import TOKEN_VARIABLE


def _arguments(parser: Parser) -> None:
    parser.add_argument("--standalone", action="store_true", help="serve from this process, without the service")
    parser.add_argument("--token-file", metavar="FILE", help="act for the run whose token is in this file")


def _run(options: Options) -> int:
    if options.standalone:
        token = bridging.token_in(options.token_file) if options.token_file else os.environ.get(TOKEN_VARIABLE)
        return _standalone(token)
    return bridging.run(options.token_file)


def _standalone(token: str | None) -> int:
    import asyncio

    from ... import __version__
    from ...mcp_server.standalone import serve
    from ...mcp_server.workspace_access import on
    from ...workspace.thread import WorkspaceThread

    async def served() -> int:
        async with WorkspaceThread() as thread:
            return await serve(on(thread), version=__version__, token=token, cwd=str(os.getcwd()))  # noqa: PTH109

    return asyncio.run(served())


COMMANDS = {"mcp": Command(_arguments, _run)}
