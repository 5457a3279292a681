"""A caller that knows only what `tools/list` says: it picks a tool by its words and fills in what it can name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import Client
from mcp.types import CallToolResult, TextContent, Tool

PLAIN = re.compile(r"[^a-z]+")


def words(text: str) -> set[str]:
    """Words of at least three letters, without the endings of English."""
    found = (re.sub(r"(?<=[a-z]{3})(ies|es|s|ing|ed|y)$", "", one) for one in PLAIN.split(text.casefold()))
    return {one for one in found if len(one) > 2}


@dataclass
class Caller:
    """A model, as far as it is one: what it read last is what it knows of versions."""

    client: Client
    tools: list[Tool] = field(default_factory=list)
    version: int | None = None
    refused: list[str] = field(default_factory=list)

    async def wish(self, what: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Call the tool whose words have most in common with the wish, with facts named in anybody's words."""
        if not self.tools:
            self.tools = (await self.client.list_tools()).tools
        tool = max(self.tools, key=lambda one: self._fit(one, what))
        given = self._filled(tool, facts)
        result = await self.client.call_tool(tool.name, given)
        if result.is_error:
            self.refused.append(f"{what}: {tool.name}({json.dumps(given)}): {_text(result)}")
        told = result.structured_content or json.loads(_text(result).split("\n", 1)[0])
        self.version = told.get("version", self.version)
        return {"tool": tool.name, "text": _text(result), **told}

    def _fit(self, tool: Tool, what: str) -> float:
        wished = words(what)
        named, told = words(tool.name.replace("_", " ")), words(tool.description or "")
        return 2 * len(wished & named) + len(wished & told) - len(named - wished) / 10

    def _filled(self, tool: Tool, facts: Mapping[str, Any]) -> dict[str, Any]:
        shape: dict[str, Any] = tool.input_schema
        given = {self._argument(shape["properties"], tool.name, meant): value for meant, value in facts.items()}
        if "expected_version" in shape["properties"] and self.version is not None:
            given.setdefault("expected_version", self.version)
        missing = set(shape.get("required", ())) - given.keys()
        assert not missing, f"{tool.name} needs {missing}, which the schema asks of a caller that has only {facts}"
        return given

    def _argument(self, properties: Mapping[str, Any], tool: str, meant: str) -> str:
        """The argument that is called so, or whose name and description say it best."""
        if meant in properties:
            return meant
        fits = {
            name: 2 * len(words(meant) & words(name)) + len(words(meant) & words(part.get("description", "")))
            for name, part in properties.items()
        }
        best = max(fits, key=lambda name: fits[name])
        assert fits[best], f"nothing in the schema of {tool} says {meant!r}"
        return best


def _text(result: CallToolResult) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text
