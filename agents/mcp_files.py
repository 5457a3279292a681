"""The file with which an agent is told of our MCP server for one run: address and token, in each agent's own shape."""

from __future__ import annotations

from typing import Literal

from ..missions.entities import JsonObject

Format = Literal["claude", "gemini", "opencode", "amp", "plain"]

SERVER = "solo"
"""Our server's name as agents see it; their tools are called mcp__solo__… or solo_…"""


def write(format_: Format, url: str, token: str) -> JsonObject:
    """The content of the file."""
    headers: JsonObject = {"Authorization": f"Bearer {token}"}
    match format_:
        case "claude":
            # alwaysLoad: without it the tools are hidden behind a search, and the first turn begins before we answer
            return {"mcpServers": {SERVER: {"type": "http", "url": url, "headers": headers, "alwaysLoad": True}}}
        case "gemini":
            return {"mcpServers": {SERVER: {"httpUrl": url, "headers": headers, "trust": True}}}
        case "opencode":
            server: JsonObject = {"type": "remote", "url": url, "headers": headers, "oauth": False, "enabled": True}
            return {"mcp": {SERVER: server}}
        case "amp":
            return {SERVER: {"url": url, "headers": headers}}
        case "plain":
            return {"url": url, "token": token}  # for programs of ours: `solo-unicorn mcp --token-file`
