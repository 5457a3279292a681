"""`solo-unicorn web`: the board in a browser of this machine."""

from __future__ import annotations

from importlib.util import find_spec

from ...missions.errors import SoloUnicornError, UsageError
from ..parsing import Command, Options, Parser

NEEDED = ("textual_serve", "aiohttp")


def _arguments(parser: Parser) -> None:
    parser.add_argument("-p", "--project", metavar="NAME", help="the project to open")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--visitors", type=int, default=4, metavar="N", help="most boards open at once (default 4)")


def _run(options: Options) -> int:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SoloUnicornError(
            "The board cannot be shown in a browser",
            why=f"{', '.join(missing)} cannot be found; the extra `web` installs it",
            todo="in a checkout of solo-unicorn, `make install` installs it with all its extras",
        )
    if not 0 <= options.port <= 65535:
        raise UsageError(f"{options.port} is not a valid port", todo="choose one from 1024 to 65535, or leave it out")
    if options.visitors < 1:
        raise UsageError(
            "No visitor would be allowed", why=f"--visitors is {options.visitors}", todo="allow at least one"
        )
    if options.project is not None:
        from ..opening import project_of, workspace

        with workspace() as opened:
            project_of(opened, options.project)  # NotFound now, not in the browser
    from ...tui.web.serving import serve

    return serve(options.port, project=options.project, most=options.visitors)


COMMANDS = {"web": Command(_arguments, _run)}
