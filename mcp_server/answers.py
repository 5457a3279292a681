"""What a call answers on the wire: a reply or an error, each complete as text and as structured content."""

from __future__ import annotations

from mcp.types import CallToolResult, TextContent

from ..missions.entities import Json, JsonObject
from ..missions.errors import (
    InvalidValue,
    NotAllowed,
    NotFound,
    SoloUnicornError,
    UsageError,
    VersionConflict,
    sentences,
)
from ..system import strict_json
from .tools.arguments import TooMuch
from .tools.registry import Data, Reply

CODES: tuple[tuple[type[SoloUnicornError], str], ...] = (
    (TooMuch, "limit"),
    (NotFound, "not_found"),
    (VersionConflict, "version_conflict"),
    (NotAllowed, "not_allowed"),
    (UsageError, "invalid"),
)


def answer(reply: Reply) -> CallToolResult:
    """A tool's answer: data both ways, Markdown as text only."""
    if isinstance(reply, Data):
        return CallToolResult(content=[text(compact(reply.value))], structured_content=reply.value)
    return CallToolResult(content=[text(f"{compact(reply.head)}\n\n{reply.text}".rstrip() + "\n")])


def refusal(error: SoloUnicornError) -> CallToolResult:
    """`code: sentence hint` for who reads text, the same in parts for who reads structure."""
    code = code_of(error)
    message = ", ".join(part.rstrip(".") for part in (error.what, error.why) if part) + "."
    hint = sentences(error.todo)
    parts: JsonObject = {"code": code, "message": message, "hint": hint}
    if isinstance(error, VersionConflict):
        parts["currentVersion"] = error.current
    if isinstance(error, InvalidValue):
        parts["field"] = error.field
    if code == "offline":
        parts["retryable"] = True
    return CallToolResult(
        content=[text(f"{code}: {message} {hint}".rstrip())], structured_content={"error": parts}, is_error=True
    )


def code_of(error: SoloUnicornError) -> str:
    """The one of our six codes that says what a client can do about it."""
    for kind, code in CODES:
        if isinstance(error, kind):
            return code
    return "invalid" if error.exit_code == 4 else "offline"


def compact(value: Json) -> str:
    """JSON without spaces."""
    return strict_json.dumps(value)


def text(content: str) -> TextContent:
    """One block of text."""
    return TextContent(type="text", text=content)
