"""`mcp install|uninstall|status`: this server in the settings of MCP clients."""

from __future__ import annotations

from pathlib import Path

from ...mcp_server.install.clients import CLIENTS, SCOPES
from ...mcp_server.install.installing import Done, InstallState, install, project_root, status, uninstall
from ...missions.entities import JsonObject
from ..output import Output
from ..parsing import Command, Options, Parser

TOLD = {
    "installed": "{title} now has the solo-unicorn server ({where})",
    "replaced": "The entry of {title} was replaced ({where})",
    "already": "{title} already has the solo-unicorn server ({where})",
    "removed": "{title} no longer has the solo-unicorn server ({where})",
    "absent": "{title} does not have the solo-unicorn server ({where})",
}
WOULD = {
    "installed": "would be entered in",
    "replaced": "would replace the entry in",
    "removed": "would be removed from",
}


def _change_arguments(parser: Parser) -> None:
    parser.add_argument("client", choices=list(CLIENTS), help="the client to set up")
    parser.add_argument(
        "--scope",
        choices=SCOPES,
        default="user",
        help="your own settings (default), or the project's, which are shared",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")


def _install(options: Options) -> None:
    _tell(options, install(options.client, options.scope, project_root(Path.cwd()), dry=options.dry_run))


def _uninstall(options: Options) -> None:
    _tell(options, uninstall(options.client, options.scope, project_root(Path.cwd()), dry=options.dry_run))


def _tell(options: Options, done: Done) -> None:
    output = Output(options)
    title = CLIENTS[done.client].title
    if done.dry and done.outcome in WOULD:
        sentence = f"solo-unicorn {WOULD[done.outcome]} {done.file}"
        if done.command:
            sentence += f" by: {' '.join(done.command)}"
    else:
        sentence = TOLD[done.outcome].format(title=title, where=done.file)
    told: JsonObject = {
        "client": done.client,
        "scope": done.scope,
        "outcome": done.outcome,
        "file": str(done.file),
        "command": list(done.command),
        "backup": str(done.backup) if done.backup else None,
        "dryRun": done.dry,
    }
    output.done(sentence, told)
    if done.backup:
        output.note(f"The previous file: {done.backup}")


def _status_arguments(parser: Parser) -> None:
    """None of its own."""


def _status(options: Options) -> None:
    project = project_root(Path.cwd())
    found = [status(name, scope, project) for name in CLIENTS for scope in SCOPES]
    Output(options).table(
        ("CLIENT", "SCOPE", "STATE", "PROGRAM", "FILE"),
        [(one.client, one.scope, _state(one), one.program or "not found", str(one.file)) for one in found],
        [
            {
                "client": one.client,
                "scope": one.scope,
                "state": one.state,
                "program": one.program,
                "file": str(one.file),
                "command": list(one.command),
            }
            for one in found
        ],
    )


def _state(one: InstallState) -> str:
    match one.state:
        case "ready":
            return "ready"
        case "other":
            return f"starts {' '.join(one.command) or 'something else'}"
        case "unreadable":
            return "its file cannot be read"
        case _:
            return "-"


COMMANDS = {
    "install": Command(_change_arguments, _install),
    "uninstall": Command(_change_arguments, _uninstall),
    "status": Command(_status_arguments, _status),
}
