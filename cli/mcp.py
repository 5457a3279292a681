"""`mcp`: the bridge between an MCP client's pipes and the service's socket. Standard library, unless --standalone."""

from __future__ import annotations

import os

from .parsing import Command, Options, Parser

TOKEN_VARIABLE = "SOLO_UNICORN_TOKEN"


def _arguments(parser: Parser) -> None:
    parser.add_argument("--standalone", action="store_true", help="serve from this process, without the service")


def _run(options: Options) -> int:
    token = os.environ.get(TOKEN_VARIABLE)
    if options.standalone:
        return _standalone(token)
    from ..config.paths import mcp_socket
    from ..mcp_server.bridge import run
    from ..workstation.client import ensure_running

    return run(ensure_running, mcp_socket(), token=token)


def _standalone(token: str | None) -> int:
    import asyncio

    from .. import __version__
    from ..mcp_server.standalone import serve
    from ..sync.face import WorkspaceThread

    async def served() -> int:
        async with WorkspaceThread() as face:
            return await serve(face.run, version=__version__, token=token, cwd=str(os.getcwd()))  # noqa: PTH109

    return asyncio.run(served())


COMMANDS = {"mcp": Command(_arguments, _run)}
