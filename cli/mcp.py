"""`mcp` with options; without any, cli/main.py goes to cli/bridging.py at once."""

from __future__ import annotations

import os

from . import bridging
from .bridging import TOKEN_VARIABLE
from .parsing import Command, Options, Parser


def _arguments(parser: Parser) -> None:
    parser.add_argument("--standalone", action="store_true", help="serve from this process, without the service")


def _run(options: Options) -> int:
    if options.standalone:
        return _standalone(os.environ.get(TOKEN_VARIABLE))
    return bridging.run()


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
