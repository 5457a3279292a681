"""Write tools-list.json and opening.json anew after a decided change of what clients are shown; read the difference."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from solo_unicorn.mcp_server.caller import A_RUN, PERSONAL
from solo_unicorn.mcp_server.changes import Changes
from solo_unicorn.mcp_server.opening import ERA, FILE, VERSION
from solo_unicorn.mcp_server.tools.listed import TOOLS
from solo_unicorn.mcp_server.unix import UnixServer
from solo_unicorn.mcp_server.workspace_access import on
from solo_unicorn.missions.entities import JsonObject
from solo_unicorn.workspace.thread import WorkspaceThread

LISTS = ("tools/list", "prompts/list", "resources/templates/list")
ABOUT = {"name": "golden", "version": "1"}


def listed() -> dict[str, list[JsonObject]]:
    """The tools as each face is shown them."""
    faces = {"person": PERSONAL, "run": A_RUN}
    return {name: [tool.listing(who) for tool in TOOLS if tool.allows(who)] for name, who in faces.items()}


async def opening(socket: Path) -> dict[str, Any]:
    """What the server answers to a person's client before it calls a tool, in the words of each era."""
    async with WorkspaceThread() as thread:
        server = UnixServer(on(thread), Changes(), socket, version=VERSION)
        await server.start()
        by_version = [await _handshake(socket, version) for version in HANDSHAKE_PROTOCOL_VERSIONS]
        meta = {ERA: MODERN_PROTOCOL_VERSIONS[-1], "io.modelcontextprotocol/clientInfo": ABOUT}
        params = {"_meta": meta | {"io.modelcontextprotocol/clientCapabilities": {}}}
        modern = await _asked(socket, [(one, params) for one in ("server/discover", *LISTS)])
        await server.close()
    for found in by_version:
        found["initialize"].pop("protocolVersion")
        assert found == by_version[0], "a version of its own needs an answer of its own"
    return {
        "versions": list(HANDSHAKE_PROTOCOL_VERSIONS),
        "modernVersions": list(MODERN_PROTOCOL_VERSIONS),
        "handshake": by_version[0],
        "modern": modern,
    }


async def _handshake(socket: Path, version: str) -> dict[str, Any]:
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": ABOUT}
    return await _asked(socket, [("initialize", hello), *((one, {}) for one in LISTS)])


async def _asked(socket: Path, requests: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(socket), limit=1 << 20)
    writer.write(b'{"hello": "solo-unicorn", "token": null}\n')
    await reader.readline()
    found = {}
    for number, (method, params) in enumerate(requests):
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        writer.write(json.dumps(request).encode() + b"\n")
        found[method] = json.loads(await reader.readline())["result"]
        if method == "initialize":
            writer.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
    writer.close()
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        os.environ["SOLO_UNICORN_HOME"] = place
        made = asyncio.run(opening(Path(place) / "mcp.sock"))
    FILE.write_text(json.dumps(made, separators=(",", ":"), ensure_ascii=False) + "\n")
    Path(__file__).with_name("tools-list.json").write_text(json.dumps(listed(), indent=1, ensure_ascii=False) + "\n")
