"""The command line of the rehearsal agent, in the shape of Claude Code's."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from ... import __version__
from ...config import paths
from ...missions.errors import NotFound, SoloUnicornError, UsageError
from ...system import strict_json
from ..mcp_client import McpClient, McpServerEntry
from . import LABEL
from .agent import Agent
from .conversation import RehearsalConversation
from .hearing import Hearing
from .rehearsal import Rehearsal
from .speech import Speech
from .worktree import RehearsalWorktree

PACE_VARIABLE = "SOLO_UNICORN_REHEARSAL_PACE"
PACE = 0.3
SHAPE = '{"mcpServers":{"solo":{"type":"http","url":"http://…","headers":{…}}}}'
TERMINATED = 128 + signal.SIGTERM


def main() -> int:
    """Play each prompt that comes on standard input; the exit code of the last."""
    given = _arguments()
    try:
        server = _server(given.mcp_config)
        pace = _pace()
        conversation, missing = _conversation(given)
    except SoloUnicornError as error:
        print(f"{LABEL}: {error}", file=sys.stderr)
        return error.exit_code
    speech = Speech(sys.stdout.buffer, conversation.id, __version__)
    if missing:
        print(missing, file=sys.stderr)
        speech.result(missing, is_error=True, subtype="error_during_execution")
        return 1
    hearing = Hearing(0, streaming=given.input_format == "stream-json", respond=speech.control_response)
    signal.signal(signal.SIGINT, lambda *_: hearing.interrupt())
    signal.signal(signal.SIGTERM, lambda *_: os._exit(TERMINATED))
    client = McpClient(server, version=__version__, wait=hearing.wait, retrying=speech.retrying)
    agent = Agent(
        speech=speech,
        hearing=hearing,
        client=client,
        server=server.name,
        conversation=conversation,
        worktree=RehearsalWorktree(Path.cwd()),
    )
    rehearsal = Rehearsal(agent, directory=_directory(), pace=pace)
    code = 0
    for prompt in hearing.prompts():
        code = rehearsal.turn(prompt)
    if not conversation.turns:
        print(f"{LABEL}: no prompt came on standard input", file=sys.stderr)
        code = UsageError.exit_code
    client.close()
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="rehearsal",
        allow_abbrev=False,
        description=f"Solo Unicorn's rehearsal agent: {LABEL}. The prompt comes on standard input.",
        epilog="Other flags of Claude Code are accepted and ignored.",
    )
    parser.add_argument("-p", "--print", action="store_true", help="play without a screen (always so)")
    parser.add_argument("--input-format", choices=("text", "stream-json"), default="text")
    parser.add_argument("--output-format", choices=("stream-json",), default="stream-json")
    parser.add_argument("--mcp-config", metavar="FILE", help="Claude's mcpServers file, with one http server")
    parser.add_argument("--resume", metavar="ID", help="go on with a conversation")
    parser.add_argument("--session-id", metavar="UUID", help="the id of the new conversation")
    parser.add_argument("--version", action="version", version=f"{__version__} (Solo Unicorn, {LABEL})")
    return parser.parse_known_args()[0]


def _directory() -> Path:
    return paths.home() / "rehearsal"


def _conversation(given: argparse.Namespace) -> tuple[RehearsalConversation, str]:
    """The conversation, and why it cannot be resumed."""
    if given.resume:
        try:
            return RehearsalConversation.resume(_directory(), given.resume), ""
        except NotFound as error:
            return RehearsalConversation(_directory(), given.resume), error.what
    try:
        return RehearsalConversation.begin(_directory(), given.session_id), ""
    except ValueError:
        raise UsageError(f"{given.session_id!r} is not a valid UUID", todo="leave --session-id out") from None


def _pace() -> float:
    given = os.environ.get(PACE_VARIABLE, "")
    try:
        pace = float(given or PACE)
    except ValueError:
        pace = -1
    if not 0 <= pace <= 3600:
        raise UsageError(f"{PACE_VARIABLE} is {given!r}", todo="give seconds between two steps, for instance 0.3")
    return pace


def _server(config: str | None) -> McpServerEntry:
    """The first http server of the file (Claude's shape: mcpServers, name, url, headers)."""
    if not config:
        raise UsageError("No MCP server was given", todo=f"pass --mcp-config FILE with {SHAPE}")
    try:
        text = config if config.lstrip().startswith("{") else Path(config).read_text("utf-8")
        for name, entry in strict_json.heard(text)["mcpServers"].items():
            if entry.get("type") == "http":
                headers = {str(key): str(value) for key, value in entry.get("headers", {}).items()}
                return McpServerEntry(str(name), str(entry["url"]), headers)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"The --mcp-config {config[:200]} cannot be read", why=f"{type(error).__name__}: {error}"
        ) from error
    raise UsageError(
        "The --mcp-config names no http server", todo='give {"mcpServers":{"solo":{"type":"http","url":…}}}'
    )


if __name__ == "__main__":
    sys.exit(main())
