"""What a fixture tool of the conformance suite is."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mcp.server import ServerRequestContext
from mcp.types import CallToolRequestParams as Given
from mcp.types import CallToolResult, InputRequiredResult, TextContent, Tool

Context = ServerRequestContext[Any]
Run = Callable[[Context, Given], Awaitable[CallToolResult | InputRequiredResult]]
MISSING_CAPABILITY = -32021
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SILENCE = base64.b64encode(
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data"
    b"\x00\x00\x00\x00"
).decode()
KEY = secrets.token_bytes(32)
TOOLS: dict[str, tuple[Tool, Run]] = {}


@dataclass(frozen=True)
class Shape:
    """A JSON schema of an object, in short."""

    properties: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """As a client sees it."""
        return {"type": "object", "properties": self.properties, "required": list(self.required)}


def tool(name: str, shape: Shape | dict[str, Any] = Shape()) -> Callable[[Run], Run]:
    """Register a fixture tool."""

    def register(run: Run) -> Run:
        schema = shape.schema() if isinstance(shape, Shape) else shape
        listed = Tool(name=name, description=f"Fixture of the conformance suite: {name}", input_schema=schema)
        TOOLS[name] = listed, run
        return run

    return register


def said(text: str, *, is_error: bool = False) -> CallToolResult:
    """One block of text."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)


def made(**result: Any) -> CallToolResult:
    """A result from its wire form."""
    return CallToolResult.model_validate(result)
