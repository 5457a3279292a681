"""The beginning of a session: who the agent is, whether it is signed in, its conversation, and what was chosen for it.

Nothing is sent that the agent did not announce (the protocol's Initialization).
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ... import __version__
from ...missions.entities import Json, JsonObject
from ...system import strict_json
from ..adapter import Wanted
from ..mcp_files import SERVER
from .choices import choose
from .unwilling import Unwilling
from .wire import METHOD_UNKNOWN, AgentRefused, Wire

VERSION: Final = 1
"""Of the protocol; its second version is a draft."""
AUTH_REQUIRED: Final = -32000
RUNTIME: Final = ("SOLO_UNICORN_HOME", "SOLO_UNICORN_RUNTIME_DIR")
_VARIABLE: Final = re.compile(r"\b[A-Z][A-Z0-9_]*_(?:KEY|TOKEN)\b")


@dataclass(frozen=True, slots=True)
class Opened:
    """The agent's own id of the conversation, and why it is not the one that was asked for."""

    session: str
    lost: str = ""
    model: str = ""
    """What it uses, as far as it tells."""


async def introduced(wire: Wire) -> JsonObject:
    """How the agent introduces itself; Unwilling when it speaks another version of the protocol."""
    found = await wire.ask(
        "initialize",
        {
            "protocolVersion": VERSION,
            "clientCapabilities": {"elicitation": {"form": {}}},
            "clientInfo": {"name": "solo-unicorn", "title": "Solo Unicorn", "version": __version__},
        },
    )
    version = found.get("protocolVersion")
    if version != VERSION:
        told = f"version {version}" if isinstance(version, int) else "no version it names"
        raise Unwilling(
            f"it speaks {told} of the Agent Client Protocol, but Solo Unicorn supports only version {VERSION}"
        )
    return found


def announces(about: JsonObject, *path: str) -> bool:
    """Whether the agent announced the capability: true, or an object, even an empty one."""
    found: Json = about.get("agentCapabilities")
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found is not None and found is not False


async def opened(wire: Wire, about: JsonObject, wanted: Wanted) -> Opened:
    """Begin the conversation, or go on with the one that is wanted, and make the choices of the person."""
    given: JsonObject = {"cwd": str(wanted.cwd), "mcpServers": _servers(wanted.mcp_file, about)}
    more = [*([wanted.directory] if wanted.directory else []), *([str(wanted.worktree)] if wanted.start else [])]
    if more and announces(about, "sessionCapabilities", "additionalDirectories"):
        given = {**given, "additionalDirectories": list[Json](more)}
    lost = ""
    if wanted.resume:
        lost = "it cannot go on with an earlier conversation"
        await asyncio.sleep(min(60.0, max(0.0, wanted.not_before - time.time())))
        for method in _ways(about):
            try:
                found = await _asked(wire, about, wanted, method, {**given, "sessionId": wanted.resume})
            except AgentRefused as error:
                if error.code != METHOD_UNKNOWN:  # some announce more than they do
                    lost = f"{method} failed: {told(error)}"
            else:
                return Opened(wanted.resume, model=await _chosen(wire, wanted.resume, found, wanted))
        if not wanted.fresh:
            raise Unwilling(lost, "conversation_unknown")
    try:
        found = await _asked(wire, about, wanted, "session/new", given)
    except AgentRefused as error:
        if error.code == AUTH_REQUIRED:
            ways = ", ".join(str(method.get("name") or method.get("id")) for method in _methods(about))
            raise Unwilling(f"{told(error)} ({ways})" if ways else told(error), "signed_out") from error
        raise
    session = found.get("sessionId")
    if not isinstance(session, str) or not session:
        raise Unwilling("it began a conversation without an id")
    return Opened(session, lost, await _chosen(wire, session, found, wanted))


async def _chosen(wire: Wire, session: str, found: JsonObject, wanted: Wanted) -> str:
    return await choose(wire, session, found, model=wanted.model, effort=wanted.effort, mode=wanted.mode)


def told(error: AgentRefused) -> str:
    """Its message with the detail that some put into the data."""
    match error.data:
        case str() as text:
            return f"{error}: {text}"
        case {"details": str() as text} | {"message": str() as text}:
            return f"{error}: {text}"
    return str(error)


def _ways(about: JsonObject) -> Iterator[str]:
    if announces(about, "sessionCapabilities", "resume"):
        yield "session/resume"
    if announces(about, "loadSession"):
        yield "session/load"


async def _asked(wire: Wire, about: JsonObject, wanted: Wanted, method: str, given: JsonObject) -> JsonObject:
    """The answer; an agent that wants a sign-in gets one where a key of the environment is all that it takes."""
    try:
        return await wire.ask(method, given)
    except AgentRefused as error:
        way = _way_in(about, wanted) if error.code == AUTH_REQUIRED else None
        if way is None:
            raise
    try:
        await wire.ask("authenticate", {"methodId": way})
    except AgentRefused as error:
        raise AgentRefused(AUTH_REQUIRED, f"the sign-in {way} failed: {told(error)}") from error
    return await wire.ask(method, given)


def _methods(about: JsonObject) -> list[JsonObject]:
    found = about.get("authMethods")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _way_in(about: JsonObject, wanted: Wanted) -> str | None:
    """The way to sign in that needs nobody: by a key that is in the environment. Browsers are opened by people."""
    offered = {str(method.get("id")): method for method in _methods(about) if method.get("type") != "terminal"}
    for variable, way in wanted.sign_in:
        if os.environ.get(variable) and way in offered:
            return way
    for way, method in offered.items():
        match method:
            case {"type": "env_var", "vars": list() as values}:
                named = [str(one.get("name")) for one in values if isinstance(one, dict)]
            case _:
                named = _VARIABLE.findall(f"{method.get('name')} {method.get('description')}")
        if named and all(os.environ.get(name) for name in named):
            return way
    return None


def _servers(mcp_file: Path | None, about: JsonObject) -> list[Json]:
    """Our server for this session: by HTTP with its token, else by a bridge that reads the token from the file."""
    if mcp_file is None:
        return []
    found: JsonObject = strict_json.heard(mcp_file.read_text(encoding="utf-8"))
    if announces(about, "mcpCapabilities", "http"):
        header: JsonObject = {"name": "Authorization", "value": f"Bearer {found['token']}"}
        return [{"type": "http", "name": SERVER, "url": str(found["url"]), "headers": [header]}]
    ours: list[Json] = ["-P", "-m", "solo_unicorn", "mcp", "--token-file", str(mcp_file)]
    environment: list[Json] = [{"name": name, "value": value} for name in RUNTIME if (value := os.environ.get(name))]
    return [{"name": SERVER, "command": sys.executable, "args": ours, "env": environment}]
